// What the head of an upload says about the bytes to come, and whether they turned out so.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/s3/request.h"
#include "api/s3/s3_error.h"
#include "objectstore/checksum.h"

namespace argosy::api::s3 {

inline constexpr uint64_t kPutBytesMax = uint64_t{5} << 30;  // of one PUT, as S3

enum class Framing { kPlain, kAwsChunked };

struct Expectation {
  std::optional<std::string> sha256_hex;  // x-amz-content-sha256, when it is a hash
  std::optional<std::string> md5;         // Content-MD5, 16 raw bytes
  std::optional<objectstore::ChecksumAlgorithm> algorithm;
  std::string checksum;  // base64; empty while it is to come in a trailer, or only to be computed
  bool checksum_in_trailer = false;
  Framing framing = Framing::kPlain;
  bool signed_chunks = false;
  bool signed_trailers = false;
  std::optional<uint64_t> decoded_length;
};

std::variant<Expectation, S3Error> ReadExpectation(const Request& request);

// content-type and the other headers kept with an object, and the user's metadata.
std::variant<objectstore::Attributes, S3Error> ReadAttributes(const Request& request);

// x-amz-checksum-algorithm: what the checksum of an upload or copy is to be; empty: not sent.
std::variant<std::optional<objectstore::ChecksumAlgorithm>, S3Error> ReadChecksumAlgorithm(const Request& request);

// "x-amz-checksum-crc32".
std::string ChecksumHeader(objectstore::ChecksumAlgorithm algorithm);

// Hashes a body as it comes. MD5 is the writer's.
class PayloadHasher {
 public:
  explicit PayloadHasher(const Expectation& expectation);
  void Update(std::string_view piece);
  bool HasWork() const { return sha256_ != nullptr || checksum_ != nullptr; }

  struct Digests {
    std::string sha256_hex;  // empty when nobody asked
    std::string checksum;    // base64; empty likewise
  };
  Digests Finish();

 private:
  std::unique_ptr<objectstore::ChecksumHasher> sha256_;
  std::unique_ptr<objectstore::ChecksumHasher> checksum_;
};

// Nothing when all that was announced is so. `md5`: 16 raw bytes.
std::optional<S3Error> Compare(const Expectation& expectation, const PayloadHasher::Digests& digests,
                               std::string_view md5);

// The same of a body that is here as a whole, once its head has been read.
std::optional<S3Error> CheckDocument(const Request& request);

}  // namespace argosy::api::s3
