#include "agent/instance_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/bytes.h"
#include "base/json.h"

namespace argosy::agent {
namespace {

constexpr size_t kSmallFileBytesMax = 64 << 10;
// The server holds the lock only while it fences, another agent for good: a second of trying tells them apart.
constexpr int kClaimTries = 100;
constexpr std::chrono::milliseconds kClaimPause{10};

}  // namespace

Result<uint64_t> ProcessStartTicks(pid_t pid) {
  const Result<std::string> stat = ReadFile("/proc/" + std::to_string(pid) + "/stat", kSmallFileBytesMax);
  if (!stat.ok()) return stat.error();
  // The second field is the name in parentheses and may itself hold any of " ()".
  const size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return Error(ErrorCode::kCorrupt, "no name in /proc/<pid>/stat");
  std::string_view rest = std::string_view(*stat).substr(name_end + 1);
  if (rest.starts_with(" Z") || rest.starts_with(" X")) {
    return Error(ErrorCode::kNotFound, "process " + std::to_string(pid) + " has ended");  // nobody has asked how, yet
  }
  for (int field = 3; field < 22; ++field) {
    const size_t space = rest.find(' ', 1);
    if (space == std::string_view::npos) return Error(ErrorCode::kCorrupt, "/proc/<pid>/stat is too short");
    rest.remove_prefix(space);
  }
  const std::optional<int64_t> ticks = ParseInt(Trim(rest.substr(0, rest.find(' ', 1))));
  if (!ticks || *ticks < 0) return Error(ErrorCode::kCorrupt, "no start time in /proc/<pid>/stat");
  return static_cast<uint64_t>(*ticks);
}

Result<std::string> BootId() {
  const Result<std::string> id = ReadFile("/proc/sys/kernel/random/boot_id", kSmallFileBytesMax);
  if (!id.ok()) return id.error();
  return std::string(Trim(*id));
}

Result<AgentIdentity> AgentIdentity::OfThisProcess(Time now) {
  AgentIdentity out;
  out.pid = getpid();
  const Result<uint64_t> ticks = ProcessStartTicks(out.pid);
  if (!ticks.ok()) return ticks.error();
  Result<std::string> boot_id = BootId();
  if (!boot_id.ok()) return boot_id.error();
  out.start_ticks = *ticks;
  out.boot_id = std::move(*boot_id);
  out.started = now;
  return out;
}

std::string AgentIdentity::ToJson() const {
  return DumpJson(Json{{"version", protocol::kVersion},
                       {"pid", pid},
                       {"start_ticks", start_ticks},
                       {"boot_id", boot_id},
                       {"started", ToUnixNanos(started)}});
}

Result<AgentIdentity> AgentIdentity::FromJson(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  if (!json.ok()) return json.error().Wrap("reading agent.json");
  const auto number = [&](const char* key) -> std::optional<int64_t> {
    if (!json->is_object()) return std::nullopt;
    const auto it = json->find(key);
    if (it == json->end() || !it->is_number_integer()) return std::nullopt;
    return it->get<int64_t>();
  };
  const auto pid = number("pid");
  const auto ticks = number("start_ticks");
  const auto started = number("started");
  if (!pid || *pid <= 0 || *pid > INT32_MAX || !ticks || !started || !json->contains("boot_id") ||
      !(*json)["boot_id"].is_string()) {
    return Error(ErrorCode::kCorrupt, "agent.json lacks pid, start_ticks, boot_id or started");
  }
  AgentIdentity out;
  out.pid = static_cast<pid_t>(*pid);
  out.start_ticks = static_cast<uint64_t>(*ticks);
  out.boot_id = (*json)["boot_id"].get<std::string>();
  out.started = FromUnixNanos(*started);
  return out;
}

bool AgentIdentity::IsRunning() const {
  const Result<std::string> boot = BootId();
  if (!boot.ok() || *boot != boot_id) return false;
  const Result<uint64_t> ticks = ProcessStartTicks(pid);
  return ticks.ok() && *ticks == start_ticks;
}

Status CreateInstanceDirectory(const InstanceDirectory& directory, const protocol::Assignment& assignment) {
  const std::filesystem::path instances = directory.root().parent_path();
  if (Status made = MakeDirectories(directory.root()); !made.ok()) return made;
  std::error_code ignored;
  std::filesystem::permissions(directory.root(), std::filesystem::perms::owner_all, ignored);
  if (Status written = WriteFileDurably(directory.assignment(), assignment.ToJson(), 0600); !written.ok()) {
    return written;
  }
  return SyncDirectory(instances);
}

Result<UniqueFd> ClaimInstance(const InstanceDirectory& directory) {
  for (int i = 0;; ++i) {
    Result<std::optional<UniqueFd>> lock = TryLockFile(directory.lock());
    if (!lock.ok()) return lock.error();
    if (lock->has_value()) {
      if (access(directory.fenced().c_str(), F_OK) == 0) {
        return Error(ErrorCode::kCancelled, "this instance has been given up by the server");
      }
      if (access(directory.assignment().c_str(), F_OK) != 0) {
        return Error(ErrorCode::kNotFound, "this instance has no assignment");
      }
      // An instance has one agent ever: the lock's file says whether it has had it.
      struct stat info{};
      if (fstat((*lock)->get(), &info) != 0) return ErrnoError("looking at the lock", errno);
      if (info.st_size > 0) return Error(ErrorCode::kCancelled, "this instance has had its agent");
      if (Status marked = WriteAll((*lock)->get(), std::to_string(getpid())); !marked.ok()) return marked.error();
      return std::move(**lock);
    }
    if (i == kClaimTries) return Error(ErrorCode::kCancelled, "another agent has this instance");
    std::this_thread::sleep_for(kClaimPause);
  }
}

Result<FenceOutcome> FenceInstance(const InstanceDirectory& directory) {
  const Result<std::optional<UniqueFd>> lock = TryLockFile(directory.lock());
  if (!lock.ok()) {
    if (lock.error().code() == ErrorCode::kNotFound) return FenceOutcome::kFenced;
    return lock.error();
  }
  if (!lock->has_value()) return FenceOutcome::kAlive;
  if (access(directory.fenced().c_str(), F_OK) == 0) return FenceOutcome::kFenced;
  if (Status written = WriteFileDurably(directory.fenced(), "", 0600); !written.ok()) return written.error();
  return FenceOutcome::kFenced;
}

}  // namespace argosy::agent
