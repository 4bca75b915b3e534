#include "objectstore/embedded/rebuild.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>

#include "base/log.h"
#include "objectstore/embedded/file_reader.h"
#include "objectstore/embedded/key_path.h"

namespace argosy::objectstore {
namespace {

struct CloseDirectory {
  void operator()(DIR* stream) const { closedir(stream); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Result<Directory> OpenDirectory(int parent_fd, const std::string& path) {
  UniqueFd fd(openat(parent_fd, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError("opening the directory " + path, errno);
  Directory stream(fdopendir(fd.get()));
  if (stream == nullptr) return ErrnoError("reading the directory " + path, errno);
  (void)fd.release();
  return stream;
}

// The row that the file at `path` deserves; nothing when there is no such file.
Result<std::optional<IndexRow>> RowOfFile(int root_fd, const std::string& path,
                                          const std::vector<const Intent*>& intents) {
  UniqueFd fd(openat(root_fd, path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::optional<IndexRow>();
    return ErrnoError("opening " + path, errno);
  }
  struct stat stat;
  if (fstat(fd.get(), &stat) != 0) return ErrnoError("looking at " + path, errno);
  if (!S_ISREG(stat.st_mode)) return std::optional<IndexRow>();
  const FileIdentity identity = IdentityOf(stat);
  // Of those that speak of this content the last one: tags are changed without it.
  for (auto intent = intents.rbegin(); intent != intents.rend(); ++intent) {
    if ((*intent)->row && (*intent)->row->identity == identity) return (*intent)->row;
  }
  Result<Record> record = RecordOfFile(fd.get(), identity);
  if (!record.ok()) return record.error();
  return std::optional<IndexRow>(IndexRow{identity, record->etag, EncodeDetails(*record)});
}

using AddRow = std::function<Status(const std::string& bucket, const std::string& key, const IndexRow& row)>;

// All files below one bucket, directory by directory. What no key's path is stays and is named in the log.
Status WalkBucket(int root_fd, const std::string& bucket, const AddRow& add) {
  std::vector<std::string> waiting = {""};  // directories, relative to the bucket, with a slash at the end unless empty
  while (!waiting.empty()) {
    const std::string directory = std::move(waiting.back());
    waiting.pop_back();
    Result<Directory> stream = OpenDirectory(root_fd, bucket + "/" + directory);
    if (!stream.ok()) return stream.error();
    while (const dirent* entry = readdir(stream->get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat stat;
      if (fstatat(dirfd(stream->get()), name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0) {
        return ErrnoError("looking at " + directory + name, errno);
      }
      if (S_ISDIR(stat.st_mode)) {
        waiting.push_back(directory + name + "/");
        continue;
      }
      const std::optional<std::string> key = PathToKey(directory + name);
      if (!key || !S_ISREG(stat.st_mode)) {
        Log(LogLevel::kWarning, "a file in a bucket is no object", {{"bucket", bucket}, {"path", directory + name}});
        continue;
      }
      Result<std::optional<IndexRow>> row = RowOfFile(root_fd, bucket + "/" + directory + name, {});
      if (!row.ok()) return row.error();
      if (!*row) continue;
      const Status added = add(bucket, *key, **row);
      if (!added.ok()) return added;
    }
  }
  return {};
}

Status SettleIntents(IndexWriter& index, int root_fd, const std::vector<Intent>& leftover) {
  std::map<std::pair<std::string, std::string>, std::vector<const Intent*>> by_key;
  for (const Intent& intent : leftover) by_key[{intent.bucket, intent.key}].push_back(&intent);
  std::vector<Intent> truths;
  for (const auto& [place, intents] : by_key) {
    const auto& [bucket, key] = place;
    if (!IsValidBucketName(bucket) || !ValidateKey(key).ok()) {
      return Error(ErrorCode::kCorrupt, "the object index holds an intent for no possible key");
    }
    const std::string path = FileReader::PathOf(bucket, key);
    Result<std::optional<IndexRow>> row = RowOfFile(root_fd, path, intents);
    if (!row.ok()) return row.error();
    // The end may have come between the rename and the directory's fsync, after which the intents would have gone.
    Result<Directory> directory = OpenDirectory(root_fd, path.substr(0, path.rfind('/')));
    const int fd = directory.ok() ? dirfd(directory->get()) : -1;
    if (fd >= 0 && fsync(fd) != 0) return ErrnoError("fsync of the directory of " + path, errno);
    for (const Intent* intent : intents) truths.push_back({intent->id, bucket, key, *row});
  }
  Log(LogLevel::kInfo, "object writes cut off by the last end settled", {{"count", std::to_string(leftover.size())}});
  return index.Settle(truths);
}

}  // namespace

Result<std::vector<std::string>> ListBucketNames(int root_fd) {
  Result<Directory> stream = OpenDirectory(root_fd, ".");
  if (!stream.ok()) return stream.error();
  std::vector<std::string> out;
  while (const dirent* entry = readdir(stream->get())) {
    std::string name = entry->d_name;
    if (!IsValidBucketName(name)) continue;
    struct stat stat;
    if (fstatat(root_fd, name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(stat.st_mode)) continue;
    out.push_back(std::move(name));
  }
  std::ranges::sort(out);
  return out;
}

Status MakeIndexTrue(IndexWriter& index, int root_fd) {
  Result<bool> complete = index.IsComplete();
  if (!complete.ok()) return complete.error();
  if (*complete) {
    Result<std::vector<Intent>> leftover = index.LeftoverIntents();
    if (!leftover.ok()) return leftover.error();
    return leftover->empty() ? Status() : SettleIntents(index, root_fd, *leftover);
  }
  Result<std::vector<std::string>> buckets = ListBucketNames(root_fd);
  if (!buckets.ok()) return buckets.error();
  if (!buckets->empty()) Log(LogLevel::kInfo, "object index is made from the files");
  return index.Rebuild([&](const AddRow& add) -> Status {
    for (const std::string& bucket : *buckets) {
      const Status walked = WalkBucket(root_fd, bucket, add);
      if (!walked.ok()) return walked;
    }
    return {};
  });
}

}  // namespace argosy::objectstore
