// What state an alarm is in. Pure: its metric's periods and the time in, a verdict out.
//
// CloudWatch's rules ("Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data" in its user
// guide): M of the last N datapoints must breach. A few more than N are looked at; when data is missing, the newest N
// that exist count. Only when fewer than N exist do missing ones matter, as TreatMissingData says:
//   notBreaching, breaching   they fill up the N
//   ignore                    the state stays, when all that exists breaches and yet M do not
//   missing                   ALARM, when all that exists breaches and the oldest of it is at least M periods old
// With no datapoint at all: INSUFFICIENT_DATA for `missing`, the same state for `ignore`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/alarm.h"
#include "observe/metrics.h"

namespace argosy::control {

// Datapoints looked at beyond EvaluationPeriods, in which older ones are found when the newest are missing.
inline constexpr int64_t kAlarmDatapointsMore = 2;
// Values of a second arrive a little after it: a period is looked at that much later than it ends.
inline constexpr Duration kAlarmSettle = std::chrono::seconds(2);

struct AlarmDatapoint {
  Time start{};
  std::optional<observe::Distribution> values;
};

struct AlarmVerdict {
  std::string state;
  std::string reason;
  std::string reason_data;
  std::optional<double> newest;  // the newest datapoint's value
};

// The end of the newest period that is looked at at `now`, and when there is a newer one: every period, and for long
// periods every minute.
Time AlarmEvaluationEnd(const catalog::AlarmSpec& spec, Time now);
Time NextAlarmEvaluation(const catalog::AlarmSpec& spec, Time now);

// What is to be read of the metric: [begin, end) in periods of `length`, of which every datapoint is a whole number.
struct AlarmReadRange {
  Time begin{};
  Time end{};
  Duration length{};
};
AlarmReadRange RangeToRead(const catalog::AlarmSpec& spec, Time end);

observe::MetricKey AlarmMetric(const catalog::AlarmSpec& spec);

// Oldest first; each a period of the alarm's.
std::vector<AlarmDatapoint> AlarmDatapoints(const catalog::AlarmSpec& spec,
                                            const std::vector<observe::MetricPeriod>& periods, Time end);

// `present` is the alarm's state until now.
AlarmVerdict EvaluateAlarm(const catalog::AlarmSpec& spec, const std::vector<AlarmDatapoint>& datapoints,
                           const std::string& present, Time now);

}  // namespace argosy::control
