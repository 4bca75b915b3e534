// Reading a file of lines from any offset, forward and back, in bounded memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace argosy::observe {

// What is shown of one line; the rest is skipped. Agents write lines of at most half a megabyte.
inline constexpr size_t kLineShownMax = size_t{1} << 20;

struct Line {
  std::string_view text;  // without its newline; good until the next call
  uint64_t begin = 0;
  uint64_t end = 0;  // behind its newline
};

// Reads lines forward from an offset that is the start of one. What follows the last newline is not there yet.
class LineScanner {
 public:
  // `fd` stays the caller's.
  LineScanner(int fd, uint64_t position) : fd_(fd), position_(position) {}

  // Nothing at the end.
  Result<std::optional<Line>> Next();

 private:
  Result<bool> Fill();  // false at the end of the file

  int fd_;
  uint64_t position_;  // of buffer_[begin_]
  std::string buffer_;
  size_t begin_ = 0;    // in buffer_: the next line
  size_t scanned_ = 0;  // from begin_: known to hold no newline
  size_t chunk_ = 0;    // the next read; 0 = none yet
};

// The size up to and including the last newline.
Result<uint64_t> CompleteSize(int fd);

// The start of the line that holds the byte at `position` (which may be the size: then the start of what follows the
// last newline).
Result<uint64_t> LineStart(int fd, uint64_t position);

// The start of the line that is `lines` lines before `position` (the start of a line), or fewer when these take more
// than `bytes_max` bytes; at least one, unless `position` is 0.
Result<uint64_t> LinesBefore(int fd, uint64_t position, size_t lines, size_t bytes_max);

}  // namespace argosy::observe
