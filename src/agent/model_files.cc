#include "agent/model_files.h"

#include <algorithm>

#include "agent/archive.h"

namespace argosy::agent {
namespace {

constexpr uint64_t kModelRatioMax = 1000;  // gzip's own limit of expansion

}  // namespace

Result<uint64_t> FetchArchive(objectstore::ObjectReader& objects, const std::string& s3_uri, std::string_view field,
                              const std::filesystem::path& target) {
  const Result<objectstore::S3Uri> uri = objectstore::ParseS3Uri(s3_uri);
  if (!uri.ok()) return Invalid(std::string(field) + ": " + uri.error().message());
  const Result<objectstore::OpenObject> archive = objects.Open(uri->bucket, uri->key);
  if (!archive.ok()) {
    if (archive.error().code() != ErrorCode::kNotFound) return archive.error();
    return Invalid("Could not find model data at " + s3_uri);
  }
  if (Status there = objectstore::Fetch(*archive, 0, archive->info.size); !there.ok()) return there.error();
  if (Status made = MakeDirectories(target); !made.ok()) return made.error();
  UnpackLimits limits;
  limits.bytes_max = std::min(limits.bytes_max, (archive->info.size + 1) * kModelRatioMax);
  if (Status done = UnpackArchive(archive->file->get(), target, limits); !done.ok()) {
    const ErrorCode code =
        done.error().code() == ErrorCode::kCorrupt ? ErrorCode::kInvalidArgument : done.error().code();
    return Error(code, "Failed to extract model data from " + s3_uri + ": " + done.error().message());
  }
  return archive->info.size;
}

}  // namespace argosy::agent
