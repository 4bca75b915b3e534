#include "agent/error_log.h"

#include <fmt/format.h>

#include <utility>

namespace argosy::agent {

void ErrorLog::Add(int status, std::string_view message, Duration now) {
  const Duration second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != second_) {
    second_ = second;
    lines_ = 0;
  }
  if (lines_ >= kErrorLinesPerSecond) {
    ++unlogged_;
    return;
  }
  ++lines_;
  std::string line = fmt::format("request failed with {}: {}", status, message.substr(0, kErrorLineBytesMax));
  if (unlogged_ > 0) line += fmt::format(" ({} more were not logged)", std::exchange(unlogged_, 0));
  log_.Append(line);
}

}  // namespace argosy::agent
