// What an agent makes of its process before it does anything else.
#pragma once

#include <cstdint>
#include <functional>

#include "agent/instance_directory.h"
#include "base/files.h"
#include "base/result.h"

namespace argosy::agent {

// A session of its own, no descriptor but the standard streams (nothing in, both out streams to the instance's process
// log), a name, the first to go when the machine runs out of memory. Ignores what a terminal sends. Returns a
// descriptor that becomes readable at SIGTERM.
Result<UniqueFd> BecomeAgent(const InstanceDirectory& directory);

// From now on private memory beyond `bytes` is refused. When C++ memory runs out `on_exhausted` is called, with the
// limit lifted so that it can work; it must end the process. False when this build or system cannot limit (then nothing
// is set).
bool LimitMemory(uint64_t bytes, std::function<void()> on_exhausted);

}  // namespace argosy::agent
