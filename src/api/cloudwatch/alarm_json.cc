#include "api/cloudwatch/alarm_json.h"

#include <nlohmann/json.hpp>

#include "auth/principal.h"
#include "catalog/json_fields.h"

namespace argosy::api::cloudwatch {
namespace {

// Given back as they were sent.
constexpr const char* kSentMembers[] = {"AlarmName",
                                        "AlarmDescription",
                                        "OKActions",
                                        "AlarmActions",
                                        "InsufficientDataActions",
                                        "MetricName",
                                        "Namespace",
                                        "Statistic",
                                        "ExtendedStatistic",
                                        "Dimensions",
                                        "Period",
                                        "Unit",
                                        "EvaluationPeriods",
                                        "DatapointsToAlarm",
                                        "Threshold",
                                        "ComparisonOperator",
                                        "TreatMissingData",
                                        "EvaluateLowSampleCountPercentile"};

}  // namespace

Result<Json> AlarmJson(const Context& context, const catalog::Resource& resource) {
  Result<Json> sent = catalog::ParseObject(resource.spec, "stored alarm");
  if (!sent.ok()) return sent;
  const Result<catalog::AlarmSpec> spec = catalog::AlarmSpec::FromRequestJson(resource.spec);
  const Result<catalog::AlarmState> state = catalog::AlarmState::FromJson(resource.state);
  if (!spec.ok()) return spec.error();
  if (!state.ok()) return state.error();
  Json out = {{"OKActions", Json::array()},
              {"AlarmActions", Json::array()},
              {"InsufficientDataActions", Json::array()},
              {"Dimensions", Json::array()}};
  for (const char* member : kSentMembers) {
    const auto found = sent->find(member);
    if (found != sent->end() && !found->is_null()) out[member] = *found;
  }
  out["AlarmArn"] = catalog::AlarmArn(context.region, auth::kAccountId, resource.name);
  out["ActionsEnabled"] = spec->actions_enabled;
  out["AlarmConfigurationUpdatedTimestamp"] = ToUnixSeconds(state->configured);
  out["StateValue"] = state->value;
  out["StateReason"] = state->reason;
  if (!state->reason_data.empty()) out["StateReasonData"] = state->reason_data;
  out["StateUpdatedTimestamp"] = ToUnixSeconds(state->updated);
  out["StateTransitionedTimestamp"] = ToUnixSeconds(state->transitioned);
  return out;
}

Result<std::vector<catalog::AlarmHistoryItem>> AlarmHistory(const catalog::Resource& resource) {
  Result<catalog::AlarmState> state = catalog::AlarmState::FromJson(resource.state);
  if (!state.ok()) return state.error();
  return std::move(state->history);
}

Json HistoryItemJson(const std::string& alarm_name, const catalog::AlarmHistoryItem& item) {
  return {{"AlarmName", alarm_name},      {"AlarmType", "MetricAlarm"},     {"Timestamp", ToUnixSeconds(item.at)},
          {"HistoryItemType", item.type}, {"HistorySummary", item.summary}, {"HistoryData", item.data}};
}

}  // namespace argosy::api::cloudwatch
