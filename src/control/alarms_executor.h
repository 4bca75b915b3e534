// Evaluates alarms at their times and writes what has changed. Keeps all of them in memory, fed by the catalog's change
// feed.
//
// Lives on the control thread; OnChange may be called from any thread. Metrics are read elsewhere (`offload`). While a
// look at an alarm is under way or being saved, it is not looked at again.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/scheduler.h"
#include "catalog/catalog.h"
#include "control/alarms.h"
#include "control/alarms_planner.h"
#include "control/worklist.h"
#include "observe/metrics.h"

namespace argosy::control {

class AlarmsExecutor {
 public:
  // Runs `work` where it may block, and then on the control thread what it returns.
  using Offload = std::function<void(std::function<Task()> work)>;
  AlarmsExecutor(catalog::Catalog* catalog, observe::MetricReader* reader, Offload offload, Scheduler* scheduler,
                 const Clock* clock, std::string region, std::string account);

  // Before Start; told of the news of all alarms. The listener outlives the executor's last call.
  void AddListener(AlarmListener* listener) { listeners_.push_back(listener); }
  void OnInAlarm(InAlarmListener listener) { in_alarm_ = std::move(listener); }

  // Reads the catalog. Once, before the loop runs.
  Status Start();
  void OnChange(const catalog::Change& change);

 private:
  struct Alarm {
    std::string uid;
    uint64_t version = 0;
    std::string spec_text;
    catalog::AlarmSpec spec;
    catalog::AlarmState state;
    bool busy = false;
    std::optional<double> newest;  // as last evaluated
  };

  void Take(const catalog::Resource& resource);
  void Evaluate(const std::string& uid);
  void OnRead(const std::string& uid, uint64_t version, Time now, Time end,
              Result<std::vector<observe::MetricPeriod>> periods);
  void Save(Alarm& alarm, const AlarmVerdict& verdict, Time now);
  void Tell(const Alarm& alarm, const std::string& old_state, Time at);
  void TellInAlarm() const;
  void Schedule(const Alarm& alarm);

  catalog::Catalog* catalog_;
  observe::MetricReader* reader_;
  Offload offload_;
  Scheduler* scheduler_;
  const Clock* clock_;
  const std::string region_;
  const std::string account_;
  std::vector<AlarmListener*> listeners_;
  InAlarmListener in_alarm_;
  Worklist worklist_;
  std::map<std::string, Alarm> alarms_;  // by uid
};

}  // namespace argosy::control
