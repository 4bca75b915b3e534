#include "observe/line_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace argosy::observe {
namespace {

// Reads begin small, since most calls want a few lines, and grow for those that want many.
constexpr size_t kFirstChunk = size_t{4} << 10;
constexpr size_t kChunk = size_t{64} << 10;

size_t NextChunk(size_t chunk) {
  return std::min(chunk * 4, kChunk);
}

// As much of [offset, offset + size) as the file has.
Result<std::string> ReadAt(int fd, uint64_t offset, size_t size) {
  std::string out(size, '\0');
  size_t got = 0;
  while (got < size) {
    const ssize_t n = pread(fd, out.data() + got, size - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading a log", errno);
    if (n == 0) break;
    got += static_cast<size_t>(n);
  }
  out.resize(got);
  return out;
}

// The offset behind the last newline before `position`; 0 when there is none.
Result<uint64_t> BehindNewlineBefore(int fd, uint64_t position) {
  size_t chunk = kFirstChunk;
  while (position > 0) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(chunk, position));
    const Result<std::string> bytes = ReadAt(fd, position - size, size);
    if (!bytes.ok()) return bytes.error();
    const size_t newline = bytes->rfind('\n');
    if (newline != std::string::npos) return position - size + newline + 1;
    position -= size;
    chunk = NextChunk(chunk);
  }
  return uint64_t{0};
}

}  // namespace

Result<bool> LineScanner::Fill() {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  if (chunk_ == 0) chunk_ = kFirstChunk;
  Result<std::string> bytes = ReadAt(fd_, position_ + buffer_.size(), chunk_);
  if (!bytes.ok()) return bytes.error();
  if (bytes->empty()) return false;
  chunk_ = NextChunk(chunk_);
  buffer_ += *bytes;
  return true;
}

Result<std::optional<Line>> LineScanner::Next() {
  while (true) {
    const size_t newline = buffer_.find('\n', begin_ + scanned_);
    if (newline != std::string::npos) {
      const size_t length = newline - begin_;
      Line line{std::string_view(buffer_).substr(begin_, length), position_, position_ + length + 1};
      begin_ = newline + 1;
      scanned_ = 0;
      position_ = line.end;
      return std::optional<Line>(line);
    }
    scanned_ = buffer_.size() - begin_;
    if (scanned_ > kLineShownMax) break;
    const Result<bool> more = Fill();
    if (!more.ok()) return more.error();
    if (!*more) return std::optional<Line>();
  }
  // Too long to be kept: the front is shown, the rest only looked through for its end.
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  uint64_t at = position_ + buffer_.size();
  while (true) {
    const Result<std::string> bytes = ReadAt(fd_, at, kChunk);
    if (!bytes.ok()) return bytes.error();
    if (bytes->empty()) return std::optional<Line>();
    const size_t newline = bytes->find('\n');
    if (newline == std::string::npos) {
      at += bytes->size();
      continue;
    }
    const uint64_t begin = std::exchange(position_, at + newline + 1);
    // The whole buffer is consumed; the text stays in it until the next call.
    begin_ = buffer_.size();
    scanned_ = 0;
    return std::optional<Line>(Line{std::string_view(buffer_).substr(0, kLineShownMax), begin, position_});
  }
}

Result<uint64_t> CompleteSize(int fd) {
  struct stat info{};
  if (fstat(fd, &info) != 0) return ErrnoError("looking at a log", errno);
  return BehindNewlineBefore(fd, static_cast<uint64_t>(info.st_size));
}

Result<uint64_t> LineStart(int fd, uint64_t position) {
  return BehindNewlineBefore(fd, position);
}

Result<uint64_t> LinesBefore(int fd, uint64_t position, size_t lines, size_t bytes_max) {
  const uint64_t from = position;
  uint64_t start = position;  // of the lines taken so far
  uint64_t at = position;     // down to here the file has been looked through
  size_t chunk = kFirstChunk;
  while (lines > 0 && at > 0) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(chunk, at));
    const Result<std::string> bytes = ReadAt(fd, at - size, size);
    if (!bytes.ok()) return bytes.error();
    if (bytes->size() < size) return Error(ErrorCode::kConflict, "a log became shorter while it was read");
    at -= size;
    chunk = NextChunk(chunk);
    // The newest newline ends the newest line not taken yet; the one before it is behind where that line begins.
    for (size_t newline = bytes->rfind('\n'); newline != std::string::npos && lines > 0;
         newline = newline == 0 ? std::string::npos : bytes->rfind('\n', newline - 1)) {
      const uint64_t candidate = at + newline + 1;
      if (candidate >= start) continue;
      if (start != from && from - candidate > bytes_max) return start;
      start = candidate;
      --lines;
    }
  }
  if (lines > 0 && at == 0 && start > 0) {
    if (start == from || from <= bytes_max) start = 0;
  }
  return start;
}

}  // namespace argosy::observe
