#include "objectstore/embedded/bucket_tags.h"

#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;  // far above fifty tags

}  // namespace

std::filesystem::path BucketTagFiles::FileOf(std::string_view bucket) const {
  return dir_ / (std::string(bucket) + ".json");
}

Result<Tags> BucketTagFiles::Read(std::string_view bucket) const {
  const Result<std::string> text = ReadFile(FileOf(bucket), kFileBytesMax);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound) return Tags();
    return text.error();
  }
  const Result<Json> json = ParseJson(*text);
  const auto is_text = [](const Json& value) { return value.is_string(); };
  if (!json.ok() || !json->is_object() || !std::ranges::all_of(*json, is_text)) {
    return Error(ErrorCode::kCorrupt, "the tags of bucket '" + std::string(bucket) + "' are damaged");
  }
  return json->get<Tags>();
}

Status BucketTagFiles::Write(std::string_view bucket, const Tags& tags) const {
  const std::filesystem::path file = FileOf(bucket);
  if (!tags.empty()) return WriteFileDurably(file, DumpJson(Json(tags)));
  if (unlink(file.c_str()) == 0) return SyncDirectory(dir_);
  return errno == ENOENT ? Status() : ErrnoError("removing " + file.string(), errno);
}

}  // namespace argosy::objectstore
