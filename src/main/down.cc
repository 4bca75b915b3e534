// argosy down [--all]
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/files.h"
#include "main/agents.h"
#include "main/data_directory.h"
#include "main/format.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

constexpr int kStopMillisMax = 20'000;  // open requests get their time; see Server
constexpr int kKillMillisMax = 5'000;

// Through a descriptor of the process, so that another one that has got its number is never hit.
Result<UniqueFd> OpenProcess(const agent::AgentIdentity& identity) {
  UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, identity.pid, 0)));
  if (!process.valid() && errno != ESRCH) return ErrnoError(fmt::format("process {}", identity.pid), errno);
  if (!process.valid() || !identity.IsRunning()) return Error(ErrorCode::kNotFound, "the process has ended");
  return process;
}

Status Signal(const UniqueFd& process, int signal_number) {
  if (syscall(SYS_pidfd_send_signal, process.get(), signal_number, nullptr, 0) != 0 && errno != ESRCH) {
    return ErrnoError("signalling", errno);
  }
  return {};
}

bool WaitForEnd(const UniqueFd& process, int millis) {
  pollfd fd{process.get(), POLLIN, 0};
  return poll(&fd, 1, millis) == 1;
}

Status StopServer(const ServerRecord& server) {
  Result<UniqueFd> process = OpenProcess(server.process);
  if (!process.ok()) return process.error().code() == ErrorCode::kNotFound ? Status() : process.error();
  if (Status sent = Signal(*process, SIGTERM); !sent.ok()) return sent.error().Wrap("stopping the server");
  if (!WaitForEnd(*process, kStopMillisMax)) {
    return Error(ErrorCode::kDeadlineExceeded,
                 fmt::format("the server (process {}) has not stopped within {} s; `kill -9 {}` loses nothing that was "
                             "acknowledged",
                             server.process.pid, kStopMillisMax / 1000, server.process.pid));
  }
  return {};
}

// By force: an agent that is asked would finish its job early, and the job could not be taken up again.
Status KillAgents(const std::vector<RunningAgent>& agents) {
  for (const RunningAgent& agent : agents) {
    Result<UniqueFd> process = OpenProcess(agent.process);
    if (!process.ok()) continue;
    if (Status sent = Signal(*process, SIGKILL); !sent.ok()) return sent.error().Wrap("ending the " + WorkOf(agent));
    if (!WaitForEnd(*process, kKillMillisMax)) {
      return Error(ErrorCode::kDeadlineExceeded,
                   fmt::format("the agent of the {} (process {}) does not end", WorkOf(agent), agent.process.pid));
    }
  }
  return {};
}

}  // namespace

int RunDown(const Settings& settings, const DownArgs& args) {
  const Options& options = settings.options;
  const std::optional<ServerRecord> server = FindServer(options.data_dir);
  if (server) {
    if (Status stopped = StopServer(*server); !stopped.ok()) return Fail(stopped.error());
    Print(fmt::format("the server of {} has stopped\n", options.data_dir.string()));
  } else {
    Print(fmt::format("no server runs in {}\n", options.data_dir.string()));
  }
  const std::vector<RunningAgent> agents = FindAgents(options.data_dir);
  if (agents.empty()) return kExitOk;
  if (args.reach == DownReach::kEverything) {
    if (Status killed = KillAgents(agents); !killed.ok()) return Fail(killed.error());
    Print(fmt::format("{} instance{} ended; the next `argosy up` takes their jobs and endpoints up again\n",
                      agents.size(), agents.size() == 1 ? " has" : "s have"));
    return kExitOk;
  }
  Table table({{"STILL RUNNING"}, {"FOR"}, {"PROCESS", Align::kRight}});
  for (const RunningAgent& agent : agents)
    table.Add({agent.instance_id, WorkOf(agent), std::to_string(agent.process.pid)});
  Print(table.Render(OutputWidth()));
  Print("they go on, and the next `argosy up` finds them; `argosy down --all` ends them too\n");
  return kExitOk;
}

}  // namespace argosy::main
