// The directory of one instance: what the server gives its agent, what the agent leaves, and the fence between them
// (docs/formats/instance_directory.md).
//
// The fence: whoever holds `lock` lives. An agent takes it first of all and holds it until its process ends. To prove
// an instance gone the server takes it and, holding it, writes `fenced`; an agent that starts late gets the lock
// afterwards, sees `fenced`, and leaves. So there is no moment at which both could believe to be in the right, whatever
// died when.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "protocol/messages.h"

namespace argosy::agent {

inline constexpr std::string_view kControlSocketName = "control.sock";  // in the data directory
inline constexpr std::string_view kInstancesName = "instances";         // in the data directory
inline constexpr size_t kAssignmentBytesMax = 4 << 20;  // a request is at most 1 MiB and is quoted once more

class InstanceDirectory {
 public:
  explicit InstanceDirectory(std::filesystem::path root) : root_(std::move(root)) {}
  static InstanceDirectory In(const std::filesystem::path& data_dir, std::string_view instance_id) {
    return InstanceDirectory(data_dir / kInstancesName / instance_id);
  }

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path data_dir() const { return root_.parent_path().parent_path(); }
  std::filesystem::path control_socket() const { return data_dir() / kControlSocketName; }

  std::filesystem::path assignment() const { return root_ / "assignment.json"; }
  std::filesystem::path lock() const { return root_ / "lock"; }
  std::filesystem::path fenced() const { return root_ / "fenced"; }
  std::filesystem::path identity() const { return root_ / "agent.json"; }
  std::filesystem::path report() const { return root_ / "report.json"; }
  std::filesystem::path log() const { return root_ / "log"; }
  std::filesystem::path process_log() const { return root_ / "agent.log"; }  // stdout and stderr of the process itself
  std::filesystem::path socket() const { return root_ / "sock"; }
  std::filesystem::path staging() const { return root_ / "staging"; }

  // In the shape of a container's /opt/ml.
  std::filesystem::path ml() const { return root_ / "ml"; }
  std::filesystem::path input_config() const { return ml() / "input" / "config"; }
  std::filesystem::path input_data() const { return ml() / "input" / "data"; }
  std::filesystem::path model() const { return ml() / "model"; }
  std::filesystem::path output_data() const { return ml() / "output" / "data"; }
  std::filesystem::path failure() const { return ml() / "output" / "failure"; }
  std::filesystem::path checkpoints() const { return ml() / "checkpoints"; }

 private:
  std::filesystem::path root_;
};

// A process, told from every other that has or will have its number.
struct AgentIdentity {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // field 22 of /proc/<pid>/stat
  std::string boot_id;       // /proc/sys/kernel/random/boot_id
  Time started{};

  static Result<AgentIdentity> OfThisProcess(Time now);
  static Result<AgentIdentity> FromJson(std::string_view json);
  std::string ToJson() const;

  // Whether the process that has this number now is the one meant.
  bool IsRunning() const;
};

// kNotFound when no such process runs; one that has ended and waits for its parent does not.
Result<uint64_t> ProcessStartTicks(pid_t pid);
Result<std::string> BootId();

// Server: makes the directory with its assignment, durably. Done before anything is started for it.
Status CreateInstanceDirectory(const InstanceDirectory& directory, const protocol::Assignment& assignment);

// Agent: takes the lock. kCancelled when the instance is fenced or another agent has or had it; kNotFound when the
// directory is gone. Whoever gets an error leaves without a trace.
Result<UniqueFd> ClaimInstance(const InstanceDirectory& directory);

enum class FenceOutcome {
  kFenced,  // nothing of the instance runs, nor ever will
  kAlive,   // an agent holds the lock
};
// Server. A directory that is not there is fenced by that.
Result<FenceOutcome> FenceInstance(const InstanceDirectory& directory);

}  // namespace argosy::agent
