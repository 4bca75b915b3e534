// Files as a store needs them: owned descriptors, writes that survive a power cut, locks that die with their process.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace argosy {

// Owns a descriptor. -1 is none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Opens with O_CLOEXEC added. `mode` counts when O_CREAT is among `flags`.
Result<UniqueFd> OpenFile(const std::filesystem::path& path, int flags, int mode = 0644);

// Writes all of `bytes`, whatever write(2) takes at a time.
Status WriteAll(int fd, std::string_view bytes);

// The whole file; kInvalidArgument when it is larger than `size_max` bytes.
Result<std::string> ReadFile(const std::filesystem::path& path, size_t size_max);

// The file holds either its old content or all of the new, also after a power cut: written aside, fsynced, renamed, the
// directory fsynced.
Status WriteFileDurably(const std::filesystem::path& path, std::string_view bytes, int mode = 0644);

// As above but without the fsyncs: atomic for readers, not for a power cut.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes, int mode = 0644);

Status SyncFile(int fd);
Status SyncDirectory(const std::filesystem::path& path);
Status MakeDirectories(const std::filesystem::path& path);
// Removes the file or tree; not being there is fine. Never follows a link out of the tree.
Status RemoveTree(const std::filesystem::path& path);

// An exclusive flock on `path` (made when absent), held until the object or the process ends. Nothing when another
// process holds it. The descriptor is not inherited by programs started.
Result<std::optional<UniqueFd>> TryLockFile(const std::filesystem::path& path);

// Whether a process has the file open; true as well when nobody but another user may know.
bool HasOpen(pid_t pid, const std::filesystem::path& path);

}  // namespace argosy
