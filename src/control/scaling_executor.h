// Carries out what the scaling planner decides. Keeps all scalable targets with their policies, scheduled actions and
// load in memory, fed by the catalog's change feed and the router's counts.
//
// It changes an endpoint as its client would, by a commit to the catalog; the endpoints controller does the rest. Each
// change is one transaction with the activity that tells of it, so that after a crash either both are there or neither.
// Woken by a second's counts, a waiting request, alarms, timers and changes; nothing runs while no target is
// registered.
//
// Lives on the control thread. While a save of a target is under way, the target is not planned.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/scheduler.h"
#include "base/thread_pool.h"
#include "catalog/catalog.h"
#include "catalog/endpoint.h"
#include "catalog/scaling.h"
#include "control/load_window.h"
#include "control/scaling_planner.h"
#include "control/worklist.h"
#include "observe/load_forecast.h"
#include "observe/metrics.h"
#include "serving/load.h"

namespace argosy::control {

// What scaling is told by. Null: no counts, no metrics.
struct ScalingSources {
  serving::LoadBook* load = nullptr;
  observe::MetricReader* metrics = nullptr;  // with `pool`, on which it is read
  ThreadPool* pool = nullptr;
};

class ScalingExecutor {
 public:
  ScalingExecutor(catalog::Catalog* catalog, Scheduler* scheduler, const Clock* clock, Random* random,
                  ScalingSources sources);

  // Any resource: those that are not scaling's are let be.
  void OnResource(const catalog::Resource& resource);
  void OnRemoved(const catalog::Resource& resource);
  // All resources that were there at the start have been told: what belongs to endpoints that are gone is removed.
  void OnAllTold();

  // A request waits for a variant without instances.
  void OnDemand(const serving::VariantName& variant);
  void OnAlarm(const AlarmBreach& alarm);
  // It has left ALARM.
  void OnAlarmOver(const std::string& alarm_name);

 private:
  struct Learning {
    observe::LoadForecast forecast;
    int64_t next_minute = 0;  // since 1970: the first that has not been added
    Time saved{};
  };
  // A custom metric's last minutes, as they were read.
  struct MetricMinutes {
    std::vector<std::optional<double>> values;
    int64_t end = 0;  // the minute after them
    bool reading = false;
  };
  struct Target {
    catalog::ScalableTarget target;
    catalog::VariantId id;
    std::map<std::string, catalog::ScalingPolicy> policies;  // by uid
    std::map<std::string, ScheduleView> schedules;
    std::map<std::string, Learning> learning;      // by uid of a predictive policy
    std::map<std::string, MetricMinutes> metrics;  // by uid of a policy on a custom metric
    LoadWindow load;
    Time load_known_since{};
    int64_t second = 0;   // that was last planned for
    uint32_t before = 0;  // desired at the first plan in it
    std::optional<Time> demand;
    std::vector<AlarmBreach> alarms;  // the last of each alarm and policy
    std::optional<Time> changed;      // when a change of the count was asked for that is being saved
    std::string not_scaled;           // the cause that was recorded last, while it lasts
    bool saving = false;
  };
  struct Endpoint {
    std::string uid;
    uint64_t version = 0;
    catalog::EndpointState state;
  };

  static void UseAlarms(Target& target, Time told_by);
  void TakeTarget(const catalog::Resource& resource);
  void TakePolicy(const catalog::Resource& resource);
  void TakeSchedule(const catalog::Resource& resource);
  void TakeActivity(const catalog::Resource& resource);
  void TakeEndpoint(const catalog::Resource& resource);
  void OnEndpointGone(const std::string& name, const std::string& uid);
  void OnCounts(const serving::VariantName& variant, int64_t second, const serving::VariantCounts& counts);
  void Learn(Target& target, Time now);
  void ReadMetric(Target& target, const catalog::ScalingPolicy& policy, Time now);

  void Plan(const std::string& uid);
  std::optional<ScalingFacts> FactsOf(Target& target, Time now);
  void Carry(Target& target, const ScalingAction& action);
  void Change(Target& target, const SetDesiredCount& change);
  void End(Target& target, const EndActivity& end);
  void Run(Target& target, const RunScheduledAction& run);
  void Record(Target& target, const RecordNotScaled& record);
  void Commit(Target& target, catalog::Transaction transaction);
  // Adds the activity to the transaction, and the removal of those that are too many but for the one in progress.
  std::string AddActivity(catalog::ScalingActivity activity, const std::string& in_progress,
                          catalog::Transaction& transaction);
  catalog::Transaction::Update UpdateOf(const catalog::ScalableTarget& target) const;
  Target* Find(const std::string& uid);

  catalog::Catalog* catalog_;
  Scheduler* scheduler_;
  const Clock* clock_;
  Random* random_;
  const ScalingSources sources_;
  const Time begun_;
  Worklist worklist_;
  std::map<std::string, Target> targets_;                      // by uid
  std::map<serving::VariantName, std::string> uids_;           // of the targets, by variant
  std::map<std::string, Endpoint, std::less<>> endpoints_;     // by name, of endpoints that have targets
  std::map<std::string, std::deque<std::string>> activities_;  // uids by resource id, the oldest first
};

}  // namespace argosy::control
