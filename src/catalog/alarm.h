// An alarm on a metric: what was asked, what is so, and what has happened to it.
//
// Names and states are CloudWatch's (API reference: PutMetricAlarm, MetricAlarm).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace argosy::catalog {

inline constexpr std::string_view kAlarmOk = "OK";
inline constexpr std::string_view kAlarmInAlarm = "ALARM";
inline constexpr std::string_view kAlarmInsufficientData = "INSUFFICIENT_DATA";

inline constexpr size_t kAlarmHistoryMax = 20;  // items kept of one alarm: every write of its state carries them

struct AlarmSpec {
  std::string alarm_name;
  std::string name_space;
  std::string metric_name;
  std::map<std::string, std::string> dimensions;
  std::string statistic;  // Sum, …, or p99
  std::string unit;       // "" = whatever unit
  int64_t period_seconds = 60;
  int64_t evaluation_periods = 1;
  int64_t datapoints_to_alarm = 1;
  double threshold = 0;
  std::string comparison;                 // GreaterThanThreshold, …
  std::string treat_missing = "missing";  // breaching, notBreaching, ignore
  bool actions_enabled = true;
  std::vector<std::string> ok_actions, alarm_actions, insufficient_data_actions;

  // Reads what PutMetricAlarm was given; what is not there has its default.
  static Result<AlarmSpec> FromRequestJson(std::string_view json);

  // ARNs named for a state; none while actions are disabled.
  std::vector<std::string> ActionsFor(std::string_view state) const;
};

std::string AlarmArn(std::string_view region, std::string_view account, std::string_view name);
// Whether an action is a policy of Application Auto Scaling, the only ones that are carried out.
bool IsScalingPolicyArn(std::string_view arn);

struct AlarmHistoryItem {
  Time at{};
  std::string type;     // ConfigurationUpdate, StateUpdate, Action
  std::string summary;  // one sentence
  std::string data;     // JSON
};

struct AlarmState {
  std::string value = std::string(kAlarmInsufficientData);
  std::string reason = "Unchecked: Initial alarm creation";
  std::string reason_data;                // JSON, or none
  Time updated{};                         // when value or reason were set last
  Time transitioned{};                    // when the value became another
  Time configured{};                      // when the spec was written last
  std::vector<AlarmHistoryItem> history;  // oldest first

  // Goes over to `new_value` and notes it, with what became of the actions named for it.
  void Enter(const AlarmSpec& spec, std::string_view new_value, std::string new_reason, std::string new_reason_data,
             Time at);
  void Note(AlarmHistoryItem item);

  static Result<AlarmState> FromJson(std::string_view json);
  std::string ToJson() const;
};

}  // namespace argosy::catalog
