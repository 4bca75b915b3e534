#include "control/scaling_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/schedule.h"

namespace argosy::control {
namespace {

using catalog::ScalableTargetState;
using catalog::ScalingActivity;
using catalog::ScalingPolicy;

constexpr auto kIdleLook = std::chrono::seconds(1);   // between looks whether fewer would do
constexpr auto kMetricLag = std::chrono::seconds(2);  // until a minute's values of a metric are all there

// What a policy, the bounds or a request want, and in which words.
struct Wish {
  uint32_t count = 0;
  std::string cause;
  uint32_t cooldown_seconds = 0;
};

class ScalingPlanning {
 public:
  ScalingPlanning(const ScalingView& view, const ScalingFacts& facts, Time now)
      : view_(view), facts_(facts), now_(now), state_(view.target.state) {}

  std::vector<ScalingAction> Plan() {
    if (EndChange() || RunSchedules()) return std::move(actions_);
    LookAtSchedules();
    if (!facts_.changeable) return std::move(actions_);
    const bool done = HoldBounds() || ScaleOut() || ScaleIn();
    if (!done) LookAgain();
    return std::move(actions_);
  }

 private:
  const catalog::ScalableTarget& target() const { return view_.target; }

  void Look(Time at) { actions_.emplace_back(LookAt{at}); }

  // Seconds of a cooldown that began at `since` are over at:
  static Time CooldownEnd(Time since, uint32_t seconds) { return since + std::chrono::seconds(seconds); }
  bool InOutCooldown() const {
    return state_.last_out && now_ < CooldownEnd(*state_.last_out, state_.out_cooldown_seconds);
  }
  bool InInCooldown() const {
    return state_.last_in && now_ < CooldownEnd(*state_.last_in, state_.in_cooldown_seconds);
  }
  uint32_t OutBase() const { return InOutCooldown() ? std::min(state_.out_base, facts_.desired) : facts_.desired; }

  bool EndChange() {
    if (state_.activity.empty() || facts_.changing || !facts_.changeable) return false;
    ScalableTargetState ended = state_;
    ended.activity.clear();
    // Cooldowns run from where the change is done.
    const bool was_out = state_.last_out && (!state_.last_in || *state_.last_out >= *state_.last_in);
    (was_out ? ended.last_out : ended.last_in) = now_;
    EndActivity end{"Successful",
                    fmt::format("Successfully set desired instance count to {}. Change successfully fulfilled by "
                                "sagemaker.",
                                state_.wanted),
                    ended};
    if (!facts_.failure.empty()) {
      end.status = "Failed";
      end.message =
          fmt::format("Failed to set desired instance count to {}. Reason: {}", state_.wanted, facts_.failure);
      end.state.last_failed = now_;
    }
    actions_.emplace_back(std::move(end));
    return true;
  }

  bool RunSchedules() {
    const ScheduleView* earliest = nullptr;
    for (const ScheduleView& schedule : view_.schedules) {
      if (!schedule.due || *schedule.due > now_) continue;
      if (earliest == nullptr || *schedule.due < *earliest->due) earliest = &schedule;
    }
    if (earliest == nullptr) return false;
    const catalog::ScheduledAction* const first = &earliest->action;
    RunScheduledAction run{*first, target().min_capacity, target().max_capacity, std::nullopt};
    run.action.last_run = now_;  // of several that were missed, one is enough
    if (!target().suspended.scheduled) {
      std::string what;
      if (first->min_capacity) {
        run.min_capacity = *first->min_capacity;
        what = fmt::format("min capacity to {}", run.min_capacity);
      }
      if (first->max_capacity) {
        run.max_capacity = *first->max_capacity;
        what += fmt::format("{}max capacity to {}", what.empty() ? "" : " and ", run.max_capacity);
      }
      // One bound given alone may pass the other.
      if (first->min_capacity) run.max_capacity = std::max(run.max_capacity, run.min_capacity);
      run.min_capacity = std::min(run.min_capacity, run.max_capacity);
      ScalingActivity activity = Activity("Setting " + what, "scheduled action name " + first->name + " was triggered");
      activity.status = "Successful";
      activity.message = "Successfully set " + what;
      activity.end = now_;
      activity.wanted = facts_.desired;
      run.activity = std::move(activity);
    }
    actions_.emplace_back(std::move(run));
    return true;
  }

  void LookAtSchedules() {
    for (const ScheduleView& schedule : view_.schedules) {
      if (schedule.due) Look(*schedule.due);
    }
  }

  ScalingActivity Activity(std::string description, std::string cause) const {
    ScalingActivity activity;
    activity.resource_id = target().resource_id;
    activity.description = std::move(description);
    activity.cause = std::move(cause);
    activity.start = now_;
    activity.status = "InProgress";
    return activity;
  }

