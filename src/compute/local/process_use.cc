#include "compute/local/process_use.h"

#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <system_error>

#include "base/bytes.h"
#include "base/files.h"

namespace argosy::compute {
namespace {

constexpr size_t kStatBytesMax = 4096;
constexpr size_t kProcessesMax = 65'536;  // looked at; a machine has fewer
constexpr int kGenerationsMax = 64;       // between an agent and what it started

// Places after the program's name, which may hold anything but ends at the last ')'.
constexpr size_t kParentField = 1;
constexpr size_t kFirstTimeField = 11;  // utime, stime, cutime, cstime
constexpr size_t kLastTimeField = 14;
constexpr size_t kResidentField = 21;

std::map<pid_t, ProcessStat> AllProcesses() {
  std::map<pid_t, ProcessStat> out;
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    const std::optional<int64_t> pid = ParseInt(it->path().filename().native());
    if (!pid || *pid <= 0) continue;
    const Result<std::string> line = ReadFile(it->path() / "stat", kStatBytesMax);
    if (!line.ok()) continue;  // it has ended since
    if (const std::optional<ProcessStat> stat = ParseProcessStat(*line)) out.emplace(static_cast<pid_t>(*pid), *stat);
    if (out.size() >= kProcessesMax) break;
  }
  return out;
}

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view line) {
  const size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::string_view rest = Trim(line.substr(name_end + 1));
  ProcessStat stat;
  for (size_t field = 0; field <= kResidentField; ++field) {
    if (rest.empty()) return std::nullopt;
    const size_t blank = std::min(rest.find(' '), rest.size());
    const std::optional<int64_t> value = ParseInt(rest.substr(0, blank));
    rest.remove_prefix(std::min(blank + 1, rest.size()));
    const bool counts =
        field == kParentField || field == kResidentField || (field >= kFirstTimeField && field <= kLastTimeField);
    if (!counts) continue;
    if (!value || *value < 0) return std::nullopt;
    if (field == kParentField) {
      stat.parent = static_cast<pid_t>(*value);
    } else if (field == kResidentField) {
      stat.resident_pages = static_cast<uint64_t>(*value);
    } else {
      stat.ticks += static_cast<uint64_t>(*value);
    }
  }
  return stat;
}

std::map<pid_t, ProcessUse> UseOfTrees(const std::vector<pid_t>& roots) {
  const std::map<pid_t, ProcessStat> all = AllProcesses();
  const std::set<pid_t> wanted(roots.begin(), roots.end());
  const Duration tick = std::chrono::nanoseconds(std::chrono::seconds(1)) / sysconf(_SC_CLK_TCK);
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  std::map<pid_t, ProcessUse> out;
  for (const auto& [pid, stat] : all) {
    pid_t root = pid;
    for (int generation = 0; generation < kGenerationsMax && !wanted.contains(root); ++generation) {
      const auto parent = all.find(root);
      root = parent == all.end() ? 0 : parent->second.parent;
      if (root == 0) break;
    }
    if (!wanted.contains(root)) continue;
    ProcessUse& use = out[root];
    use.cpu += tick * static_cast<int64_t>(stat.ticks);
    use.resident_bytes += stat.resident_pages * page;
  }
  return out;
}

}  // namespace argosy::compute
