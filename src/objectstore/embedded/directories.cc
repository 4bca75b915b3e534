#include "objectstore/embedded/directories.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <mutex>
#include <vector>

#include "objectstore/object_store.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kDurableMax = 65'536;  // paths remembered (some MB); past it all are forgotten and synced once more
constexpr int kDepthMax = 2 * static_cast<int>(kKeyBytesMax);  // a key of slashes is the deepest path

std::string ParentOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? std::string_view() : path.substr(0, slash));
}

}  // namespace

Status Directories::Sync(std::string_view directory) const {
  UniqueFd fd(openat(root_.get(), directory.empty() ? "." : std::string(directory).c_str(),
                     O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError("opening the directory " + std::string(directory), errno);
  if (fsync(fd.get()) != 0) return ErrnoError("fsync of the directory " + std::string(directory), errno);
  return {};
}

Status Directories::SyncRemoval(std::string_view directory) const {
  for (std::string at(directory);; at = ParentOf(at)) {
    const Status synced = Sync(at);
    if (synced.ok() || at.empty() || synced.error().code() != ErrorCode::kNotFound) return synced;
  }
}

Status Directories::EnsureParents(std::string_view path) {
  const std::string parent = ParentOf(path);
  const size_t bucket_end = path.find('/');
  if (parent.size() <= bucket_end) return {};  // straight in the bucket, which CreateBucket made
  {
    const std::shared_lock lock(mutex_);
    if (durable_.contains(parent)) return {};
  }
  const std::unique_lock lock(mutex_);
  if (durable_.size() > kDurableMax) durable_.clear();
  for (size_t at = parent.find('/', bucket_end + 1);; at = parent.find('/', at + 1)) {
    const std::string directory = parent.substr(0, at);
    if (!durable_.contains(directory)) {
      if (mkdirat(root_.get(), directory.c_str(), 0755) != 0 && errno != EEXIST) {
        return ErrnoError("making the directory " + directory, errno);
      }
      // Also when it was there already: who made it may have died before its fsync.
      const Status synced = Sync(ParentOf(directory));
      if (!synced.ok()) return synced;
      durable_.insert(directory);
    }
    if (at == std::string::npos) return {};
  }
}

void Directories::PruneParents(std::string_view path) {
  const std::unique_lock lock(mutex_);
  for (std::string directory = ParentOf(path); directory.find('/') != std::string::npos;
       directory = ParentOf(directory)) {
    if (unlinkat(root_.get(), directory.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return;
    durable_.erase(directory);
  }
}

Status Directories::RemoveEmptyTree(int parent_fd, const std::string& name, int depth) const {
  if (unlinkat(parent_fd, name.c_str(), AT_REMOVEDIR) == 0) return {};
  if (errno == ENOENT) return {};
  if (errno == ENOTDIR) return Error(ErrorCode::kConflict, "the bucket is not empty");
  if (errno != ENOTEMPTY && errno != EEXIST) return ErrnoError("removing the directory " + name, errno);
  Check(depth < kDepthMax, "a bucket's directories are deeper than any key");
  const int fd = openat(parent_fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return ErrnoError("opening the directory " + name, errno);
  struct CloseDirectory {
    void operator()(DIR* stream) const { closedir(stream); }
  };
  const std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(fd));
  if (stream == nullptr) {
    close(fd);
    return ErrnoError("reading the directory " + name, errno);
  }
  while (const dirent* entry = readdir(stream.get())) {
    const std::string child = entry->d_name;
    if (child == "." || child == "..") continue;
    if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) {
      return Error(ErrorCode::kConflict, "the bucket is not empty");
    }
    const Status removed = RemoveEmptyTree(dirfd(stream.get()), child, depth + 1);
    if (!removed.ok()) return removed;
  }
  if (unlinkat(parent_fd, name.c_str(), AT_REMOVEDIR) != 0) return ErrnoError("removing the directory " + name, errno);
  return {};
}

Status Directories::RemoveEmptyBucket(std::string_view bucket) {
  const std::unique_lock lock(mutex_);
  durable_.clear();
  const Status removed = RemoveEmptyTree(root_.get(), std::string(bucket), 0);
  if (!removed.ok()) return removed;
  return Sync("");
}

}  // namespace argosy::objectstore
