#include "main/terminal.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/files.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

// The signals stay blocked and lie in a descriptor, so that no code runs in a handler.
sigset_t InterruptSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

bool IsTerminal(Stream stream) {
  return isatty(stream == Stream::kOut ? STDOUT_FILENO : STDERR_FILENO) != 0;
}

size_t OutputWidth() {
  if (const char* columns = std::getenv("COLUMNS")) {
    if (const auto n = ParseInt(columns); n && *n > 0 && *n < 10000) return static_cast<size_t>(*n);
  }
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 0;
}

void Print(std::string_view text) {
  (void)WriteAll(STDOUT_FILENO, text);
}

void Note(std::string_view line) {
  (void)WriteAll(STDERR_FILENO, std::string(line) + "\n");
}

void PrintJson(const Json& json) {
  Print(DumpJsonPretty(json) + "\n");
}

int FailWith(int exit_code, std::string_view message) {
  Note("argosy: " + std::string(message));
  return exit_code;
}

int Fail(const Error& error) {
  return FailWith(error.code() == ErrorCode::kUnavailable ? kExitNoServer : kExitFailed, error.message());
}

ProgressLine::ProgressLine() : terminal_(IsTerminal(Stream::kError)) {}
ProgressLine::~ProgressLine() {
  Clear();
}

void ProgressLine::Show(std::string_view text) {
  if (!terminal_) return;
  winsize size{};
  const size_t width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79u;
  size_t end = 0;
  for (size_t cells = 0; end < text.size(); ++end) {
    if ((static_cast<unsigned char>(text[end]) & 0xc0) != 0x80 && cells++ == width) break;
  }
  (void)WriteAll(STDERR_FILENO, "\r\x1b[K" + std::string(text.substr(0, end)));
  shown_ = true;
}

void ProgressLine::Clear() {
  if (shown_) (void)WriteAll(STDERR_FILENO, "\r\x1b[K");
  shown_ = false;
}

InterruptGuard::InterruptGuard() {
  const sigset_t set = InterruptSet();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

InterruptGuard::~InterruptGuard() {
  const sigset_t set = InterruptSet();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool InterruptGuard::interrupted() {
  signalfd_siginfo info;
  if (read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) seen_ = true;
  return seen_;
}

void InterruptGuard::Sleep(Duration duration) const {
  pollfd fd{signals_.get(), POLLIN, 0};
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  (void)poll(&fd, 1, static_cast<int>(millis));
}

}  // namespace argosy::main
