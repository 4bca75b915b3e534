#include "catalog/deployment.h"

#include <algorithm>

#include "catalog/json_fields.h"

namespace argosy::catalog {
namespace {

constexpr const char* kRoutingNames[] = {"ALL_AT_ONCE", "CANARY", "LINEAR", "ROLLING"};
constexpr const char* kSizeNames[] = {"INSTANCE_COUNT", "CAPACITY_PERCENT"};

CapacitySize SizeFromJson(const Json& json) {
  CapacitySize size;
  size.type = TextField(json, "Type") == kSizeNames[0] ? CapacitySize::Type::kInstanceCount
                                                       : CapacitySize::Type::kCapacityPercent;
  size.value = static_cast<uint32_t>(std::clamp<int64_t>(IntField(json, "Value", 100), 1, 1'000'000));
  return size;
}

Json SizeToJson(const CapacitySize& size) {
  return {{"Type", kSizeNames[static_cast<size_t>(size.type)]}, {"Value", size.value}};
}

uint32_t Seconds(const Json& json, const char* name) {
  return static_cast<uint32_t>(std::max<int64_t>(IntField(json, name), 0));
}

// What a step may be, in percent of the fleet; SageMaker's. By TrafficRouting.
struct StepRule {
  const char* name;
  uint32_t least, most;
};
constexpr StepRule kStepRules[] = {
    {"", 1, 100}, {"CanarySize", 1, 50}, {"LinearStepSize", 10, 50}, {"MaximumBatchSize", 5, 50}};

const StepRule& RuleOf(TrafficRouting routing) {
  return kStepRules[static_cast<size_t>(routing)];
}

Status CheckPercent(const CapacitySize& size, const StepRule& rule) {
  if (size.type != CapacitySize::Type::kCapacityPercent || (size.value >= rule.least && size.value <= rule.most)) {
    return {};
  }
  return Error(ErrorCode::kInvalidArgument, std::string(rule.name) + " of type CAPACITY_PERCENT must be between " +
                                                std::to_string(rule.least) + " and " + std::to_string(rule.most) +
                                                "; it is " + std::to_string(size.value));
}

}  // namespace

uint32_t CapacitySize::Instances(uint32_t capacity) const {
  const uint64_t wanted = type == Type::kInstanceCount ? value : (uint64_t{capacity} * value + 99) / 100;
  return static_cast<uint32_t>(std::clamp<uint64_t>(wanted, 1, std::max(capacity, 1U)));
}

uint32_t CapacitySize::Percent(uint32_t capacity) const {
  const uint64_t wanted = type == Type::kCapacityPercent ? value : (uint64_t{value} * 100) / std::max(capacity, 1U);
  return static_cast<uint32_t>(std::clamp<uint64_t>(wanted, 1, 100));
}

Result<DeploymentConfig> DeploymentConfig::FromRequest(const Json& request) {
  const auto fault = [](const std::string& sentence) { return Error(ErrorCode::kInvalidArgument, sentence); };
  DeploymentConfig config;
  for (const Json& alarm : ArrayField(ObjectField(request, "AutoRollbackConfiguration"), "Alarms")) {
    config.alarms.push_back(TextField(alarm, "AlarmName"));
  }
  const bool blue_green = request.contains("BlueGreenUpdatePolicy");
  if (request.contains("RollingUpdatePolicy")) {
    if (blue_green) return fault("BlueGreenUpdatePolicy and RollingUpdatePolicy exclude each other: give one");
    const Json& policy = ObjectField(request, "RollingUpdatePolicy");
    config.routing = TrafficRouting::kRolling;
    config.step = SizeFromJson(ObjectField(policy, "MaximumBatchSize"));
    if (Status valid = CheckPercent(config.step, RuleOf(config.routing)); !valid.ok()) return valid.error();
    config.wait_seconds = Seconds(policy, "WaitIntervalInSeconds");
    config.timeout_seconds = Seconds(policy, "MaximumExecutionTimeoutInSeconds");
    return config;
  }
  if (!blue_green) return config;
  const Json& policy = ObjectField(request, "BlueGreenUpdatePolicy");
  const Json& routing = ObjectField(policy, "TrafficRoutingConfiguration");
  const std::string type = TextField(routing, "Type", kRoutingNames[0]);
  const bool canary_size = routing.contains("CanarySize");
  const bool linear_size = routing.contains("LinearStepSize");
  if (type == "CANARY") {
    if (!canary_size) return fault("CanarySize is required when the traffic routing is of type CANARY");
    config.routing = TrafficRouting::kCanary;
    config.step = SizeFromJson(ObjectField(routing, "CanarySize"));
    if (Status valid = CheckPercent(config.step, RuleOf(config.routing)); !valid.ok()) return valid.error();
  }
  if (type == "LINEAR") {
    if (!linear_size) return fault("LinearStepSize is required when the traffic routing is of type LINEAR");
    config.routing = TrafficRouting::kLinear;
    config.step = SizeFromJson(ObjectField(routing, "LinearStepSize"));
    if (Status valid = CheckPercent(config.step, RuleOf(config.routing)); !valid.ok()) return valid.error();
  }
  if (canary_size && type != "CANARY") return fault("CanarySize is only for traffic routing of type CANARY");
  if (linear_size && type != "LINEAR") return fault("LinearStepSize is only for traffic routing of type LINEAR");
  config.wait_seconds = Seconds(routing, "WaitIntervalInSeconds");
  config.termination_wait_seconds = Seconds(policy, "TerminationWaitInSeconds");
  config.timeout_seconds = Seconds(policy, "MaximumExecutionTimeoutInSeconds");
  return config;
}

Status DeploymentConfig::CheckFleet(uint32_t instances) const {
  if (routing == TrafficRouting::kAllAtOnce || step.type != CapacitySize::Type::kInstanceCount) return {};
  const StepRule& rule = RuleOf(routing);
  const auto most = static_cast<uint32_t>(std::max<uint64_t>(uint64_t{instances} * rule.most / 100, 1));
  const auto least = static_cast<uint32_t>(std::max<uint64_t>((uint64_t{instances} * rule.least + 99) / 100, 1));
  if (step.value >= least && step.value <= most) return {};
  return Error(ErrorCode::kInvalidArgument,
               std::string(rule.name) + " of type INSTANCE_COUNT must be between " + std::to_string(rule.least) +
                   " and " + std::to_string(rule.most) + " % of the " + std::to_string(instances) +
                   " instances that the endpoint is to have, which is " + std::to_string(least) + " to " +
                   std::to_string(most) + "; it is " + std::to_string(step.value));
}

Json DeploymentConfigToJson(const DeploymentConfig& config) {
  Json json = {{"routing", kRoutingNames[static_cast<size_t>(config.routing)]}, {"step", SizeToJson(config.step)}};
  if (config.wait_seconds != 0) json["wait"] = config.wait_seconds;
  if (config.termination_wait_seconds != 0) json["termination_wait"] = config.termination_wait_seconds;
  if (config.timeout_seconds != 0) json["timeout"] = config.timeout_seconds;
  if (!config.alarms.empty()) json["alarms"] = config.alarms;
  return json;
}

DeploymentConfig DeploymentConfigFromJson(const Json& json) {
  DeploymentConfig config;
  const std::string routing = TextField(json, "routing");
  const auto* const known = std::find(std::begin(kRoutingNames), std::end(kRoutingNames), routing);
  if (known != std::end(kRoutingNames)) config.routing = static_cast<TrafficRouting>(known - kRoutingNames);
  config.step = SizeFromJson(ObjectField(json, "step"));
  config.wait_seconds = Seconds(json, "wait");
  config.termination_wait_seconds = Seconds(json, "termination_wait");
  config.timeout_seconds = Seconds(json, "timeout");
  for (const Json& alarm : ArrayField(json, "alarms")) {
    if (alarm.is_string()) config.alarms.push_back(alarm.get<std::string>());
  }
  return config;
}

Json DeploymentToJson(const Deployment& deployment) {
  Json json = {{"config", DeploymentConfigToJson(deployment.config)}, {"share", deployment.share}};
  SetTime(json, "began", deployment.began);
  SetTime(json, "stepped_at", deployment.stepped_at);
  if (deployment.rolling_back) json["rolling_back"] = true;
  if (!deployment.old_counts.empty()) json["old_counts"] = deployment.old_counts;
  return json;
}

Deployment DeploymentFromJson(const Json& json) {
  Deployment deployment;
  deployment.config = DeploymentConfigFromJson(ObjectField(json, "config"));
  deployment.began = TimeField(json, "began").value_or(Time());
  deployment.share = std::min(Seconds(json, "share"), 100U);
  deployment.stepped_at = TimeField(json, "stepped_at");
  deployment.rolling_back = FlagField(json, "rolling_back");
  for (const auto& [name, count] : ObjectField(json, "old_counts").items()) {
    if (count.is_number_unsigned()) deployment.old_counts[name] = count.get<uint32_t>();
  }
  return deployment;
}

}  // namespace argosy::catalog
