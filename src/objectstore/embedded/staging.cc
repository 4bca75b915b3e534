#include "objectstore/embedded/staging.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace argosy::objectstore {
namespace {

// Writeback of a large file is started while it still arrives, so that the fsync at its end has little left to do.
constexpr uint64_t kWritebackBytes = 8 << 20;
constexpr size_t kCopyPiece = 1 << 20;
constexpr size_t kCopyRangeMax = 1 << 30;  // what one copy_file_range is asked for

}  // namespace

StagedFile::~StagedFile() {
  unlinkat(staging_fd_, name_.c_str(), 0);
}

void StagedFile::StartWriteback() {
  if (size_ - flushed_ < kWritebackBytes) return;
  sync_file_range(file_.get(), static_cast<off64_t>(flushed_), static_cast<off64_t>(size_ - flushed_),
                  SYNC_FILE_RANGE_WRITE);
  flushed_ = size_;
}

Status StagedFile::Append(std::string_view piece) {
  const Status written = WriteAll(file_.get(), piece);
  if (!written.ok()) return written.error().Wrap("writing an object");
  md5_.Update(piece);
  size_ += piece.size();
  StartWriteback();
  return {};
}

Status StagedFile::AppendFile(int source_fd, uint64_t size) {
  uint64_t copied = 0;
  while (copied < size) {
    auto from = static_cast<off64_t>(copied);
    const ssize_t n =
        copy_file_range(source_fd, &from, file_.get(), nullptr, std::min<uint64_t>(size - copied, kCopyRangeMax), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO)) return ErrnoError("copying an object", errno);
    if (n <= 0) break;  // not between these file systems
    copied += static_cast<uint64_t>(n);
    size_ += static_cast<uint64_t>(n);
    StartWriteback();
  }
  std::vector<char> buffer(copied < size ? kCopyPiece : 0);
  while (copied < size) {
    const ssize_t n =
        pread(source_fd, buffer.data(), std::min<uint64_t>(buffer.size(), size - copied), static_cast<off_t>(copied));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading an object", errno);
    if (n == 0) return Error(ErrorCode::kCorrupt, "a file became shorter while it was copied");
    const Status written = WriteAll(file_.get(), std::string_view(buffer.data(), static_cast<size_t>(n)));
    if (!written.ok()) return written.error().Wrap("copying an object");
    copied += static_cast<uint64_t>(n);
    size_ += static_cast<uint64_t>(n);
    StartWriteback();
  }
  return {};
}

Result<FileIdentity> StagedFile::Seal(Time now, const Record& record) {
  const auto nanos = now.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(nanos);
  const timespec at{.tv_sec = seconds.count(), .tv_nsec = (nanos - seconds).count()};
  const timespec times[2] = {at, at};
  if (futimens(file_.get(), times) != 0) return ErrnoError("setting an object's time", errno);
  struct stat stat;
  if (fstat(file_.get(), &stat) != 0) return ErrnoError("looking at an object", errno);
  const FileIdentity identity = IdentityOf(stat);
  const Result<XattrKept> kept = WriteRecordXattr(file_.get(), identity, record);
  if (!kept.ok()) return kept.error();
  return identity;
}

Result<std::unique_ptr<StagingArea>> StagingArea::Open(const std::filesystem::path& dir) {
  const Status swept = RemoveTree(dir);
  if (!swept.ok()) return swept.error();
  const Status made = MakeDirectories(dir);
  if (!made.ok()) return made.error();
  Result<UniqueFd> fd = OpenFile(dir, O_RDONLY | O_DIRECTORY);
  if (!fd.ok()) return fd.error();
  return std::unique_ptr<StagingArea>(new StagingArea(dir, std::move(*fd)));
}

Result<std::unique_ptr<StagedFile>> StagingArea::NewFile() {
  std::string name = NewName();
  UniqueFd file(openat(fd_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.valid()) return ErrnoError("making a staging file", errno);
  return std::make_unique<StagedFile>(fd_.get(), std::move(name), std::move(file));
}

Result<std::unique_ptr<StagedFile>> StagingArea::NewLink(const std::filesystem::path& source) {
  std::string name = NewName();
  if (linkat(AT_FDCWD, source.c_str(), fd_.get(), name.c_str(), 0) != 0) {
    return ErrnoError("linking " + source.string(), errno);
  }
  UniqueFd file(openat(fd_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  const int error = errno;
  auto staged = std::make_unique<StagedFile>(fd_.get(), std::move(name), std::move(file));
  if (staged->fd() < 0) return ErrnoError("opening " + source.string(), error);
  return staged;
}

Status SyncWhole(int fd, std::string_view what) {
  if (fsync(fd) != 0) return ErrnoError("fsync of " + std::string(what), errno);
  return {};
}

}  // namespace argosy::objectstore
