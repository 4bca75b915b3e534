#include "agent/log_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace argosy::agent {
namespace {

// In the place of what `line` held: its room is kept.
void FormatLine(int64_t nanos, std::string_view message, std::string& line) {
  char digits[24];
  line.assign(digits, std::to_chars(digits, digits + sizeof digits, nanos).ptr);
  line.push_back(' ');
  for (const char c : message) {
    switch (c) {
      case '\n':
        line.append("\\n");
        break;
      case '\\':
        line.append("\\\\");
        break;
      default:
        line.push_back(c);
    }
  }
  line.push_back('\n');
}

}  // namespace

Result<std::unique_ptr<LogSpool>> LogSpool::Open(const std::filesystem::path& path, const Clock* clock) {
  Result<UniqueFd> fd = OpenFile(path, O_RDWR | O_CREAT | O_APPEND, 0600);
  if (!fd.ok()) return fd.error();
  const off_t size = lseek(fd->get(), 0, SEEK_END);
  if (size < 0) return ErrnoError("measuring " + path.string(), errno);
  std::unique_ptr<LogSpool> spool(new LogSpool(std::move(*fd), clock));
  spool->size_ = static_cast<uint64_t>(size);
  return spool;
}

void LogSpool::Append(std::string_view message) {
  {
    std::lock_guard lock(mutex_);
    if (dropped_ > 0 && room_ == Room::kLeft) {
      const uint64_t lost = std::exchange(dropped_, 0);
      AppendLine("[argosy] " + std::to_string(lost) + " log lines were lost: the log could not be written");
      if (dropped_ > 0) dropped_ = lost;  // still no room
    }
    do {
      // Half of the bound, since escaping may double a byte.
      AppendLine(message.substr(0, kLogLineBytesMax / 2));
      message.remove_prefix(std::min(message.size(), kLogLineBytesMax / 2));
    } while (!message.empty());
  }
  if (listener_ && !told_.exchange(true)) listener_();
}

void LogSpool::AppendLine(std::string_view message) {
  last_nanos_ = std::max(last_nanos_, ToUnixNanos(clock_->Now()));
  FormatLine(last_nanos_, message, line_);
  if (size_.load(std::memory_order_relaxed) + line_.size() > kSpoolBytesMax - kSpoolNoticeBytes) {
    if (room_ == Room::kLeft) room_ = Room::kNone;
  }
  if (room_ == Room::kLeft) {
    if (!WriteFormatted()) ++dropped_;
    return;
  }
  if (room_ == Room::kNoneAsTold) return;
  FormatLine(last_nanos_,
             "[argosy] log lines were lost: the log has reached its " + std::to_string(kSpoolBytesMax >> 20) +
                 " MiB, and nothing that follows is kept",
             line_);
  const bool fits = size_.load(std::memory_order_relaxed) + line_.size() <= kSpoolBytesMax;
  if (!fits || WriteFormatted()) room_ = Room::kNoneAsTold;  // it does not fit where another agent told it already
}

bool LogSpool::WriteFormatted() {
  const uint64_t size = size_.load(std::memory_order_relaxed);
  size_t written = 0;
  while (written < line_.size()) {
    const ssize_t n = write(fd_.get(), line_.data() + written, line_.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += static_cast<size_t>(n);
  }
  if (written < line_.size()) {
    // A torn line would be read as part of the next one: take it back.
    if (written > 0) (void)!ftruncate(fd_.get(), static_cast<off_t>(size));
    return false;
  }
  size_.store(size + line_.size(), std::memory_order_release);
  return true;
}

void LogSpool::AppendAtTheEnd(std::string_view message) const {
  std::string line;
  FormatLine(ToUnixNanos(clock_->Now()), message.substr(0, kLogLineBytesMax / 2), line);
  (void)WriteAll(fd_.get(), line);
}

Result<std::string> LogSpool::ReadLines(uint64_t offset, size_t bytes_max) const {
  const uint64_t end = size();
  if (offset >= end) return std::string();
  const uint64_t wanted = std::max<uint64_t>(bytes_max, kLogLineBytesMax + 64);
  return ReadSpoolLines(fd_.get(), offset, static_cast<size_t>(std::min(wanted, end - offset)));
}

Result<std::string> ReadSpoolLines(int fd, uint64_t offset, size_t bytes_max) {
  std::string out(bytes_max, '\0');
  size_t got = 0;
  while (got < out.size()) {
    const ssize_t n = pread(fd, out.data() + got, out.size() - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading the log", errno);
    if (n == 0) break;
    got += static_cast<size_t>(n);
  }
  const size_t end = std::string_view(out).substr(0, got).rfind('\n');
  out.resize(end == std::string_view::npos ? 0 : end + 1);
  return out;
}

}  // namespace argosy::agent
