#include "agent/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace argosy::agent {
namespace {

// Sanitizers reserve address space that counts against the limit.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr bool kCanLimitMemory = false;
#else
constexpr bool kCanLimitMemory = true;
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCanLimitMemory = false;
#else
constexpr bool kCanLimitMemory = true;
#endif

// std::set_new_handler takes a plain function, which has to find its work somewhere.
std::function<void()>& ExhaustedHandler() {
  static std::function<void()> handler;
  return handler;
}

void SetSoftDataLimit(rlim_t bytes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : std::min(bytes, limit.rlim_max);
  setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace

Result<UniqueFd> BecomeAgent(const InstanceDirectory& directory) {
  (void)setsid();  // fails when it leads a session already: fine
  if (close_range(3, ~0U, 0) != 0) return ErrnoError("closing what was inherited", errno);
  const Result<UniqueFd> nothing = OpenFile("/dev/null", O_RDWR);
  if (!nothing.ok()) return nothing.error();
  const Result<UniqueFd> log = OpenFile(directory.process_log(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (!log.ok()) return log.error();
  if (dup2(nothing->get(), STDIN_FILENO) < 0 || dup2(log->get(), STDOUT_FILENO) < 0 ||
      dup2(log->get(), STDERR_FILENO) < 0) {
    return ErrnoError("redirecting the standard streams", errno);
  }
  prctl(PR_SET_NAME, "argosy-agent");
  for (const int ignored : {SIGINT, SIGHUP, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU}) signal(ignored, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return ErrnoError("blocking SIGTERM", errno);
  UniqueFd term(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!term.valid()) return ErrnoError("signalfd", errno);

  if (const Result<UniqueFd> score = OpenFile("/proc/self/oom_score_adj", O_WRONLY); score.ok()) {
    (void)WriteAll(score->get(), "500");  // rather an agent, which can be started again, than the server
  }
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  return term;
}

bool LimitMemory(uint64_t bytes, std::function<void()> on_exhausted) {
  if (!kCanLimitMemory || bytes == 0) return false;
  ExhaustedHandler() = std::move(on_exhausted);
  std::set_new_handler([] {
    static std::atomic_flag ending = ATOMIC_FLAG_INIT;
    static thread_local bool is_ending = false;
    if (is_ending) std::abort();  // not even with the limit lifted
    // Another thread that runs out at the same time must not end the process before the first one has done its work.
    while (ending.test_and_set()) pause();
    is_ending = true;
    SetSoftDataLimit(RLIM_INFINITY);
    ExhaustedHandler()();
    std::abort();
  });
  SetSoftDataLimit(bytes);
  return true;
}

}  // namespace argosy::agent
