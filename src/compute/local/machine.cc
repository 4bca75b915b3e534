#include "compute/local/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/files.h"

namespace argosy::compute {
namespace {

constexpr size_t kProcFileBytesMax = 256 << 10;

// A line "MemTotal:   24569324 kB" of /proc/meminfo, in bytes.
std::optional<uint64_t> MemInfo(std::string_view text, std::string_view key) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(at + key.size());
  rest = Trim(rest.substr(0, rest.find('\n')));
  const std::optional<int64_t> kib = ParseInt(rest.substr(0, rest.find(' ')));
  if (!kib || *kib < 0) return std::nullopt;
  return static_cast<uint64_t>(*kib) << 10;
}

std::optional<uint64_t> NumberIn(const std::string& path) {
  const Result<std::string> text = ReadFile(path, kProcFileBytesMax);
  if (!text.ok()) return std::nullopt;
  const std::optional<int64_t> number = ParseInt(Trim(*text));  // "max" is none
  if (!number || *number < 0) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

struct GroupMemory {
  std::optional<uint64_t> limit;
  std::optional<uint64_t> used;
};

// Limit and use of the control group that this process is in, by version 2 or else 1.
GroupMemory OwnGroup() {
  const Result<std::string> groups = ReadFile("/proc/self/cgroup", kProcFileBytesMax);
  if (!groups.ok()) return {};
  for (const auto& [mark, base, limit, used] :
       {std::tuple{":memory:", "/sys/fs/cgroup/memory", "/memory.limit_in_bytes", "/memory.usage_in_bytes"},
        std::tuple{"0::", "/sys/fs/cgroup", "/memory.max", "/memory.current"}}) {
    const size_t at = groups->find(mark);
    if (at == std::string::npos) continue;
    const size_t path_at = at + std::string_view(mark).size();
    const std::string path = groups->substr(path_at, groups->find('\n', path_at) - path_at);
    // Inside a container the group's own path is often the root of what is mounted.
    for (const std::string& directory : {base + path, std::string(base)}) {
      const std::optional<uint64_t> bytes = NumberIn(directory + limit);
      if (bytes) return {bytes, NumberIn(directory + used)};
    }
  }
  return {};
}

}  // namespace

uint64_t MachineMemoryBytes() {
  const Result<std::string> text = ReadFile("/proc/meminfo", kProcFileBytesMax);
  const uint64_t total = text.ok() ? MemInfo(*text, "MemTotal:").value_or(0) : 0;
  const GroupMemory group = OwnGroup();
  return group.limit ? std::min(total, *group.limit) : total;
}

uint64_t AvailableMemoryBytes() {
  const Result<std::string> text = ReadFile("/proc/meminfo", kProcFileBytesMax);
  const uint64_t available = text.ok() ? MemInfo(*text, "MemAvailable:").value_or(0) : 0;
  const GroupMemory group = OwnGroup();
  if (!group.limit || !group.used) return available;
  return std::min(available, *group.limit - std::min(*group.limit, *group.used));
}

uint32_t MachineCpus() {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) return static_cast<uint32_t>(std::max(1, CPU_COUNT(&cpus)));
  return static_cast<uint32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

uint64_t ResidentBytes(pid_t pid) {
  const Result<std::string> text = ReadFile("/proc/" + std::to_string(pid) + "/statm", kProcFileBytesMax);
  if (!text.ok()) return 0;
  const std::string_view rest = std::string_view(*text).substr(std::min(text->find(' ') + 1, text->size()));
  const std::optional<int64_t> pages = ParseInt(rest.substr(0, rest.find(' ')));
  if (!pages || *pages < 0) return 0;
  return static_cast<uint64_t>(*pages) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace argosy::compute
