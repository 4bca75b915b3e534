// What this machine has: memory, cores, and what a process holds of them.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace argosy::compute {

// The smaller of the machine's memory and what our control group may use.
uint64_t MachineMemoryBytes();

// What could be given to a new process now (MemAvailable, within our control group's limit).
uint64_t AvailableMemoryBytes();

// Cores this process may run on.
uint32_t MachineCpus();

// Resident memory of a process; 0 when there is none of that number.
uint64_t ResidentBytes(pid_t pid);

}  // namespace argosy::compute
