// One object's way to the outside, and what its headers say of it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"
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
  std::string md5;  // 16 bytes; empty: not known yet
  Attributes attributes;
  Tags tags;
  std::optional<Checksum> checksum;
  Precondition precondition;
};

// Idempotent, but for its precondition: a PUT whose first answer was lost is recognised by its ETag. kConflict when the
// precondition does not hold outside. The key of the answer is that outside.
Result<ObjectInfo> PutObject(S3Client& client, ThreadPool& pool, const Outgoing& object);

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

// The ETag that PutObject gives a file without a checksum: reads it whole.
Result<std::string> EtagOfFile(int fd, uint64_t size);

// Runs work(0) … work(count - 1) on this thread and up to `width` - 1 of the pool's; the first error ends it.
Status RunSideBySide(ThreadPool& pool, size_t count, size_t width, const std::function<Status(size_t)>& work);

}  // namespace argosy::objectstore
