#include "agent/program/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace argosy::agent {
namespace {

constexpr size_t kOutputReadBytes = 16 * 1024;
constexpr size_t kOutputTurnBytes = 256 * 1024;  // before others get their turn
constexpr rlim_t kProgramFilesMax = 65'536;
constexpr int kPassedFd = 3;
constexpr std::string_view kSandboxRefused = "the sandbox";

// What the child tells when the program will never run; when it runs the pipe closes without a word.
struct Word {
  enum class Stage : int { kSandbox, kStart } stage;
  int error;
};
constexpr int kSignalled = 128;  // the sandbox's first process ends with this and the signal, as shells do

// All that the child needs, made before the fork: between fork and exec nothing may be allocated.
struct Prepared {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const char* file;
  const char* directory;
  int nothing, output, passed, words;
  const Sandbox* sandbox;
};

void Tell(int fd, Word::Stage stage, int error) {
  const Word word{stage, error};
  (void)!write(fd, &word, sizeof word);
}

[[noreturn]] void Execute(const Prepared& prepared) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (chdir(prepared.directory) == 0) {
    execve(prepared.file, prepared.arguments.data(), prepared.environment.data());
  }
  Tell(prepared.words, Word::Stage::kStart, errno);
  _exit(127);
}

// The first process of a sandbox: it takes up what the program's processes leave behind, and ends with the program,
// whereupon the kernel ends the rest.
[[noreturn]] void RunAsFirst(const Prepared& prepared) {
  prctl(PR_SET_NAME, "argosy-program", 0, 0, 0);
  const pid_t program = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0UL));
  if (program == 0) Execute(prepared);
  if (program < 0) {
    Tell(prepared.words, Word::Stage::kStart, errno);
    _exit(127);
  }
  // Output, and the word that it runs, are the program's alone to end.
  close_range(0, ~0U, 0);
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended == program) _exit(WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status));
    if (ended < 0 && errno != EINTR) _exit(127);
  }
}

[[noreturn]] void RunChild(const Prepared& prepared, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // In a process-id namespace of its own the parent is 0.
  if (prepared.sandbox == nullptr && getppid() != parent) _exit(127);
  setsid();
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) {
    if (signal_number != SIGKILL && signal_number != SIGSTOP) signal(signal_number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(prepared.nothing, STDIN_FILENO);
  dup2(prepared.output, STDOUT_FILENO);
  dup2(prepared.output, STDERR_FILENO);
  if (prepared.passed >= 0) dup2(prepared.passed, kPassedFd);
  close_range(kPassedFd + (prepared.passed >= 0 ? 1 : 0), ~0U, CLOSE_RANGE_CLOEXEC);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = std::min({files.rlim_cur, files.rlim_max, kProgramFilesMax});
    files.rlim_max = files.rlim_cur;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (prepared.sandbox == nullptr) Execute(prepared);
  if (const int error = prepared.sandbox->Enter(); error != 0) {
    Tell(prepared.words, Word::Stage::kSandbox, error);
    _exit(127);
  }
  RunAsFirst(prepared);
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::string HowItEnded(const siginfo_t& info, bool sandboxed) {
  int signal_number = info.si_code == CLD_EXITED ? 0 : info.si_status;
  if (sandboxed && info.si_code == CLD_EXITED && info.si_status > kSignalled) {
    signal_number = info.si_status - kSignalled;
  }
  if (signal_number == 0) return fmt::format("ended with exit code {}", info.si_status);
  return fmt::format("was killed by signal {}", signal_number);
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::Start(EventLoop& loop, const ChildCommand& command,
                                                          Listener listener) {
  Check(!command.arguments.empty(), "a command without a program");
  const auto pipe_pair = [](int flags, UniqueFd& read_end, UniqueFd& write_end) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | flags) != 0) return false;
    read_end = UniqueFd(fds[0]);
    // Above what the child's standard streams and the passed descriptor become.
    write_end = UniqueFd(fcntl(fds[1], F_DUPFD_CLOEXEC, kPassedFd + 1));
    close(fds[1]);
    return write_end.valid();
  };
  UniqueFd output, output_end, words, words_end;
  if (!pipe_pair(0, output, output_end) || !pipe_pair(0, words, words_end)) return ErrnoError("making a pipe", errno);
  const Result<UniqueFd> opened = OpenFile("/dev/null", O_RDONLY);
  if (!opened.ok()) return opened.error();
  const UniqueFd nothing(fcntl(opened->get(), F_DUPFD_CLOEXEC, kPassedFd + 1));
  const UniqueFd passed(command.passed_fd < 0 ? -1 : fcntl(command.passed_fd, F_DUPFD_CLOEXEC, kPassedFd + 1));
  if (!nothing.valid()) return ErrnoError("descriptors for a program", errno);

  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = command.environment;
  const Prepared prepared{Pointers(arguments),
                          Pointers(environment),
                          command.arguments.front().c_str(),
                          command.directory.c_str(),
                          nothing.get(),
                          output_end.get(),
                          passed.get(),
                          words_end.get(),
                          command.sandbox};
  const pid_t parent = getpid();
  const pid_t pid = command.sandbox != nullptr ? Sandbox::Fork() : fork();
  if (pid == 0) RunChild(prepared, parent);
  if (pid < 0) {
    return command.sandbox != nullptr
               ? Error(ErrorCode::kPermissionDenied, ErrnoError(kSandboxRefused, errno).message())
               : ErrnoError("starting " + command.arguments.front(), errno);
  }
  std::unique_ptr<ChildProcess> process(new ChildProcess(loop, std::move(listener)));
  process->pid_ = pid;
  output_end.reset();
  words_end.reset();
  process->sandboxed_ = command.sandbox != nullptr;
  Word word{};
  ssize_t n = 0;
  do n = read(words.get(), &word, sizeof word);
  while (n < 0 && errno == EINTR);
  if (n != 0) {
    Error why = n == sizeof word ? ErrnoError("running " + command.arguments.front(), word.error)
                                 : Error(ErrorCode::kInternal, "a program's process could not be started");
    if (n == sizeof word && word.stage == Word::Stage::kSandbox) {
      why = Error(ErrorCode::kPermissionDenied, ErrnoError(kSandboxRefused, word.error).message());
    }
    return why;  // the process is reaped where it is destroyed
  }
  if (Status watched = process->Watch(std::move(output)); !watched.ok()) return watched.error();
  return process;
}

