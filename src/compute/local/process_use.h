// What processes hold of the machine, as /proc tells it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace argosy::compute {

struct ProcessUse {
  Duration cpu{};  // spent, with that of children that have ended
  uint64_t resident_bytes = 0;
};

// The few fields of a line of /proc/<pid>/stat that count here (proc(5)).
struct ProcessStat {
  pid_t parent = 0;
  uint64_t ticks = 0;  // user and system time, with that of waited-for children
  uint64_t resident_pages = 0;
};
// Nothing when it is no such line.
std::optional<ProcessStat> ParseProcessStat(std::string_view line);

// Of each root that runs: itself and all that descends from it. One look at /proc, some milliseconds: on the pool.
std::map<pid_t, ProcessUse> UseOfTrees(const std::vector<pid_t>& roots);

}  // namespace argosy::compute