  void Change(const Wish& wish) {
    SetDesiredCount change;
    change.count = wish.count;
    change.state = state_;
    change.state.wanted = wish.count;
    if (wish.count > facts_.desired) {
      // What has no cooldown of its own (bounds, a request that waits) does not end another's.
      const bool in_another = wish.cooldown_seconds == 0 && InOutCooldown();
      if (!InOutCooldown()) change.state.out_base = facts_.desired;
      if (!in_another) {
        change.state.last_out = now_;
        change.state.out_cooldown_seconds = wish.cooldown_seconds;
      }
    } else {
      change.state.last_in = now_;
      change.state.in_cooldown_seconds = wish.cooldown_seconds;
    }
    change.activity = Activity(fmt::format("Setting desired instance count to {}.", wish.count), wish.cause);
    change.activity.wanted = wish.count;
    change.activity.message = fmt::format(
        "Successfully set desired instance count to {}. Waiting for change to be fulfilled by sagemaker.", wish.count);
    actions_.emplace_back(std::move(change));
  }

  // What the machine has just refused is not asked for again at once.
  bool HeldBack() {
    if (!state_.last_failed || now_ >= *state_.last_failed + kRetryAfterFailure) return false;
    Look(*state_.last_failed + kRetryAfterFailure);
    return true;
  }

  // Bounds hold also when scaling is suspended.
  bool HoldBounds() {
    if (facts_.desired < target().min_capacity) {
      if (HeldBack()) return false;
      Change({target().min_capacity, fmt::format("minimum capacity was set to {}", target().min_capacity), 0});
      return true;
    }
    if (facts_.desired > target().max_capacity) {
      Change({target().max_capacity, fmt::format("maximum capacity was set to {}", target().max_capacity), 0});
      return true;
    }
    return false;
  }

  const TrackingAnswer& TrackOne(const ScalingPolicy& policy) {
    const auto known = answers_.find(&policy);
    if (known != answers_.end()) return known->second;
    TrackingFacts facts{facts_.desired, OutBase(), facts_.before.value_or(facts_.desired), facts_.load, {}};
    const auto minutes = facts_.minutes.find(policy.uid);
    if (minutes != facts_.minutes.end()) facts.minutes = minutes->second;
    return answers_.emplace(&policy, Track(*policy.tracking, facts, now_)).first->second;
  }

  std::string AlarmCause(const ScalingPolicy& policy, std::string_view side) const {
    return fmt::format("monitor alarm TargetTracking-{}-Alarm{}-{} in state ALARM triggered policy {}",
                       target().resource_id, side, policy.uid, policy.name);
  }

