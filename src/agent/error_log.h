// Failed requests as lines of an endpoint's log, so many a second that they cannot fill it. On the loop's thread.
#pragma once

#include <string_view>

#include "agent/log_spool.h"
#include "base/clock.h"

namespace argosy::agent {

inline constexpr int kErrorLinesPerSecond = 10;
inline constexpr size_t kErrorLineBytesMax = 1000;

class ErrorLog {
 public:
  explicit ErrorLog(LogSpool& log) : log_(log) {}

  void Add(int status, std::string_view message, Duration now);

 private:
  LogSpool& log_;
  Duration second_{};
  int lines_ = 0;
  uint64_t unlogged_ = 0;
};

}  // namespace argosy::agent
