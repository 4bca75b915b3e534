// Where work runs: gives and takes back instances, and tells what became of them.
//
// Level-triggered: the listener is told whenever the view of an instance has changed, and Views() gives all of them;
// one that was told twice, late or not at all (the next one says everything) does no harm. All calls are idempotent by
// instance id. Threads: all on the control thread.
//
// Errors by method: Start: kResourceExhausted (no capacity now), kInvalidArgument (never: unknown type under strict
// types), kAlreadyExists is no error (the same instance). The rest cannot fail; what cannot be done now is tried again
// inside.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "protocol/messages.h"

namespace argosy::compute {

enum class InstanceLife {
  kStarting,  // asked for; the agent has not reported yet
  kRunning,   // the agent has reported
  kGone,      // proven gone: nothing of it runs, nor ever will
};

struct InstanceView {
  std::string instance_id;
  std::string owner_uid;
  uint32_t attempt = 0;
  InstanceLife life = InstanceLife::kStarting;
  std::optional<Time> started;             // when its process began
  std::optional<Time> ended;               // when gone: the time to bill to (outcome's or last heartbeat)
  std::optional<protocol::Report> report;  // the newest
  std::string gone_reason;                 // "killed by signal 9", "host lost", …
  std::string address;                     // serving: where the router connects
  uint64_t memory_bytes = 0;               // granted
};

struct InstanceRequest {
  protocol::Assignment assignment;
};

// What there is to give, now. `memory_free_bytes` already counts what running instances hold.
struct Capacity {
  uint64_t memory_total_bytes = 0;
  uint64_t memory_free_bytes = 0;
  uint32_t cpus = 0;
  uint32_t hosts_free = 0;   // how many more instances may run at once
  uint32_t hosts_total = 0;  // and how many in all
};

// What the processes of a running instance hold, and whose it is.
struct InstanceUse {
  std::string instance_id;
  protocol::Role role = protocol::Role::kTraining;
  std::string name;     // the job's or the endpoint's
  std::string variant;  // serving only
  uint32_t host = 0;    // of a training on several
  Duration cpu{};       // spent since it began, on all cores together
  uint64_t resident_bytes = 0;
  uint64_t memory_bytes = 0;  // granted; 0 = no limit
};

class Compute {
 public:
  virtual ~Compute() = default;

  // Told the id of every instance whose view has changed. Set once, before anything else.
  virtual void SetListener(std::function<void(const std::string& instance_id)> listener) = 0;

  // After a restart: the `open` instances are in the ledger as such. Each is looked for; its view appears (kGone when
  // it was never started, and then it never will be). `wanted` are gone, but the files they left are still to be
  // published. What any other instance left behind is swept away.
  virtual void Adopt(const std::vector<std::string>& open, const std::set<std::string>& wanted) = 0;

  virtual Status Start(const InstanceRequest& request) = 0;

  // To the agent, at least once. Unknown or gone: nothing happens.
  virtual void Send(const std::string& instance_id, const protocol::Command& command) = 0;

  // Ends it by force; the view becomes kGone once that is proven.
  virtual void Kill(const std::string& instance_id) = 0;

  // Its outcome is committed and published: what it left behind may be deleted, the view disappears. Only when kGone.
  virtual void Forget(const std::string& instance_id) = 0;

  // Nothing when unknown.
  virtual std::optional<InstanceView> View(const std::string& instance_id) const = 0;
  virtual Capacity GetCapacity() const = 0;

  // Looks at what the running instances hold, and tells it soon. A backend that cannot see their processes says
  // nothing.
  virtual void Measure(std::function<void(std::vector<InstanceUse>)> done) { done({}); }
};

}  // namespace argosy::compute
