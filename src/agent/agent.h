// The process on an instance: one host's share of a job, or the endpoint instance that answers.
//
// Started by exec with nothing but its directory, in a session of its own, inheriting no descriptor. It takes the
// directory's lock (the fence, see instance_directory.h), does what the assignment says, spools its log, writes
// heartbeat and outcome itself, and needs no server for any of that; when there is one it tells it (control_link.h).
// docs/decisions/supervision.md says why.
#pragma once

#include <filesystem>

#include "agent/training.h"

namespace argosy::agent {

// Runs to the end of the instance. The exit code is 0 when the outcome is on disk (whatever it is) or there was nothing
// to do here (fenced), 1 when not even that was possible. Changes the whole process: closes descriptors, leaves its
// session, takes over signals.
int RunAgent(const std::filesystem::path& directory, const AlgorithmFinder& find_algorithm);

// With the built-in algorithms.
int RunAgent(const std::filesystem::path& directory);

}  // namespace argosy::agent