bool SandboxRefused(const Error& error) {
  return error.code() == ErrorCode::kPermissionDenied && error.message().starts_with(kSandboxRefused);
}

Status ChildProcess::Watch(UniqueFd output) {
  UniqueFd end(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!end.valid()) return ErrnoError("watching a program", errno);
  if (fcntl(output.get(), F_SETFL, O_NONBLOCK) != 0) return ErrnoError("reading a program's output", errno);
  output_watch_ = std::make_unique<Watched>(std::move(output), [this] { ReadOutput(); });
  end_watch_ = std::make_unique<Watched>(std::move(end), [this] { OnEnd(); });
  if (Status s = loop_.Watch(output_watch_->fd.get(), EPOLLIN, output_watch_.get()); !s.ok()) return s;
  output_watched_ = true;
  return loop_.Watch(end_watch_->fd.get(), EPOLLIN, end_watch_.get());
}

ChildProcess::~ChildProcess() {
  StopReading();
  if (end_watch_) loop_.Unwatch(end_watch_->fd.get());
  if (ended_) return;
  Signal(SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::Signal(int signal_number) {
  if (ended_) return;
  if (kill(-pid_, signal_number) != 0) kill(pid_, signal_number);  // it may not lead its group yet
}

void ChildProcess::StopReading() {
  if (output_watched_) loop_.Unwatch(output_watch_->fd.get());
  output_watched_ = false;
}

void ChildProcess::ReadOutput() {
  char buffer[kOutputReadBytes];
  for (size_t turn = 0; turn < kOutputTurnBytes;) {
    const ssize_t n = read(output_watch_->fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return StopReading();
    turn += static_cast<size_t>(n);
    output_.append(buffer, static_cast<size_t>(n));
    TellLines();
  }
}

void ChildProcess::TellLines() {
  size_t at = 0;
  for (;;) {
    const size_t end = output_.find('\n', at);
    if (end == std::string::npos) break;
    listener_.on_line(std::string_view(output_).substr(at, end - at));
    at = end + 1;
  }
  output_.erase(0, at);
  if (output_.size() < kOutputLineBytesMax) return;
  listener_.on_line(output_);
  output_.clear();
}

void ChildProcess::OnEnd() {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return;
  if (!sandboxed_) kill(-pid_, SIGKILL);  // what it started goes with it
  ended_ = true;
  loop_.Unwatch(end_watch_->fd.get());
  end_watch_.reset();
  if (output_watched_) ReadOutput();
  StopReading();
  if (!output_.empty()) listener_.on_line(std::exchange(output_, {}));
  const auto told = listener_.on_end;  // may destroy this
  told(HowItEnded(info, sandboxed_));
}

}  // namespace argosy::agent
