#include "catalog/alarm.h"

#include <utility>

#include "catalog/json_fields.h"

namespace argosy::catalog {
namespace {

std::vector<std::string> AlarmTextList(const Json& json, const char* name) {
  std::vector<std::string> out;
  for (const Json& item : ArrayField(json, name)) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

Json StateNote(std::string_view value, const std::string& reason, const std::string& reason_data) {
  Json out = {{"stateValue", value}, {"stateReason", reason}};
  const Result<Json> data = ParseJson(reason_data);
  if (data.ok() && data->is_object()) out["stateReasonData"] = *data;
  return out;
}

}  // namespace

Result<AlarmSpec> AlarmSpec::FromRequestJson(std::string_view text) {
  Result<Json> parsed = ParseObject(text, "alarm request");
  if (!parsed.ok()) return parsed.error();
  const Json& json = *parsed;
  AlarmSpec spec;
  spec.alarm_name = TextField(json, "AlarmName");
  spec.name_space = TextField(json, "Namespace");
  spec.metric_name = TextField(json, "MetricName");
  for (const Json& dimension : ArrayField(json, "Dimensions")) {
    if (dimension.is_object()) spec.dimensions[TextField(dimension, "Name")] = TextField(dimension, "Value");
  }
  spec.statistic = TextField(json, "Statistic", TextField(json, "ExtendedStatistic"));
  spec.unit = TextField(json, "Unit");
  spec.period_seconds = IntField(json, "Period", 60);
  spec.evaluation_periods = IntField(json, "EvaluationPeriods", 1);
  spec.datapoints_to_alarm = IntField(json, "DatapointsToAlarm", spec.evaluation_periods);
  spec.threshold = NumberField(json, "Threshold");
  spec.comparison = TextField(json, "ComparisonOperator");
  spec.treat_missing = TextField(json, "TreatMissingData", "missing");
  const auto enabled = json.find("ActionsEnabled");
  spec.actions_enabled = enabled == json.end() || !enabled->is_boolean() || enabled->get<bool>();
  spec.ok_actions = AlarmTextList(json, "OKActions");
  spec.alarm_actions = AlarmTextList(json, "AlarmActions");
  spec.insufficient_data_actions = AlarmTextList(json, "InsufficientDataActions");
  return spec;
}

std::vector<std::string> AlarmSpec::ActionsFor(std::string_view state) const {
  if (!actions_enabled) return {};
  if (state == kAlarmOk) return ok_actions;
  return state == kAlarmInAlarm ? alarm_actions : insufficient_data_actions;
}

std::string AlarmArn(std::string_view region, std::string_view account, std::string_view name) {
  return "arn:aws:cloudwatch:" + std::string(region) + ":" + std::string(account) + ":alarm:" + std::string(name);
}

bool IsScalingPolicyArn(std::string_view arn) {
  return arn.starts_with("arn:aws:autoscaling:") && arn.find(":scalingPolicy:") != std::string_view::npos;
}

void AlarmState::Note(AlarmHistoryItem item) {
  if (history.size() >= kAlarmHistoryMax) history.erase(history.begin());
  history.push_back(std::move(item));
}

void AlarmState::Enter(const AlarmSpec& spec, std::string_view new_value, std::string new_reason,
                       std::string new_reason_data, Time at) {
  const Json note = {{"version", "1.0"},
                     {"oldState", StateNote(value, reason, reason_data)},
                     {"newState", StateNote(new_value, new_reason, new_reason_data)}};
  if (value != new_value) {
    transitioned = at;
    Note({at, "StateUpdate", "Alarm updated from " + value + " to " + std::string(new_value), DumpJson(note)});
    for (const std::string& action : spec.ActionsFor(new_value)) {
      const bool scaling = IsScalingPolicyArn(action);
      Note(
          {at, "Action",
           (scaling ? "Handed to Application Auto Scaling: " : "Not delivered, since Argosy sends no notifications: ") +
               action.substr(0, 160),
           DumpJson(Json{{"actionState", scaling ? "Succeeded" : "Failed"}, {"notificationResource", action}})});
    }
  }
  value = new_value;
  reason = std::move(new_reason);
  reason_data = std::move(new_reason_data);
  updated = at;
}

Result<AlarmState> AlarmState::FromJson(std::string_view text) {
  Result<Json> parsed = ParseObject(text, "alarm state");
  if (!parsed.ok()) return parsed.error();
  const Json& json = *parsed;
  AlarmState state;
  state.value = TextField(json, "value", state.value);
  state.reason = TextField(json, "reason", state.reason);
  state.reason_data = TextField(json, "reason_data");
  state.updated = TimeField(json, "updated").value_or(Time{});
  state.transitioned = TimeField(json, "transitioned").value_or(Time{});
  state.configured = TimeField(json, "configured").value_or(Time{});
  for (const Json& item : ArrayField(json, "history")) {
    if (!item.is_object()) continue;
    state.Note({TimeField(item, "at").value_or(Time{}), TextField(item, "type"), TextField(item, "summary"),
                TextField(item, "data")});
  }
  return state;
}

std::string AlarmState::ToJson() const {
  Json json = {{"value", value}, {"reason", reason}};
  if (!reason_data.empty()) json["reason_data"] = reason_data;
  SetTime(json, "updated", updated);
  SetTime(json, "transitioned", transitioned);
  SetTime(json, "configured", configured);
  for (const AlarmHistoryItem& item : history) {
    Json note = {{"type", item.type}, {"summary", item.summary}, {"data", item.data}};
    SetTime(note, "at", item.at);
    json["history"].push_back(std::move(note));
  }
  return DumpJson(json);
}

}  // namespace argosy::catalog
