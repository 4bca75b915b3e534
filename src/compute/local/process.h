// Starting an agent's process, and holding on to one.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "agent/instance_directory.h"
#include "base/files.h"
#include "base/result.h"

namespace argosy::compute {

struct ProcessHandle {
  pid_t pid = 0;
  UniqueFd pidfd;  // readable when the process has ended
  enum class Kin { kChild, kAdopted } kin = Kin::kChild;
};

// Starts `executable agent --instance-dir D` in a session of its own, with no descriptor of ours and its output in the
// instance's process log. Blocks for the exec (about a millisecond).
Result<ProcessHandle> SpawnAgent(const std::filesystem::path& executable, const agent::InstanceDirectory& directory);

// The process meant by `identity`, if it still runs: the descriptor is taken first and the identity compared
// afterwards, so that it cannot be another process with the same number. Nothing when it is gone.
std::optional<ProcessHandle> FindProcess(const agent::AgentIdentity& identity);

// How a child ended, once its descriptor is readable: "killed by signal 9", "ended with exit code 1". For processes
// that are not ours: "its process ended".
std::string ReapProcess(const ProcessHandle& process);

void KillProcess(const ProcessHandle& process);

}  // namespace argosy::compute
