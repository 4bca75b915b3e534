// Apart from agent.cc, so that a program with learners of its own links without the built-in ones.
#include "agent/agent.h"

namespace argosy::agent {

int RunAgent(const std::filesystem::path& directory) {
  return RunAgent(directory, &algorithms::FindAlgorithm);
}

}  // namespace argosy::agent
