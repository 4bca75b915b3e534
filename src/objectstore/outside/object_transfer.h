// One object's way to the outside, and what its headers say of it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objectstore/object_store.h"
#include "objectstore/outside/s3_client.h"

namespace argosy::objectstore {

inline constexpr uint64_t kOnePutBytesMax = 64 << 20;  // above this an object goes in parts
inline constexpr uint64_t kPartBytes = 32 << 20;       // larger where there would be more parts than are allowed
inline constexpr size_t kPartsAtOnce = 4;
inline constexpr uint64_t kPutBytesMaxOutside = uint64_t{5} << 30;  // of one PUT or part, as S3

// What is to be written, finished in a local file.
struct Outgoing {
  std::string key;  // as it will lie outside
  std::filesystem::path file;
  uint64_t size = 0;
  std::string md5;  // 16 bytes
  Attributes attributes;
  Tags tags;
  std::optional<Checksum> checksum;
  Precondition precondition;
};

// Idempotent, but for its precondition: a PUT whose first answer was lost is recognised by its ETag. kConflict when the
// precondition does not hold outside. The key of the answer is that outside.
Result<ObjectInfo> PutWhole(S3Client& client, const Outgoing& object);

// MD5 (16 bytes) of part of a file, and a checksum (base64) when one is wanted.
struct PieceDigests {
  std::string md5;
  std::string checksum;
};
Result<PieceDigests> HashPiece(int fd, uint64_t offset, uint64_t length, std::optional<ChecksumAlgorithm> algorithm);

// The part of an upload in parts; `part` has number, size and checksum, the answer the ETag too.
Result<PartInfo> PutPart(S3Client& client, const std::string& key, const std::string& upload_id, PartInfo part,
                         http::BodyFile body, std::string md5);

Result<std::string> CreateUploadOutside(S3Client& client, const std::string& key, const UploadOptions& options);
// `parts` with their ETags. The ETag that they give tells an upload that was completed before.
Result<ObjectInfo> CompleteUploadOutside(S3Client& client, const std::string& key, const std::string& upload_id,
                                         const std::vector<PartInfo>& parts, const Precondition& precondition,
                                         const std::optional<Checksum>& whole);
Status AbortUploadOutside(S3Client& client, const std::string& key, const std::string& upload_id);

// With the tags, for which it asks once more where there are any.
Result<ObjectInfo> HeadObject(S3Client& client, const std::string& key);
Status SetTagsOutside(S3Client& client, const std::string& key, const Tags& tags);

// As request headers.
Headers HeadersOf(const Attributes& attributes);
// The value of x-amz-tagging.
std::string TaggingHeader(const Tags& tags);
// x-amz-checksum-crc32, …
std::string ChecksumHeaderName(ChecksumAlgorithm algorithm);

// Whether it may be the MD5 of the object's bytes: those of uploads in parts are not.
bool IsMd5Etag(std::string_view etag);
// The ETag of an upload of these parts; empty when one of theirs is no MD5.
std::string EtagOfParts(const std::vector<PartInfo>& parts);

// The size of each part but the last.
uint64_t PartBytesFor(uint64_t size);

// The ETag that a file without a checksum gets, sent whole or in parts: reads it whole.
Result<std::string> EtagOfFile(int fd, uint64_t size);

}  // namespace argosy::objectstore
