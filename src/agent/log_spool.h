// The agent's log on its own disk: lines are here first, and go from here to the server's log store.
//
// Format (docs/formats/log_store.md): "<unix nanos> <message>\n", in the message \n and \\ are escaped. Append is
// thread-safe; the listener is told on the appending thread, once until Taken() is called.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"

namespace argosy::agent {

inline constexpr size_t kLogLineBytesMax = 250'000;     // what CloudWatch Logs takes as one event is a little more
inline constexpr uint64_t kSpoolBytesMax = 1ULL << 30;  // one instance's log may not fill the disk
inline constexpr uint64_t kSpoolNoticeBytes = 256;      // of those, kept for the line that says it is full

class LogSpool {
 public:
  static Result<std::unique_ptr<LogSpool>> Open(const std::filesystem::path& path, const Clock* clock);

  // Longer lines are cut into several. What cannot be written (disk full) is dropped and counted; the next line that
  // fits says how many were lost. At kSpoolBytesMax a last line says so, and all that follows is dropped.
  void Append(std::string_view message);

  // For a thread that ends the process and may be in the middle of Append: one line, past all that Append keeps.
  void AppendAtTheEnd(std::string_view message) const;

  uint64_t size() const { return size_.load(std::memory_order_acquire); }

  // Whole lines from `offset` (the start of a line), at most `bytes_max` bytes but at least one line; "" at the end.
  Result<std::string> ReadLines(uint64_t offset, size_t bytes_max) const;

  void SetListener(std::function<void()> listener) { listener_ = std::move(listener); }
  void Taken() { told_.store(false); }

 private:
  LogSpool(UniqueFd fd, const Clock* clock) : fd_(std::move(fd)), clock_(clock) {}
  void AppendLine(std::string_view message);
  // Appends line_ or, where that fails, nothing.
  bool WriteFormatted();

  const UniqueFd fd_;
  const Clock* const clock_;
  std::mutex mutex_;
  std::string line_;                                                  // guarded by mutex_; kept for its room
  uint64_t dropped_ = 0;                                              // guarded by mutex_
  enum class Room { kLeft, kNone, kNoneAsTold } room_ = Room::kLeft;  // guarded by mutex_
  int64_t last_nanos_ = 0;  // guarded by mutex_; times of a stream do not go back
  std::atomic<uint64_t> size_{0};
  std::atomic<bool> told_{false};
  std::function<void()> listener_;
};

// Whole lines of a spool file that nobody writes any more, from `offset`; what a dying writer left of a last line is
// not among them.
Result<std::string> ReadSpoolLines(int fd, uint64_t offset, size_t bytes_max);

}  // namespace argosy::agent
