// The agents that run in a data directory now, with or without a server.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/instance_directory.h"

namespace argosy::main {

struct RunningAgent {
  std::string instance_id;
  protocol::Role role = protocol::Role::kTraining;
  std::string name;  // the job's or the endpoint's
  agent::AgentIdentity process;
};

// "training job x", "endpoint y"
std::string WorkOf(const RunningAgent& agent);

// By instance id.
std::vector<RunningAgent> FindAgents(const std::filesystem::path& data_dir);

}  // namespace argosy::main
