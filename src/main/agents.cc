#include "main/agents.h"

#include <algorithm>

#include "base/files.h"

namespace argosy::main {
namespace {

constexpr size_t kIdentityBytesMax = 64 * 1024;

}  // namespace

std::string WorkOf(const RunningAgent& agent) {
  return (agent.role == protocol::Role::kTraining ? "training job " : "endpoint ") + agent.name;
}

std::vector<RunningAgent> FindAgents(const std::filesystem::path& data_dir) {
  std::vector<RunningAgent> agents;
  std::error_code error;
  std::filesystem::directory_iterator entries(data_dir / agent::kInstancesName, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const agent::InstanceDirectory directory(entries->path());
    const Result<std::string> text = ReadFile(directory.identity(), kIdentityBytesMax);
    if (!text.ok()) continue;
    const Result<agent::AgentIdentity> process = agent::AgentIdentity::FromJson(*text);
    if (!process.ok() || !process->IsRunning() || !HasOpen(process->pid, directory.lock())) continue;
    const Result<std::string> written = ReadFile(directory.assignment(), agent::kAssignmentBytesMax);
    if (!written.ok()) continue;
    const Result<protocol::Assignment> assignment = protocol::Assignment::FromJson(*written);
    if (!assignment.ok()) continue;
    agents.push_back({entries->path().filename().string(), assignment->role, assignment->name, *process});
  }
  std::sort(agents.begin(), agents.end(),
            [](const RunningAgent& a, const RunningAgent& b) { return a.instance_id < b.instance_id; });
  return agents;
}

}  // namespace argosy::main