  uint32_t ForecastCount(const ScalingPolicy& policy) const {
    const auto forecast = facts_.forecast.find(policy.uid);
    if (forecast == facts_.forecast.end()) return 0;
    const double count = std::ceil(forecast->second / policy.predictive->target_value - 1e-9);
    return static_cast<uint32_t>(std::clamp(count, 0.0, 10'000.0));
  }

  // What the newest alarm of the policy makes of the count; the most, when several are in ALARM.
  std::optional<Wish> StepWish(const ScalingPolicy& policy) const {
    std::optional<Wish> wish;
    for (const AlarmBreach& alarm : facts_.alarms) {
      if (alarm.policy_arn != policy.arn || alarm.used || now_ - alarm.at > kAlarmAge) continue;
      const double above = alarm.metric - alarm.threshold;
      std::optional<uint32_t> count = StepCapacity(*policy.step, facts_.desired, above);
      // In the cooldown of a scale-out, what that has added counts as part of this one.
      if (count && *count > facts_.desired) count = StepCapacity(*policy.step, OutBase(), above);
      if (!count || (wish && wish->count >= *count)) continue;
      wish = Wish{*count,
                  fmt::format("monitor alarm {} in state ALARM triggered policy {}", alarm.alarm_name, policy.name),
                  policy.step->cooldown_seconds};
    }
    return wish;
  }

  // Whether an alarm that lasts would have the policy add instances.
  bool WantsMore(const ScalingPolicy& policy) const {
    return std::any_of(facts_.alarms.begin(), facts_.alarms.end(), [&](const AlarmBreach& alarm) {
      if (alarm.policy_arn != policy.arn || now_ - alarm.at > kAlarmAge) return false;
      return StepCapacity(*policy.step, facts_.desired, alarm.metric - alarm.threshold).value_or(0) > facts_.desired;
    });
  }

  bool ScaleOut() {
    Wish most{facts_.desired, "", 0};
    const auto take = [&most](Wish wish) {
      if (wish.count > most.count) most = std::move(wish);
    };
    if (facts_.demand && facts_.desired == 0) take({1, "a request waits for an instance", 0});
    for (const ScalingPolicy& policy : view_.policies) {
      if (policy.tracking) {
        const uint32_t needed = TrackOne(policy).needed;
        if (needed > most.count) take({needed, AlarmCause(policy, "High"), policy.tracking->out_cooldown_seconds});
      } else if (policy.predictive) {
        const uint32_t count = ForecastCount(policy);
        if (count > most.count) take({count, "predictive scaling policy " + policy.name + " was triggered", 0});
      } else if (policy.step) {
        if (std::optional<Wish> wish = StepWish(policy)) take(std::move(*wish));
      }
    }
    if (most.count <= facts_.desired) return false;
    if (target().suspended.scale_out || HeldBack()) return false;
    if (facts_.desired >= target().max_capacity) {
      // Only the policy's cause is of interest; the same is not told again by the executor.
      ScalingActivity activity = Activity("Attempting to scale due to alarm triggered", most.cause);
      activity.status = "Unfulfilled";
      activity.end = now_;
      activity.wanted = most.count;
      activity.not_scaled_code = "AlreadyAtMaxCapacity";
      activity.min_capacity = target().min_capacity;
      activity.max_capacity = target().max_capacity;
      activity.current_capacity = facts_.desired;
      actions_.emplace_back(RecordNotScaled{std::move(activity)});
      return false;
    }
    most.count = std::min(most.count, target().max_capacity);
    Change(most);
    return true;
  }

  bool ScaleIn() {
    if (facts_.desired <= target().min_capacity || target().suspended.scale_in) return false;
    // The least that all can live with; who wants fewest gives the words.
    std::optional<Wish> least;
    uint32_t floor = target().min_capacity;
    for (const ScalingPolicy& policy : view_.policies) {
      if (policy.tracking) {
        if (policy.tracking->disable_scale_in) continue;
        const std::optional<uint32_t> agreed = AgreedBy(policy);
        if (!agreed) return false;
        floor = std::max(floor, *agreed);
        if (floor >= facts_.desired) return false;
        if (!least || *agreed < least->count) {
          least = Wish{*agreed, AlarmCause(policy, "Low"), policy.tracking->in_cooldown_seconds};
        }
      } else if (policy.predictive) {
        floor = std::max(floor, ForecastCount(policy));
      } else if (policy.step) {
        if (WantsMore(policy)) return false;
        std::optional<Wish> wish = StepWish(policy);
        if (wish && wish->count < facts_.desired && (!least || wish->count < least->count)) least = std::move(wish);
      }
    }
    if (!least) return false;
    least->count = std::max(least->count, floor);
    if (least->count >= facts_.desired) return false;
    if (InInCooldown()) return false;
    Change(*least);
    return true;
  }

  std::optional<uint32_t> AgreedBy(const ScalingPolicy& policy) {
    const auto look_back = std::chrono::seconds(LookBackSeconds(*policy.tracking));
    const bool by_load = !policy.tracking->metric.predefined.empty();
    if (by_load && now_ - facts_.load_known_since < look_back) return std::nullopt;
    if (state_.last_out && now_ - *state_.last_out < look_back) return std::nullopt;
    std::optional<uint32_t> agreed = TrackOne(policy).agreed;
    if (agreed && *agreed == 0 && by_load) {
      // The look back is bounded, the cooldown without a request is not.
      const auto cooldown = std::chrono::seconds(std::max(policy.tracking->in_cooldown_seconds, kLookBackSecondsMin));
      const std::optional<int64_t> busy = facts_.load->LastBusy();
      const Time idle_since = busy ? Time(std::chrono::seconds(*busy + 1)) : facts_.load_known_since;
      if (now_ - std::max(idle_since, facts_.load_known_since) < cooldown) return 1;
    }
    return agreed;
  }

  void LookAgain() {
    bool tracks_in = false;
    for (const ScalingPolicy& policy : view_.policies) {
      // What is known by the minute: custom metrics, forecasts.
      if (policy.predictive || (policy.tracking && policy.tracking->metric.predefined.empty())) {
        Look(std::chrono::floor<std::chrono::minutes>(now_ - kMetricLag) + std::chrono::minutes(1) + kMetricLag);
      }
      tracks_in = tracks_in || (policy.tracking && !policy.tracking->disable_scale_in);
    }
    if (tracks_in && facts_.desired > target().min_capacity && !target().suspended.scale_in) Look(now_ + kIdleLook);
  }

  const ScalingView& view_;
  const ScalingFacts& facts_;
  const Time now_;
  const ScalableTargetState& state_;
  std::map<const ScalingPolicy*, TrackingAnswer> answers_;
  std::vector<ScalingAction> actions_;
};

}  // namespace

std::optional<Time> NextRun(const catalog::ScheduledAction& action) {
  const Result<Schedule> schedule = Schedule::Parse(action.schedule, action.timezone);
  if (!schedule.ok()) return std::nullopt;
  Time after = action.last_run.value_or(action.created);
  if (action.start) after = std::max(after, *action.start - Duration(1));
  const std::optional<Time> due = schedule->Next(after, action.start.value_or(action.created));
  return due && (!action.end || *due <= *action.end) ? due : std::nullopt;
}

std::vector<ScalingAction> PlanScaling(const ScalingView& view, const ScalingFacts& facts, Time now) {
  return ScalingPlanning(view, facts, now).Plan();
}

}  // namespace argosy::control
