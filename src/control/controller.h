// The controllers together: what is in the catalog is read at start, instances are adopted, and from then on the change
// feed and compute's news wake the executors.
//
// Lives on the control thread; OnChange may be called from any thread.
#pragma once

#include <map>
#include <set>

#include "control/alarms.h"
#include "control/endpoints_executor.h"
#include "control/jobs_executor.h"
#include "control/metrics_feed.h"
#include "control/scaling_executor.h"

namespace argosy::control {

class Controller final : public AlarmListener {
 public:
  Controller(catalog::Catalog* catalog, compute::Compute* compute, Publisher* publisher, serving::Front* front,
             Scheduler* scheduler, const Clock* clock, Random* random, const ControlOptions& options,
             const ScalingSources& scaling);

  // Reads the catalog and adopts the instances of the open ledger entries. Once, before the loop runs.
  Status Start();

  // Calls `done` once the instances of all endpoints that were found at the start answer, or are known to be gone. On
  // the control thread.
  void WhenAllAnswer(Task done);

  // Before Start: reports of jobs go there too. `feed` outlives the controller's last call.
  void Feed(MetricsFeed* feed) { feed_ = feed; }
  // Scaling policies among the alarm's actions are carried out. On the control thread.
  void OnAlarm(const AlarmNews& news) override;

  // The names of all alarms that are in state ALARM now; told again at every change. On the control thread.
  void OnAlarms(std::set<std::string, std::less<>> in_alarm) { endpoints_.OnAlarms(std::move(in_alarm)); }

  // To be made the catalog's change listener before Start.
  void OnChange(const catalog::Change& change);

 private:
  Status ForEach(catalog::Kind kind, const std::string& status,
                 const std::function<void(const catalog::Resource&)>& each);
  void Take(const catalog::Change& change);
  void OnInstance(const std::string& instance_id);

  catalog::Catalog* catalog_;
  compute::Compute* compute_;
  Scheduler* scheduler_;
  JobsExecutor jobs_;
  EndpointsExecutor endpoints_;
  MetricsFeed* feed_ = nullptr;
  ScalingExecutor scaling_;
  std::map<std::string, std::string> owners_;  // of the instances in open ledger entries: job's or endpoint's uid
};

}  // namespace argosy::control
