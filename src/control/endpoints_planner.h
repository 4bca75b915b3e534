// What is to be done next about an endpoint. Pure: what is known and the time in, actions out.
//
// An endpoint's record holds up to three sets of instances: `current` (the route shows those that answer), `next`
// (being brought up by a create or an update) and `retired` (out of every route: drained, ended, then struck off). A
// request moves `next` in; when all of it has answered a ping, traffic moves to it in the steps of its deployment (one,
// unless others were asked for), and after the last it becomes `current` in one commit and the old one retires: a new
// fleet first, then the switch. An update that fails, takes too long or sets off one of its alarms leaves `current` as
// it was, with all traffic. A change of capacity adds to `current` and retires from it (capacity_change.h).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "catalog/endpoint.h"
#include "compute/compute.h"
#include "control/allocation.h"
#include "control/jobs_planner.h"
#include "cost/ledger.h"
#include "serving/front.h"

namespace argosy::control {

inline constexpr uint32_t kFleetStartsMax = 3;  // times that each instance of a new fleet may end before it answers
inline constexpr auto kCapacityWaitMax = std::chrono::minutes(10);  // for a host and memory, in a new fleet
inline constexpr auto kReadyTimeout = std::chrono::minutes(4);  // SageMaker's time for a container to become healthy
inline constexpr auto kRestartBackoffMax = std::chrono::seconds(30);

struct EndpointView {
  std::string uid;
  std::string name;
  std::string principal;
  uint64_t version = 0;
  Time created{};
  catalog::EndpointState state;
};

struct EndpointInstanceFacts {
  std::optional<compute::InstanceView> instance;
  std::optional<cost::LedgerEntry> ledger;
  std::optional<Error> start_error;  // compute will never start it
  std::optional<Time> answered_at;   // its first answer to a ping
  bool pinging = false;              // a ping is under way
  bool drained = false;
};

struct EndpointFacts {
  std::map<std::string, EndpointInstanceFacts> instances;  // by instance id
  compute::Capacity capacity;
  TypePolicy type_policy = TypePolicy::kWish;
  std::set<std::string, std::less<>> alarms;  // names of those in state ALARM
};

struct SaveEndpoint {
  catalog::EndpointState state;
  std::vector<cost::LedgerEntry> open;
  std::map<std::string, LedgerClose> close;  // by instance id
};
struct StartServing {
  protocol::Assignment assignment;
};
struct PingInstance {
  serving::RouteInstance instance;
};
struct DrainInstance {
  std::string instance_id;
};
// What the route is to be from now on; nothing = none.
struct SetEndpointRoute {
  std::optional<serving::Route> route;
};
// Nothing of it is left: take the resource out of the catalog.
struct RemoveEndpoint {};

using EndpointAction = std::variant<SaveEndpoint, StartServing, PingInstance, DrainInstance, SetEndpointRoute,
                                    StopInstance, KillInstance, RemoveEndpoint, WakeAt>;

struct EndpointPolicy {
  JobPolicy common;                    // new_instance_id is not used
  std::vector<std::string> fresh_ids;  // at least FreshIdsNeeded(state)
};

// How many fresh ids a plan for this state may need at most.
size_t FreshIdsNeeded(const catalog::EndpointState& state);

std::vector<EndpointAction> PlanEndpoint(const EndpointView& endpoint, const EndpointFacts& facts,
                                         const EndpointPolicy& policy, Time now);

}  // namespace argosy::control
