// Application Auto Scaling's nouns: scalable targets, their policies, scheduled actions and scaling activities.
//
// A target is one endpoint variant's desired instance count; its resource is called by the target's ResourceId and
// owned by the endpoint. Policies and scheduled actions are owned by the target (its uid) and called by ResourceId and
// own name. Activities are owned by the ResourceId, as text: they outlive their target. Names are the API's
// (API reference: RegisterScalableTarget, PutScalingPolicy, PutScheduledAction, DescribeScalingActivities).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/resource.h"

namespace argosy::catalog {

inline constexpr std::string_view kScalingNamespace = "sagemaker";
inline constexpr std::string_view kScalingDimension = "sagemaker:variant:DesiredInstanceCount";

// endpoint/<endpoint>/variant/<variant>
struct VariantId {
  std::string endpoint;
  std::string variant;
};
std::optional<VariantId> ParseResourceId(std::string_view resource_id);
std::string ResourceIdOf(std::string_view endpoint, std::string_view variant);

struct SuspendedState {
  bool scale_in = false;
  bool scale_out = false;
  bool scheduled = false;
};

// What is remembered of the last changes, for cooldowns.
struct ScalableTargetState {
  std::optional<Time> last_out;  // when it ended, or was asked for while it goes on
  std::optional<Time> last_in;
  uint32_t out_cooldown_seconds = 0;  // of the policy that asked
  uint32_t in_cooldown_seconds = 0;
  uint32_t out_base = 0;  // the count before the scale-out that the cooldown is of
  std::string activity;   // uid of the one that is InProgress; "" = none
  uint32_t wanted = 0;    // the count it asks for
  std::optional<Time> last_failed;
};

struct ScalableTarget {
  std::string uid;
  std::string resource_id;
  std::string endpoint_uid;
  uint64_t version = 0;
  Time created{};
  uint32_t min_capacity = 0;
  uint32_t max_capacity = 0;
  std::string role_arn;
  SuspendedState suspended;
  ScalableTargetState state;

  static Result<ScalableTarget> FromResource(const Resource& resource);
  std::string SpecJson() const;
  std::string StateJson() const;
};

struct MetricSpec {
  std::string predefined;  // "SageMakerVariantInvocationsPerInstance", …; "" = the metric below
  std::string name_space;
  std::string name;
  std::map<std::string, std::string> dimensions;
  std::string statistic;
  std::string unit;
};

struct TargetTracking {
  double target_value = 0;
  MetricSpec metric;
  uint32_t out_cooldown_seconds = 300;
  uint32_t in_cooldown_seconds = 300;
  bool disable_scale_in = false;
};

struct StepAdjustment {
  std::optional<double> lower;  // of metric - threshold; nothing = no bound
  std::optional<double> upper;
  int32_t adjustment = 0;
};

struct StepScaling {
  std::string adjustment_type;  // ChangeInCapacity, PercentChangeInCapacity, ExactCapacity
  std::vector<StepAdjustment> steps;
  uint32_t min_magnitude = 0;
  uint32_t cooldown_seconds = 300;
};

struct PredictiveScaling {
  double target_value = 0;  // requests a minute and instance
  uint32_t buffer_seconds = 0;
};

struct ScalingPolicy {
  std::string uid;
  std::string name;
  std::string target_uid;
  std::string resource_id;
  uint64_t version = 0;
  Time created{};
  std::string arn;
  std::optional<TargetTracking> tracking;
  std::optional<StepScaling> step;
  std::optional<PredictiveScaling> predictive;
  std::string learned;  // what a predictive policy knows (observe/load_forecast.h); its resource's state

  // The spec is the request as it was sent, with "PolicyARN".
  static Result<ScalingPolicy> FromResource(const Resource& resource);
};

struct ScheduledAction {
  std::string uid;
  std::string name;
  std::string target_uid;
  std::string resource_id;
  uint64_t version = 0;
  Time created{};
  std::string schedule;  // at(…), rate(…), cron(…)
  std::string timezone;  // "" = UTC
  std::optional<Time> start, end;
  std::optional<uint32_t> min_capacity, max_capacity;
  std::optional<Time> last_run;  // for when it was due

  // The spec is the request with "ScheduledActionARN".
  static Result<ScheduledAction> FromResource(const Resource& resource);
  std::string StateJson() const;
};

struct ScalingActivity {
  std::string uid;
  std::string resource_id;
  std::string description;
  std::string cause;
  Time start{};
  std::optional<Time> end;
  std::string status;  // InProgress, Successful, Overridden, Failed
  std::string message;
  std::string not_scaled_code;                                        // AlreadyAtMaxCapacity, …; "" = it was a change
  uint32_t wanted = 0;                                                // the count it asked for
  uint32_t min_capacity = 0, max_capacity = 0, current_capacity = 0;  // of what was not scaled

  static Result<ScalingActivity> FromResource(const Resource& resource);
  Resource ToResource() const;
};

// The state of an activity's resource once it has come to its end.
std::string ActivityStateJson(std::string_view message, std::optional<Time> end);

// Of policies and scheduled actions, as resources are called: one name under one target.
std::string PolicyResourceName(std::string_view resource_id, std::string_view policy_name);
std::string ActionResourceName(std::string_view resource_id, std::string_view action_name);

}  // namespace argosy::catalog
