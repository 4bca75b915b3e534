// The terminal as the verbs use it: its width, a line that is written over, errors, Ctrl-C.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/result.h"

namespace argosy::main {

enum class Stream { kOut, kError };

bool IsTerminal(Stream stream);
// Columns of the terminal behind standard output; 0 when it is none (no limit then), COLUMNS when set.
size_t OutputWidth();

void Print(std::string_view text);  // to standard output
void Note(std::string_view line);   // a line to standard error
void PrintJson(const Json& json);   // indented, to standard output

// "argosy: <message>" to standard error; gives the exit code that belongs to the error.
int Fail(const Error& error);
int FailWith(int exit_code, std::string_view message);

// One line on standard error that is written over and over; nothing at all when that is no terminal.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(std::string_view text);
  void Clear();
  bool visible() const { return terminal_; }

 private:
  bool terminal_;
  bool shown_ = false;
};

// From its construction Ctrl-C and SIGTERM do not end the program but end Sleep early and make interrupted() true. One
// at a time; on the main thread.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool interrupted();
  void Sleep(Duration duration) const;

 private:
  UniqueFd signals_;
  bool seen_ = false;
};

}  // namespace argosy::main
