// Carries out what the endpoints planner decides. Keeps all endpoints in memory, fed by the catalog's change feed.
//
// Lives on the control thread. While a save of an endpoint is under way, the endpoint is not planned.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/random.h"
#include "base/scheduler.h"
#include "catalog/catalog.h"
#include "compute/compute.h"
#include "control/endpoints_planner.h"
#include "control/jobs_executor.h"
#include "control/worklist.h"
#include "serving/front.h"

namespace argosy::control {

class EndpointsExecutor {
 public:
  EndpointsExecutor(catalog::Catalog* catalog, compute::Compute* compute, serving::Front* front, Scheduler* scheduler,
                    const Clock* clock, Random* random, ControlOptions options);

  void OnResource(const catalog::Resource& resource);
  void OnRemoved(const catalog::Resource& resource);
  void OnLedger(const cost::LedgerEntry& entry);
  void OnInstance(const std::string& endpoint_uid);
  // It takes requests and answers nothing: ended by force, and so replaced.
  void OnStuck(const std::string& instance_id);
  // The names of all alarms that are in state ALARM now.
  void OnAlarms(std::set<std::string, std::less<>> in_alarm);

  // Whether each instance that is to answer for an endpoint does so, or is known to be gone.
  bool AllAnswer() const;

 private:
  struct InstanceMemory {
    std::optional<cost::LedgerEntry> ledger;
    std::optional<Error> start_error;
    std::optional<Time> answered_at;
    bool pinging = false;
    bool draining = false;
    bool drained = false;
  };
  struct Endpoint {
    EndpointView view;
    std::map<std::string, InstanceMemory> instances;
    std::optional<serving::Route> route;  // as last set
    bool saving = false;
  };

  void Plan(const std::string& uid);
  void Carry(Endpoint& endpoint, const EndpointAction& action);
  void SetRoute(Endpoint& endpoint, const std::optional<serving::Route>& route);
  void Ping(Endpoint& endpoint, const serving::RouteInstance& instance);
  void Drain(Endpoint& endpoint, const std::string& instance_id);
  void Save(Endpoint& endpoint, const SaveEndpoint& save);
  void OnSaved(const std::string& uid, const SaveEndpoint& save, Result<catalog::Change> result);
  void Remove(Endpoint& endpoint);
  InstanceMemory* MemoryOf(const std::string& uid, const std::string& instance_id);
  EndpointFacts FactsOf(const Endpoint& endpoint) const;

  catalog::Catalog* catalog_;
  compute::Compute* compute_;
  serving::Front* front_;
  Scheduler* scheduler_;
  const Clock* clock_;
  Random* random_;
  const ControlOptions options_;
  Worklist worklist_;
  std::map<std::string, Endpoint> endpoints_;  // by uid
  std::set<std::string, std::less<>> alarms_;  // in state ALARM
};

}  // namespace argosy::control
