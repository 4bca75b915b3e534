// How traffic moves from an endpoint's old fleet to its new one.
//
// Names and meanings are SageMaker's (API reference: DeploymentConfig). Blue/green: the whole new fleet is up before
// any traffic moves; then it moves at once, in two steps (canary) or in equal ones (linear), with a wait after each,
// and the old fleet stays for a while after the last. Rolling: a batch of new instances takes the place of as many old
// ones at a time. An alarm that goes off meanwhile brings all traffic back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace argosy::catalog {

enum class TrafficRouting { kAllAtOnce, kCanary, kLinear, kRolling };

struct CapacitySize {
  enum class Type { kInstanceCount, kCapacityPercent };
  Type type = Type::kCapacityPercent;
  uint32_t value = 100;

  // So many of `capacity` instances: at least one, at most all.
  uint32_t Instances(uint32_t capacity) const;
  // So much of the traffic that `capacity` instances take: 1 to 100.
  uint32_t Percent(uint32_t capacity) const;
};

struct DeploymentConfig {
  TrafficRouting routing = TrafficRouting::kAllAtOnce;
  CapacitySize step;                      // of canary, linear and rolling
  uint32_t wait_seconds = 0;              // after each step
  uint32_t termination_wait_seconds = 0;  // blue/green: after the last, before the old fleet ends
  uint32_t timeout_seconds = 0;           // the whole of it; 0 = none
  std::vector<std::string> alarms;        // names

  // `request` is the API's DeploymentConfig, valid by shape. kInvalidArgument says which rule between its members is
  // broken. An empty one gives the defaults: all at once.
  static Result<DeploymentConfig> FromRequest(const Json& request);
  // kInvalidArgument when a step in instances is no such share of a fleet of `instances` as one in percent would have
  // to be. One instance at a time is never too many.
  Status CheckFleet(uint32_t instances) const;
};

// One that is under way.
struct Deployment {
  DeploymentConfig config;
  Time began{};
  uint32_t share = 0;              // percent of the traffic that the new fleet gets
  std::optional<Time> stepped_at;  // when the last step was made
  bool rolling_back = false;       // of a rolling one: old instances are coming back; why is the failure reason
  std::map<std::string, uint32_t> old_counts;  // of a rolling one: what the old fleet's variants had
};

Json DeploymentConfigToJson(const DeploymentConfig& config);  // as stored
DeploymentConfig DeploymentConfigFromJson(const Json& json);
Json DeploymentToJson(const Deployment& deployment);
Deployment DeploymentFromJson(const Json& json);

}  // namespace argosy::catalog
