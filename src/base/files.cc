#include "base/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>

namespace argosy {
namespace {

std::filesystem::path AsideName(const std::filesystem::path& path) {
  static std::atomic<uint64_t> counter{0};
  return path.parent_path() /
         ("." + path.filename().string() + "." + std::to_string(getpid()) + "." + std::to_string(counter++) + ".tmp");
}

enum class Durability { kAtomic, kDurable };

Status WriteAside(const std::filesystem::path& path, std::string_view bytes, int mode, Durability durability) {
  const std::filesystem::path aside = AsideName(path);
  Result<UniqueFd> fd = OpenFile(aside, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (!fd.ok()) return fd.error();
  Status done = WriteAll(fd->get(), bytes);
  if (done.ok() && durability == Durability::kDurable) done = SyncFile(fd->get());
  if (done.ok() && rename(aside.c_str(), path.c_str()) != 0) done = ErrnoError("renaming to " + path.string(), errno);
  if (!done.ok()) {
    unlink(aside.c_str());
    return done.error().Wrap("writing " + path.string());
  }
  if (durability == Durability::kAtomic) return {};
  return SyncDirectory(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

}  // namespace

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

Result<UniqueFd> OpenFile(const std::filesystem::path& path, int flags, int mode) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return ErrnoError("opening " + path.string(), errno);
  return UniqueFd(fd);
}

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoError("writing", errno);
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<std::string> ReadFile(const std::filesystem::path& path, size_t size_max) {
  Result<UniqueFd> fd = OpenFile(path, O_RDONLY);
  if (!fd.ok()) return fd.error();
  std::string out;
  char buffer[65536];
  for (;;) {
    const ssize_t n = read(fd->get(), buffer, sizeof buffer);
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoError("reading " + path.string(), errno);
    }
    if (n == 0) return out;
    if (out.size() + static_cast<size_t>(n) > size_max) {
      return Error(ErrorCode::kInvalidArgument,
                   path.string() + " is larger than the " + std::to_string(size_max) + " bytes allowed");
    }
    out.append(buffer, static_cast<size_t>(n));
  }
}

Status WriteFileDurably(const std::filesystem::path& path, std::string_view bytes, int mode) {
  return WriteAside(path, bytes, mode, Durability::kDurable);
}

Status WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes, int mode) {
  return WriteAside(path, bytes, mode, Durability::kAtomic);
}

Status SyncFile(int fd) {
  if (fdatasync(fd) != 0) return ErrnoError("fdatasync", errno);
  return {};
}

Status SyncDirectory(const std::filesystem::path& path) {
  Result<UniqueFd> fd = OpenFile(path, O_RDONLY | O_DIRECTORY);
  if (!fd.ok()) return fd.error();
  if (fsync(fd->get()) != 0) return ErrnoError("fsync of " + path.string(), errno);
  return {};
}

Status MakeDirectories(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return ErrnoError("making the directory " + path.string(), error.value());
  return {};
}

Status RemoveTree(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return ErrnoError("removing " + path.string(), error.value());
  return {};
}

Result<std::optional<UniqueFd>> TryLockFile(const std::filesystem::path& path) {
  Result<UniqueFd> fd = OpenFile(path, O_RDWR | O_CREAT, 0600);
  if (!fd.ok()) return fd.error();
  if (flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::optional<UniqueFd>();
    return ErrnoError("locking " + path.string(), errno);
  }
  return std::optional<UniqueFd>(std::move(*fd));
}

bool HasOpen(pid_t pid, const std::filesystem::path& path) {
  struct stat wanted{};
  if (stat(path.c_str(), &wanted) != 0) return false;
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/" + std::to_string(pid) + "/fd", error);
  if (error == std::errc::permission_denied) return true;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    struct stat open{};
    if (stat(entries->path().c_str(), &open) == 0 && open.st_dev == wanted.st_dev && open.st_ino == wanted.st_ino) {
      return true;
    }
  }
  return false;
}

}  // namespace argosy
