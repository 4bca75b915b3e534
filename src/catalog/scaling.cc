#include "catalog/scaling.h"

#include <algorithm>

#include "catalog/json_fields.h"

namespace argosy::catalog {
namespace {

constexpr int64_t kCountMax = 10'000;
constexpr int64_t kSecondsMax = 1'000'000'000;

uint32_t Natural(const Json& json, const char* name, int64_t most, int64_t fallback = 0) {
  return static_cast<uint32_t>(std::clamp<int64_t>(IntField(json, name, fallback), 0, most));
}

std::optional<uint32_t> OptionalCount(const Json& json, const char* name) {
  const auto it = json.find(name);
  if (it == json.end() || !it->is_number()) return std::nullopt;
  return Natural(json, name, kCountMax);
}

std::optional<double> OptionalNumber(const Json& json, const char* name) {
  const auto it = json.find(name);
  if (it == json.end() || !it->is_number()) return std::nullopt;
  return it->get<double>();
}

std::optional<Time> OptionalSeconds(const Json& json, const char* name) {
  const std::optional<double> seconds = OptionalNumber(json, name);
  if (!seconds) return std::nullopt;
  return FromUnixSeconds(std::clamp(*seconds, 0.0, 9.2e9));  // what nanoseconds since 1970 can hold
}

bool Has(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_object() && !it->empty();
}

TargetTracking TrackingFromJson(const Json& json) {
  TargetTracking tracking;
  tracking.target_value = NumberField(json, "TargetValue");
  tracking.out_cooldown_seconds = Natural(json, "ScaleOutCooldown", kSecondsMax, 300);
  tracking.in_cooldown_seconds = Natural(json, "ScaleInCooldown", kSecondsMax, 300);
  tracking.disable_scale_in = FlagField(json, "DisableScaleIn");
  tracking.metric.predefined = TextField(ObjectField(json, "PredefinedMetricSpecification"), "PredefinedMetricType");
  const Json& custom = ObjectField(json, "CustomizedMetricSpecification");
  tracking.metric.name_space = TextField(custom, "Namespace");
  tracking.metric.name = TextField(custom, "MetricName");
  tracking.metric.statistic = TextField(custom, "Statistic");
  tracking.metric.unit = TextField(custom, "Unit");
  for (const Json& dimension : ArrayField(custom, "Dimensions")) {
    tracking.metric.dimensions[TextField(dimension, "Name")] = TextField(dimension, "Value");
  }
  return tracking;
}

StepScaling StepFromJson(const Json& json) {
  StepScaling step;
  step.adjustment_type = TextField(json, "AdjustmentType");
  step.min_magnitude = Natural(json, "MinAdjustmentMagnitude", kCountMax);
  step.cooldown_seconds = Natural(json, "Cooldown", kSecondsMax, 300);
  for (const Json& item : ArrayField(json, "StepAdjustments")) {
    const int64_t by = std::clamp<int64_t>(IntField(item, "ScalingAdjustment"), -1'000'000, 1'000'000);
    step.steps.push_back({OptionalNumber(item, "MetricIntervalLowerBound"),
                          OptionalNumber(item, "MetricIntervalUpperBound"), static_cast<int32_t>(by)});
  }
  return step;
}

PredictiveScaling PredictiveFromJson(const Json& json) {
  PredictiveScaling predictive;
  const Json& metrics = ArrayField(json, "MetricSpecifications");
  if (!metrics.empty()) predictive.target_value = NumberField(metrics[0], "TargetValue");
  predictive.buffer_seconds = Natural(json, "SchedulingBufferTime", 3600);
  return predictive;
}

}  // namespace

std::optional<VariantId> ParseResourceId(std::string_view resource_id) {
  constexpr std::string_view kEndpoint = "endpoint/";
  constexpr std::string_view kVariant = "/variant/";
  if (!resource_id.starts_with(kEndpoint)) return std::nullopt;
  resource_id.remove_prefix(kEndpoint.size());
  const size_t slash = resource_id.find('/');
  if (slash == std::string_view::npos || !resource_id.substr(slash).starts_with(kVariant)) return std::nullopt;
  const std::string_view variant = resource_id.substr(slash + kVariant.size());
  if (slash == 0 || variant.empty() || variant.find('/') != std::string_view::npos) return std::nullopt;
  return VariantId{std::string(resource_id.substr(0, slash)), std::string(variant)};
}

std::string ResourceIdOf(std::string_view endpoint, std::string_view variant) {
  return "endpoint/" + std::string(endpoint) + "/variant/" + std::string(variant);
}

std::string PolicyResourceName(std::string_view resource_id, std::string_view policy_name) {
  return std::string(resource_id) + ":policyName/" + std::string(policy_name);
}

std::string ActionResourceName(std::string_view resource_id, std::string_view action_name) {
  return std::string(resource_id) + ":scheduledActionName/" + std::string(action_name);
}

Result<ScalableTarget> ScalableTarget::FromResource(const Resource& resource) {
  Result<Json> spec = ParseObject(resource.spec, "scalable target");
  if (!spec.ok()) return spec.error();
  Result<Json> kept = ParseObject(resource.state, "scalable target's state");
  if (!kept.ok()) return kept.error();
  ScalableTarget target;
  target.uid = resource.uid;
  target.resource_id = resource.name;
  target.endpoint_uid = resource.owner;
  target.version = resource.version;
  target.created = resource.created;
  target.min_capacity = Natural(*spec, "MinCapacity", kCountMax);
  target.max_capacity = Natural(*spec, "MaxCapacity", kCountMax);
  target.role_arn = TextField(*spec, "RoleARN");
  const Json& suspended = ObjectField(*spec, "SuspendedState");
  target.suspended = {FlagField(suspended, "DynamicScalingInSuspended"),
                      FlagField(suspended, "DynamicScalingOutSuspended"),
                      FlagField(suspended, "ScheduledScalingSuspended")};
  target.state = {.last_out = TimeField(*kept, "last_out"),
                  .last_in = TimeField(*kept, "last_in"),
                  .out_cooldown_seconds = Natural(*kept, "out_cooldown", kSecondsMax),
                  .in_cooldown_seconds = Natural(*kept, "in_cooldown", kSecondsMax),
                  .out_base = Natural(*kept, "out_base", kCountMax),
                  .activity = TextField(*kept, "activity"),
                  .wanted = Natural(*kept, "wanted", kCountMax),
                  .last_failed = TimeField(*kept, "last_failed")};
  return target;
}

std::string ScalableTarget::SpecJson() const {
  return DumpJson(Json{{"MinCapacity", min_capacity},
                       {"MaxCapacity", max_capacity},
                       {"RoleARN", role_arn},
                       {"SuspendedState",
                        {{"DynamicScalingInSuspended", suspended.scale_in},
                         {"DynamicScalingOutSuspended", suspended.scale_out},
                         {"ScheduledScalingSuspended", suspended.scheduled}}}});
}

std::string ScalableTarget::StateJson() const {
  Json json = {{"out_cooldown", state.out_cooldown_seconds},
               {"in_cooldown", state.in_cooldown_seconds},
               {"out_base", state.out_base},
               {"activity", state.activity},
               {"wanted", state.wanted}};
  SetTime(json, "last_out", state.last_out);
  SetTime(json, "last_in", state.last_in);
  SetTime(json, "last_failed", state.last_failed);
  return DumpJson(json);
}

Result<ScalingPolicy> ScalingPolicy::FromResource(const Resource& resource) {
  Result<Json> spec = ParseObject(resource.spec, "scaling policy");
  if (!spec.ok()) return spec.error();
  ScalingPolicy policy;
  policy.uid = resource.uid;
  policy.name = TextField(*spec, "PolicyName");
  policy.target_uid = resource.owner;
  policy.resource_id = TextField(*spec, "ResourceId");
  policy.version = resource.version;
  policy.created = resource.created;
  policy.arn = TextField(*spec, "PolicyARN");
  policy.learned = resource.state;
  const std::string type = TextField(*spec, "PolicyType", "StepScaling");
  if (type == "TargetTrackingScaling") {
    policy.tracking = TrackingFromJson(ObjectField(*spec, "TargetTrackingScalingPolicyConfiguration"));
  } else if (type == "PredictiveScaling") {
    policy.predictive = PredictiveFromJson(ObjectField(*spec, "PredictiveScalingPolicyConfiguration"));
  } else if (Has(*spec, "StepScalingPolicyConfiguration")) {
    policy.step = StepFromJson(ObjectField(*spec, "StepScalingPolicyConfiguration"));
  }
  return policy;
}

Result<ScheduledAction> ScheduledAction::FromResource(const Resource& resource) {
  Result<Json> spec = ParseObject(resource.spec, "scheduled action");
  if (!spec.ok()) return spec.error();
  Result<Json> kept = ParseObject(resource.state, "scheduled action's state");
  if (!kept.ok()) return kept.error();
  const Json& bounds = ObjectField(*spec, "ScalableTargetAction");
  ScheduledAction action;
  action.uid = resource.uid;
  action.name = TextField(*spec, "ScheduledActionName");
  action.target_uid = resource.owner;
  action.resource_id = TextField(*spec, "ResourceId");
  action.version = resource.version;
  action.created = resource.created;
  action.schedule = TextField(*spec, "Schedule");
  action.timezone = TextField(*spec, "Timezone");
  action.start = OptionalSeconds(*spec, "StartTime");
  action.end = OptionalSeconds(*spec, "EndTime");
  action.min_capacity = OptionalCount(bounds, "MinCapacity");
  action.max_capacity = OptionalCount(bounds, "MaxCapacity");
  action.last_run = TimeField(*kept, "last_run");
  return action;
}

std::string ScheduledAction::StateJson() const {
  Json json = Json::object();
  SetTime(json, "last_run", last_run);
  return DumpJson(json);
}

Result<ScalingActivity> ScalingActivity::FromResource(const Resource& resource) {
  Result<Json> spec = ParseObject(resource.spec, "scaling activity");
  if (!spec.ok()) return spec.error();
  Result<Json> kept = ParseObject(resource.state, "scaling activity's state");
  if (!kept.ok()) return kept.error();
  ScalingActivity activity;
  activity.uid = resource.uid;
  activity.resource_id = resource.owner;
  activity.description = TextField(*spec, "Description");
  activity.cause = TextField(*spec, "Cause");
  activity.start = resource.created;
  activity.end = TimeField(*kept, "end");
  activity.status = resource.status;
  activity.message = TextField(*kept, "message");
  activity.not_scaled_code = TextField(*spec, "not_scaled");
  activity.wanted = Natural(*spec, "wanted", kCountMax);
  activity.min_capacity = Natural(*spec, "min", kCountMax);
  activity.max_capacity = Natural(*spec, "max", kCountMax);
  activity.current_capacity = Natural(*spec, "current", kCountMax);
  return activity;
}

Resource ScalingActivity::ToResource() const {
  Resource r;
  r.kind = Kind::kScalingActivity;
  r.name = uid;
  r.uid = uid;
  r.created = r.modified = start;
  r.status = status;
  r.owner = resource_id;
  Json spec = {{"Description", description}, {"Cause", cause}, {"wanted", wanted}};
  if (!not_scaled_code.empty()) {
    spec["not_scaled"] = not_scaled_code;
    spec["min"] = min_capacity;
    spec["max"] = max_capacity;
    spec["current"] = current_capacity;
  }
  r.spec = DumpJson(spec);
  r.state = ActivityStateJson(message, end);
  return r;
}

std::string ActivityStateJson(std::string_view message, std::optional<Time> end) {
  Json kept = {{"message", message}};
  SetTime(kept, "end", end);
  return DumpJson(kept);
}

}  // namespace argosy::catalog
