#include "objectstore/embedded/bucket_tags.h"

#include <unistd.h>

#include <cerrno>

#include "base/files.h"
#include "objectstore/json_texts.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kTagFileBytesMax = 1 << 20;  // far above fifty tags

}  // namespace

std::filesystem::path BucketTagFiles::FileOf(std::string_view bucket) const {
  return dir_ / (std::string(bucket) + ".json");
}

Result<Tags> BucketTagFiles::Read(std::string_view bucket) const {
  const Result<std::string> text = ReadFile(FileOf(bucket), kTagFileBytesMax);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound) return Tags();
    return text.error();
  }
  Result<Tags> tags = ParseTexts(*text);
  return tags.ok() ? tags : tags.error().Wrap("the tags of bucket '" + std::string(bucket) + "' are damaged");
}

Status BucketTagFiles::Write(std::string_view bucket, const Tags& tags) const {
  const std::filesystem::path file = FileOf(bucket);
  if (!tags.empty()) return WriteFileDurably(file, DumpTexts(tags));
  if (unlink(file.c_str()) == 0) return SyncDirectory(dir_);
  return errno == ENOENT ? Status() : ErrnoError("removing " + file.string(), errno);
}

}  // namespace argosy::objectstore
