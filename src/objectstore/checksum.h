// The checksums that S3 clients send beside the ETag, computed piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objectstore/object_store.h"

namespace argosy::objectstore {

// "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256": as S3 writes them.
std::string_view ChecksumName(ChecksumAlgorithm algorithm);
std::optional<ChecksumAlgorithm> ParseChecksumName(std::string_view name);  // letter case ignored

// "FULL_OBJECT", "COMPOSITE".
std::string_view ChecksumTypeName(ChecksumType type);
std::optional<ChecksumType> ParseChecksumTypeName(std::string_view name);

class ChecksumHasher {
 public:
  virtual ~ChecksumHasher() = default;
  virtual void Update(std::string_view piece) = 0;
  virtual std::string Finish() = 0;  // raw bytes, big-endian; the hasher is spent
};
std::unique_ptr<ChecksumHasher> NewChecksumHasher(ChecksumAlgorithm algorithm);

// MD5, for ETags; may be read in between.
class Md5Hasher {
 public:
  Md5Hasher();
  ~Md5Hasher();
  Md5Hasher(Md5Hasher&&) noexcept;
  Md5Hasher& operator=(Md5Hasher&&) noexcept;
  void Update(std::string_view piece);
  std::string Digest() const;  // 16 bytes of what has been given so far

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Whether the checksum of a whole can be had from those of its parts (CRCs can, digests cannot).
bool CanCombine(ChecksumAlgorithm algorithm);

struct PartChecksum {
  std::string value;  // base64, as kept with the part
  uint64_t size = 0;
};
// The checksum of an upload from its parts': composite = the algorithm over the parts' raw values, "-", their number;
// full = what the whole would give, for algorithms that can combine. Nothing when a value is not of the algorithm's
// length.
std::optional<Checksum> CombineChecksums(ChecksumAlgorithm algorithm, ChecksumType type,
                                         const std::vector<PartChecksum>& parts);

}  // namespace argosy::objectstore
