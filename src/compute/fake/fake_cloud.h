// The machines of the simulated world: they live and die by themselves, whatever becomes of the server.
//
// Every message to and from them may be late, lost or doubled. Each machine beats once a second, goes through the
// phases of its role, leaves an outcome or dies without one. Single-threaded, on a SimQueue.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/sim_scheduler.h"
#include "compute/compute.h"

namespace argosy::compute {

// How the fence is broken on purpose, to see the invariants fail.
enum class FenceFault {
  kNone,
  kStartsThoughFenced,  // a late message to start is obeyed though the instance was declared gone
  kGoneUnproven,        // the server believes an instance gone when it has not heard of it for a while
};

struct CloudFaults {
  double message_lost = 0;
  double message_doubled = 0;
  Duration message_delay_max = std::chrono::milliseconds(2);
  double deaths_per_second = 0;  // of each machine
  double user_failure = 0;       // of jobs: end with a failed outcome
  double start_refused = 0;      // Compute::Start says no
  FenceFault fence = FenceFault::kNone;
};

// What the machine itself knows: durable on its disk.
struct Machine {
  protocol::Assignment assignment;
  bool alive = false;
  bool fenced = false;
  bool stop_asked = false;
  bool group_met = false;
  bool files_removed = false;
  uint64_t progress = 0;  // of a training: how often it, and those it went on from, have saved it
  std::optional<Time> started;
  Time last_heartbeat{};
  protocol::Report report;

  // The time it is to be billed to, once it is dead.
  Time BilledTo() const { return report.outcome ? report.outcome->finished : last_heartbeat; }
};

class FakeCloud {
 public:
  FakeCloud(SimQueue* queue, Random* random, CloudFaults faults) : queue_(queue), random_(random), faults_(faults) {}

  // Carries a message to or from a machine, with the network's faults. The receiver must cope with its absence.
  void Carry(Task message);

  void Start(const protocol::Assignment& assignment);
  void Stop(const std::string& instance_id);
  // The machine learns where the others of its training are; until then it waits.
  void MeetGroup(const std::string& instance_id);
  // Ends it and sees to it that it never starts (again).
  void Fence(const std::string& instance_id);
  // What dead machines left behind, of those that `remove` names.
  void RemoveFiles(const std::function<bool(const std::string& instance_id)>& remove);
  void Kill(const std::string& instance_id);  // like a power cut of that machine: no outcome

  const Machine* Find(const std::string& instance_id) const;
  const std::map<std::string, Machine>& machines() const { return machines_; }

  void set_faults(CloudFaults faults) { faults_ = faults; }
  const CloudFaults& faults() const { return faults_; }

  // Told when a machine begins to live, before anything else of it happens.
  std::function<void(const Machine&)> on_start;
  // The progress that a training which begins finds saved; empty: none.
  std::function<uint64_t(const protocol::Assignment&)> saved_progress;
  // The server's ear; empty when no server runs.
  std::function<void(const std::string& instance_id)> on_change;

 private:
  void Train(const std::string& id, Duration at);
  void Reach(const std::string& id, protocol::AgentPhase phase);
  void Checkpoint(const std::string& id);
  void Finish(const std::string& id, protocol::OutcomeKind kind);
  void Beat(const std::string& id, uint64_t life);
  void Die(const std::string& id);
  void Tell(const std::string& id);
  // Runs `task` on the machine after `delay` if it is still the same life of it.
  void Later(const std::string& id, uint64_t life, Duration delay, Task task);
  Duration Between(int64_t millis_min, int64_t millis_max);

  SimQueue* queue_;
  Random* random_;
  CloudFaults faults_;
  std::map<std::string, Machine> machines_;
  std::map<std::string, uint64_t> lives_;  // counts the lives of an id: more than one is what a broken fence gives
};

}  // namespace argosy::compute
