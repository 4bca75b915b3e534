// What others hear of alarms: scaling policies act on news, deployments on which are in ALARM.
//
// All on the control thread.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"

namespace argosy::control {

// A change of an alarm's state, or one more evaluation of an alarm that is in ALARM (an action of scaling goes on for
// as long as that lasts).
struct AlarmNews {
  std::string name;
  std::string arn;
  std::string state;      // OK, ALARM, INSUFFICIENT_DATA
  std::string old_state;  // the same when it is not a change
  Time at{};              // of the evaluation, or of SetAlarmState
  // ARNs that the alarm names for this state; empty while its actions are disabled.
  std::vector<std::string> actions;
  double threshold = 0;
  std::string comparison;       // GreaterThanThreshold, …
  std::optional<double> value;  // the newest datapoint that was looked at

  bool changed() const { return state != old_state; }
};

class AlarmListener {
 public:
  virtual ~AlarmListener() = default;
  // For every alarm, whatever its actions are; the listener picks the ARNs that are its own.
  virtual void OnAlarm(const AlarmNews& news) = 0;
};

// The names of all alarms that are in ALARM now: told at the start and again at every change. A deployment goes back
// when one of its own is among them.
using InAlarmListener = std::function<void(std::set<std::string, std::less<>> names)>;

}  // namespace argosy::control
