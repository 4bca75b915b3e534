// What is to be done next about a scalable target: an endpoint variant's desired instance count. Pure: what is known
// and the time in, actions out.
//
// Scheduled actions that are due set the bounds, the bounds hold the count. Of several policies the one that needs most
// wins when instances are added; when some are let go, none may need more than what is left. Predictive policies and
// step policies never let it fall below what they need either. A cooldown after a scale-in holds back the next one, not
// a scale-out; one after a scale-out counts what it has added (target_tracking.h, step_scaling.h). A request that waits
// for a variant without instances gets it one, whatever the policies.
//
// While an update of the endpoint (another config) or its deletion is under way nothing is changed, as at SageMaker. A
// change of capacity under way may be overtaken by another.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "catalog/scaling.h"
#include "control/load_window.h"
#include "control/step_scaling.h"
#include "control/target_tracking.h"

namespace argosy::control {

// Of one target; a policy or a scheduled action is a row each.
inline constexpr size_t kPoliciesMax = 50;
inline constexpr size_t kScheduledActionsMax = 200;
inline constexpr size_t kActivitiesKept = 100;
inline constexpr auto kRetryAfterFailure = std::chrono::seconds(30);  // of a change that the machine did not allow
inline constexpr auto kAlarmAge = std::chrono::minutes(2);            // an alarm that is told later than this is over

struct ScheduleView {
  catalog::ScheduledAction action;
  std::optional<Time> due;  // NextRun of it
};

struct ScalingView {
  catalog::ScalableTarget target;
  std::vector<catalog::ScalingPolicy> policies;
  std::vector<ScheduleView> schedules;
};

// When it is due next after it last ran (or came to be); nothing when it never is again. Reads the time zone's file.
std::optional<Time> NextRun(const catalog::ScheduledAction& action);

struct ScalingFacts {
  uint32_t desired = 0;
  bool changeable = false;  // InService, or a change of capacity goes on
  bool changing = false;    // a change of capacity goes on
  std::string failure;      // why the last one did not come so far as it was to
  // Desired when this second's plan was first made; nothing = as it is now. What has been added since is no reason to
  // double it again by the same load.
  std::optional<uint32_t> before;
  const LoadWindow* load = nullptr;
  Time load_known_since{};                                            // what was before is unknown, not zero
  bool demand = false;                                                // a request waits for a variant without instances
  std::map<std::string, std::vector<std::optional<double>>> minutes;  // custom metrics, by policy uid
  std::map<std::string, double> forecast;  // requests a minute soon to be expected, by uid of a predictive policy
  std::vector<AlarmBreach> alarms;
};

// Asks the endpoint for another count and records it as an activity that is InProgress; one that was is Overridden.
struct SetDesiredCount {
  uint32_t count = 0;
  catalog::ScalableTargetState state;  // of the target, but for the activity's uid
  catalog::ScalingActivity activity;   // without uid
};
// The activity that is InProgress has come to its end.
struct EndActivity {
  std::string status;
  std::string message;
  catalog::ScalableTargetState state;
};
// A scheduled action is due.
struct RunScheduledAction {
  catalog::ScheduledAction action;  // with last_run set
  uint32_t min_capacity = 0;
  uint32_t max_capacity = 0;
  std::optional<catalog::ScalingActivity> activity;  // nothing when scheduled scaling is suspended
};
// More would be needed than the bounds allow. Recorded once, as long as it is so.
struct RecordNotScaled {
  catalog::ScalingActivity activity;
};
struct LookAt {
  Time at;
};

using ScalingAction = std::variant<SetDesiredCount, EndActivity, RunScheduledAction, RecordNotScaled, LookAt>;

// At most one of them changes anything: what follows from it is planned with what it has led to.
std::vector<ScalingAction> PlanScaling(const ScalingView& view, const ScalingFacts& facts, Time now);

}  // namespace argosy::control
