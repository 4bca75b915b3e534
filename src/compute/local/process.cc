#include "compute/local/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace argosy::compute {
namespace {

int PidfdOpen(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

// Frees the two attribute objects whatever happens in between.
struct SpawnSettings {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  SpawnSettings() {
    Check(posix_spawnattr_init(&attributes) == 0 && posix_spawn_file_actions_init(&actions) == 0,
          "posix_spawn settings");
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

}  // namespace

Result<ProcessHandle> SpawnAgent(const std::filesystem::path& executable, const agent::InstanceDirectory& directory) {
  SpawnSettings settings;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  const std::string log = directory.process_log();
  bool ok = posix_spawnattr_setflags(&settings.attributes,
                                     POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0 &&
            posix_spawnattr_setsigmask(&settings.attributes, &none) == 0 &&
            posix_spawnattr_setsigdefault(&settings.attributes, &all) == 0 &&
            posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
            posix_spawn_file_actions_addopen(&settings.actions, STDOUT_FILENO, log.c_str(),
                                             O_WRONLY | O_CREAT | O_APPEND, 0600) == 0 &&
            posix_spawn_file_actions_adddup2(&settings.actions, STDOUT_FILENO, STDERR_FILENO) == 0 &&
            posix_spawn_file_actions_addclosefrom_np(&settings.actions, 3) == 0;
  if (!ok) return Error(ErrorCode::kResourceExhausted, "no memory to start a process");
  std::string name = "argosy", verb = "agent", option = "--instance-dir", root = directory.root();
  char* const arguments[] = {name.data(), verb.data(), option.data(), root.data(), nullptr};
  ProcessHandle out;
  const int error =
      posix_spawn(&out.pid, executable.c_str(), &settings.actions, &settings.attributes, arguments, environ);
  if (error != 0) return ErrnoError("starting " + executable.string(), error);
  out.pidfd = UniqueFd(PidfdOpen(out.pid));
  if (!out.pidfd.valid()) {
    // Nobody would hear of its end: rather none.
    const int why = errno;
    kill(out.pid, SIGKILL);
    waitpid(out.pid, nullptr, 0);
    return ErrnoError("watching a process", why);
  }
  return out;
}

std::optional<ProcessHandle> FindProcess(const agent::AgentIdentity& identity) {
  ProcessHandle out;
  out.pid = identity.pid;
  out.kin = ProcessHandle::Kin::kAdopted;
  out.pidfd = UniqueFd(PidfdOpen(identity.pid));
  if (!out.pidfd.valid() || !identity.IsRunning()) return std::nullopt;
  return out;
}

std::string ReapProcess(const ProcessHandle& process) {
  siginfo_t info{};
  if (process.kin != ProcessHandle::Kin::kChild ||
      waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process.pidfd.get()), &info, WEXITED | WNOHANG) != 0 ||
      info.si_pid == 0) {
    return "its process ended";
  }
  if (info.si_code == CLD_EXITED) return fmt::format("its process ended with exit code {}", info.si_status);
  return fmt::format("its process was killed by signal {}", info.si_status);
}

void KillProcess(const ProcessHandle& process) {
  (void)syscall(SYS_pidfd_send_signal, process.pidfd.get(), SIGKILL, nullptr, 0);
}

}  // namespace argosy::compute
