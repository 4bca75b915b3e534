#include "control/scaling_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "control/planner_test_values.h"

namespace argosy::control {
namespace {

using testing::HasSubstr;

constexpr int64_t kBegin = 1'700'000'000;

// A variant whose fleet does at once what is asked of it.
class ScalingPlannerTest : public ::testing::Test {
 protected:
  ScalingPlannerTest() {
    view_.target.uid = "t1";
    view_.target.resource_id = "endpoint/e/variant/v";
    view_.target.min_capacity = 1;
    view_.target.max_capacity = 10;
    facts_.desired = 1;
    facts_.changeable = true;
    facts_.load = &load_;
    facts_.load_known_since = At(0);
  }

  catalog::TargetTracking& Track(const std::string& name, double target, uint32_t in_cooldown = 60,
                                 const std::string& metric = kInvocationsPerInstance) {
    catalog::ScalingPolicy policy;
    policy.uid = policy.name = name;
    policy.tracking = catalog::TargetTracking{.target_value = target, .metric = {.predefined = metric}};
    policy.tracking->in_cooldown_seconds = in_cooldown;
    view_.policies.push_back(policy);
    return *view_.policies.back().tracking;
  }
  void Step(const std::string& type, std::vector<catalog::StepAdjustment> steps, uint32_t cooldown = 60) {
    catalog::ScalingPolicy policy;
    policy.uid = policy.name = policy.arn = "step";
    policy.step = catalog::StepScaling{type, std::move(steps), 0, cooldown};
    view_.policies.push_back(policy);
  }
  void Alarm(double metric, double at) { facts_.alarms = {{"step", "cpu", metric, 50, At(at)}}; }

  std::vector<ScalingAction> PlanAt(double now) { return PlanScaling(view_, facts_, At(now)); }
  template <class Action>
  static std::optional<Action> First(const std::vector<ScalingAction>& actions) {
    for (const ScalingAction& action : actions) {
      if (const auto* found = std::get_if<Action>(&action)) return *found;
    }
    return std::nullopt;
  }
  // What is asked for, done at once; the count then.
  uint32_t Go(double now) {
    if (const auto change = First<SetDesiredCount>(PlanAt(now))) {
      last_ = *change;
      facts_.desired = change->count;
      view_.target.state = change->state;
    }
    return facts_.desired;
  }
  // So many requests in each of the seconds [from, to).
  void Load(int from, int to, uint64_t requests) {
    for (int second = from; second < to; ++second) load_.Add(kBegin + second, requests, requests);
  }
  // Plans each second of [from, to) with so many requests in it; the counts it went through.
  std::vector<uint32_t> Run(int from, int to, uint64_t requests) {
    std::vector<uint32_t> counts = {facts_.desired};
    for (int second = from; second < to; ++second) {
      Load(second, second + 1, requests);
      if (Go(second + 1) != counts.back()) counts.push_back(facts_.desired);
    }
    return counts;
  }

  ScalingView view_;
  ScalingFacts facts_;
  LoadWindow load_;
  std::optional<SetDesiredCount> last_;
};

TEST_F(ScalingPlannerTest, ASurgeIsSeenInItsFirstSecondAndDoublesTheFleetEachSecondItLasts) {
  Track("p", 30'000);  // 500 a second
  Run(0, 300, 400);
  EXPECT_EQ(facts_.desired, 1U);
  Load(300, 301, 3'900);
  EXPECT_EQ(Go(301), 2U);
  Load(301, 302, 3'900);
  EXPECT_EQ(Go(302), 4U);
  Load(302, 303, 3'900);
  EXPECT_EQ(Go(303), 8U);
  EXPECT_THAT(last_->activity.description, HasSubstr("Setting desired instance count to 8."));
  EXPECT_THAT(last_->activity.cause, HasSubstr("AlarmHigh-p in state ALARM triggered policy p"));
  EXPECT_EQ(last_->activity.status, "InProgress");
}

TEST_F(ScalingPlannerTest, OneBurstFetchesNoMoreThanTwice) {
  Track("p", 600, 30);
  Run(0, 120, 0);
  Load(120, 121, 100);
  EXPECT_EQ(Go(121), 2U);
  EXPECT_EQ(Run(121, 150, 0).back(), 2U);
}

TEST_F(ScalingPlannerTest, FewRequestsThatCameTogetherAreNoLoad) {
  Track("p", 10);
  Load(100, 101, 3);  // of ten a minute
  EXPECT_EQ(Go(101), 1U);
}

TEST_F(ScalingPlannerTest, ALoadJustAboveTheTargetIsSeenWithinThreeMinutes) {
  Track("p", 600);
  Run(0, 300, 9);
  EXPECT_EQ(facts_.desired, 1U);
  EXPECT_EQ(Run(300, 300 + 181, 11).back(), 2U);
}

TEST_F(ScalingPlannerTest, ItComesInByWhatTheWholeCooldownNeededAndOncePerCooldown) {
  Track("p", 600, 60);
  view_.target.max_capacity = 4;
  facts_.desired = 4;
  Run(0, 40, 38);
  EXPECT_EQ(facts_.desired, 4U);
  // 15 a second: two instances at 90 % of 600 a minute. The busy seconds leave the look back one by one.
  EXPECT_EQ(Run(40, 90, 15).size(), 1U) << "the busy seconds are still in sight";
  EXPECT_EQ(Run(90, 100, 15).back(), 3U);
  EXPECT_THAT(last_->activity.cause, HasSubstr("AlarmLow-p"));
  EXPECT_EQ(Run(100, 150, 15).size(), 1U) << "one change a cooldown";
  EXPECT_EQ(Run(150, 180, 15).back(), 2U);
  EXPECT_EQ(Run(180, 300, 0).back(), 1U);
}

TEST_F(ScalingPlannerTest, AScaleInCooldownDoesNotHoldBackAScaleOut) {
  Track("p", 600, 300);
  facts_.desired = 3;
  Run(0, 301, 8);
  ASSERT_EQ(facts_.desired, 1U);
  EXPECT_EQ(Run(301, 303, 40).back(), 3U);
}

TEST_F(ScalingPlannerTest, ToZeroOnlyAfterAWholeCooldownWithoutARequest) {
  Track("p", 600, 20);
  view_.target.min_capacity = 0;
  Run(0, 30, 1);
  EXPECT_EQ(Run(30, 49, 0).back(), 1U);
  EXPECT_EQ(Run(49, 51, 0).back(), 0U);
  EXPECT_FALSE(First<LookAt>(PlanAt(60)).has_value()) << "and then nothing runs";
}

TEST_F(ScalingPlannerTest, ACooldownLongerThanTheLookBackIsKeptToZeroToo) {
  Track("p", 600, 3600);
  view_.target.min_capacity = 0;
  Run(0, 10, 1);
  EXPECT_EQ(Go(2000), 1U);
  EXPECT_EQ(Go(3605), 1U);
  EXPECT_EQ(Go(3611), 0U);
}

TEST_F(ScalingPlannerTest, ARequestThatGoesOnForLongKeepsItsInstance) {
  Track("p", 600, 20);
  view_.target.min_capacity = 0;
  for (int second = 0; second < 100; ++second) load_.Add(kBegin + second, 0, 1);
  EXPECT_EQ(Go(100), 1U);
}

TEST_F(ScalingPlannerTest, ARequestThatWaitsGetsAnInstance) {
  view_.target.min_capacity = 0;
  facts_.desired = 0;
  EXPECT_EQ(Go(10), 0U);
  facts_.demand = true;
  EXPECT_EQ(Go(10), 1U);
  EXPECT_THAT(last_->activity.cause, HasSubstr("a request waits"));
  facts_.desired = 0;
  view_.target.suspended.scale_out = true;
  EXPECT_EQ(Go(11), 0U) << "unless scaling out is suspended";
}

TEST_F(ScalingPlannerTest, WhatWasBeforeTheServerCameUpIsNotTakenForSilence) {
  Track("p", 600, 300);
  facts_.desired = 3;
  facts_.load_known_since = At(1000);
  EXPECT_EQ(Go(1100), 3U);
  EXPECT_EQ(Go(1301), 1U);
}

TEST_F(ScalingPlannerTest, TheNeediestPolicyWinsOutAndAllMustAgreeIn) {
  Track("a", 600, 10);
  Track("b", 300, 100);
  Run(0, 30, 9);  // 540 a minute: one by a, two by b
  EXPECT_EQ(facts_.desired, 2U);
  Run(30, 110, 0);
  EXPECT_EQ(facts_.desired, 2U) << "b still remembers";
  EXPECT_EQ(Run(110, 140, 0).back(), 1U);
}

TEST_F(ScalingPlannerTest, DisableScaleInAndSuspensionsHold) {
  Track("p", 600, 10).disable_scale_in = true;
  facts_.desired = 3;
  EXPECT_EQ(Go(500), 3U);
  view_.policies[0].tracking->disable_scale_in = false;
  view_.target.suspended.scale_in = true;
  EXPECT_EQ(Go(500), 3U);
  view_.target.suspended = {.scale_out = true};
  EXPECT_EQ(Go(500), 1U);
  Load(500, 510, 1000);
  EXPECT_EQ(Go(510), 1U);
  view_.target.suspended = {};
  EXPECT_EQ(Go(510), 10U);
}

TEST_F(ScalingPlannerTest, BoundsHoldAtOnceEvenWhenSuspended) {
  view_.target.suspended = {true, true, true};
  view_.target.min_capacity = 3;
  EXPECT_EQ(Go(1), 3U);
  EXPECT_EQ(last_->activity.cause, "minimum capacity was set to 3");
  view_.target.min_capacity = 0;
  view_.target.max_capacity = 2;
  EXPECT_EQ(Go(2), 2U);
  EXPECT_EQ(last_->activity.cause, "maximum capacity was set to 2");
}

TEST_F(ScalingPlannerTest, MoreThanTheMaximumIsNotAskedForButTold) {
  Track("p", 600);
  view_.target.max_capacity = 2;
  Run(0, 10, 100);
  EXPECT_EQ(facts_.desired, 2U);
  const auto record = First<RecordNotScaled>(PlanAt(10));
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->activity.not_scaled_code, "AlreadyAtMaxCapacity");
  EXPECT_EQ(record->activity.max_capacity, 2U);
}

TEST_F(ScalingPlannerTest, NothingIsChangedWhileAnUpdateIsUnderWay) {
  Track("p", 600);
  facts_.changeable = false;
  Load(0, 10, 1000);
  EXPECT_FALSE(First<SetDesiredCount>(PlanAt(10)).has_value());
}

TEST_F(ScalingPlannerTest, AnActivityEndsWithTheChangeAndCooldownsRunFromThere) {
  view_.target.state.activity = "a1";
  view_.target.state.wanted = 3;
  view_.target.state.last_out = At(5);
  facts_.desired = 3;
  facts_.changing = true;
  EXPECT_FALSE(First<EndActivity>(PlanAt(6)).has_value());
  facts_.changing = false;
  const auto end = First<EndActivity>(PlanAt(7));
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->status, "Successful");
  EXPECT_EQ(end->message, "Successfully set desired instance count to 3. Change successfully fulfilled by sagemaker.");
  EXPECT_EQ(end->state.last_out, At(7));
  EXPECT_TRUE(end->state.activity.empty());
  facts_.failure = "CapacityError: no room";
  EXPECT_EQ(First<EndActivity>(PlanAt(7))->message,
            "Failed to set desired instance count to 3. Reason: CapacityError: no room");
}

TEST_F(ScalingPlannerTest, WhatTheMachineRefusedIsNotAskedForAgainAtOnce) {
  view_.target.min_capacity = 5;
  view_.target.state.last_failed = At(100);
  EXPECT_EQ(First<LookAt>(PlanAt(101))->at, At(130));
  EXPECT_FALSE(First<SetDesiredCount>(PlanAt(101)).has_value());
  EXPECT_EQ(Go(130), 5U);
  Track("p", 600);
  Load(120, 131, 500);
  view_.target.state.last_failed = At(130);
  EXPECT_EQ(Go(131), 5U) << "nor by a policy";
  EXPECT_EQ(Go(132), 5U);
  view_.target.state.last_failed.reset();
  EXPECT_GT(Go(132), 5U);
}

TEST_F(ScalingPlannerTest, ACustomMetricNeedsThreeMinutesOutAndCountsFromBeforeItsCooldown) {
  catalog::TargetTracking& policy = Track("cpu", 50, 300, "");
  policy.out_cooldown_seconds = 300;
  facts_.desired = 2;
  facts_.minutes["cpu"] = {40, 80, 80};
  EXPECT_EQ(Go(100), 2U);
  facts_.minutes["cpu"] = {40, 80, 80, 80};
  EXPECT_EQ(Go(160), 4U) << "2 x 80 / 50, rounded up";
  EXPECT_EQ(Go(220), 4U) << "in the cooldown the same is no more";
  facts_.minutes["cpu"] = {80, 80, 80, 120};
  EXPECT_EQ(Go(280), 5U) << "2 x 120 / 50";
  facts_.minutes["cpu"] = {80, std::nullopt, 80, std::nullopt};
  EXPECT_EQ(Go(340), 5U);
  facts_.minutes["cpu"] = std::vector<std::optional<double>>(15, 20.0);
  EXPECT_EQ(Go(1000), 3U) << "5 x 20 / 45, rounded up";
}

TEST_F(ScalingPlannerTest, ConcurrencyWantsTwoSecondsInARow) {
  Track("c", 4, 30, kConcurrentRequests);
  load_.Add(kBegin + 9, 0, 12);
  EXPECT_EQ(Go(10), 1U);
  load_.Add(kBegin + 10, 0, 12);
  EXPECT_EQ(Go(11), 2U);
  load_.Add(kBegin + 11, 0, 12);
  EXPECT_EQ(Go(12), 3U);
  EXPECT_EQ(Go(30), 3U);
  EXPECT_EQ(Go(60), 1U);
}

TEST_F(ScalingPlannerTest, StepsFollowTheAlarmAndAddUpOnceInACooldown) {
  Step("ChangeInCapacity", {{0, 20, 1}, {20, std::nullopt, 3}, {std::nullopt, 0, -1}});
  facts_.desired = 2;
  Alarm(60, 10);
  EXPECT_EQ(Go(10), 3U);
  EXPECT_EQ(Go(20), 3U) << "the one that was added counts";
  Alarm(75, 30);
  EXPECT_EQ(Go(30), 5U) << "2 + 3";
  Alarm(40, 100);
  EXPECT_EQ(Go(100), 4U);
  EXPECT_EQ(Go(110), 4U) << "in the cooldown no further";
  Alarm(40, 170);
  EXPECT_EQ(Go(170), 3U);
  Alarm(60, 170);
  EXPECT_EQ(Go(400), 3U) << "that alarm is over";
}

TEST_F(ScalingPlannerTest, ABoundDoesNotEndTheCooldownOfAStepPolicy) {
  Step("ChangeInCapacity", {{0, std::nullopt, 1}}, 60);
  Alarm(60, 10);
  EXPECT_EQ(Go(10), 2U);
  view_.target.min_capacity = 3;
  EXPECT_EQ(Go(20), 3U);
  Alarm(60, 30);
  EXPECT_EQ(Go(30), 3U) << "1, with 1 more: it has that";
  Alarm(60, 80);
  EXPECT_EQ(Go(80), 4U) << "over";
}

TEST_F(ScalingPlannerTest, WhileAnAlarmWantsMoreNothingComesIn) {
  Track("p", 600, 20);
  Step("ChangeInCapacity", {{0, std::nullopt, 1}}, 0);
  facts_.desired = 4;
  Alarm(60, 100);
  facts_.alarms[0].used = true;
  EXPECT_EQ(Go(110), 4U);
  facts_.alarms.clear();
  EXPECT_LT(Go(111), 4U);
}

TEST_F(ScalingPlannerTest, AForecastAddsInstancesAndHoldsThem) {
  Track("p", 600, 20);
  catalog::ScalingPolicy ahead;
  ahead.uid = ahead.name = "ahead";
  ahead.predictive = catalog::PredictiveScaling{600, 0};
  view_.policies.push_back(ahead);
  facts_.forecast["ahead"] = 1700;
  EXPECT_EQ(Go(100), 3U);
  EXPECT_EQ(last_->activity.cause, "predictive scaling policy ahead was triggered");
  EXPECT_EQ(Go(200), 3U);
  facts_.forecast["ahead"] = 500;
  EXPECT_EQ(Go(300), 1U);
}

TEST_F(ScalingPlannerTest, AScheduledActionSetsTheBoundsOnceThoughSeveralWereMissed) {
  catalog::ScheduledAction action;
  action.uid = "s";
  action.name = "morning";
  action.created = At(0);
  action.schedule = "rate(1 minute)";
  action.min_capacity = 4;
  view_.schedules = {{action, NextRun(action)}};
  EXPECT_FALSE(First<RunScheduledAction>(PlanAt(59)).has_value());
  EXPECT_EQ(First<LookAt>(PlanAt(59))->at, At(60));
  const auto run = First<RunScheduledAction>(PlanAt(200));
  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(run->min_capacity, 4U);
  EXPECT_EQ(run->max_capacity, 10U);
  EXPECT_EQ(run->activity->description, "Setting min capacity to 4");
  EXPECT_EQ(run->activity->cause, "scheduled action name morning was triggered");
  EXPECT_EQ(NextRun(run->action), At(240));
  view_.target.suspended.scheduled = true;
  const auto suspended = First<RunScheduledAction>(PlanAt(200));
  EXPECT_EQ(suspended->min_capacity, 1U);
  EXPECT_FALSE(suspended->activity.has_value());
}

TEST_F(ScalingPlannerTest, ABoundGivenAloneTakesTheOtherAlong) {
  catalog::ScheduledAction action;
  action.created = At(0);
  action.schedule = "rate(1 minute)";
  action.max_capacity = 0;
  view_.schedules = {{action, NextRun(action)}};
  EXPECT_EQ(First<RunScheduledAction>(PlanAt(60))->min_capacity, 0U);
}

// Random traces: whatever comes, bounds and cooldowns are kept, and a constant load comes to rest.
class ScalingProperties : public ScalingPlannerTest, public ::testing::WithParamInterface<int> {};

TEST_P(ScalingProperties, BoundsAndCooldownsAreKeptAndAConstantLoadComesToRest) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  const auto below = [&random](uint64_t most) { return random() % most; };
  const uint32_t cooldown = 10 + static_cast<uint32_t>(below(120));
  Track("p", 60.0 * static_cast<double>(1 + below(300)), cooldown);
  view_.target.min_capacity = static_cast<uint32_t>(below(3));
  view_.target.max_capacity = view_.target.min_capacity + 1 + static_cast<uint32_t>(below(12));
  facts_.desired = view_.target.min_capacity;
  std::optional<int> last_in;
  double rate = 100;
  int second = 0;
  const auto one_second = [&] {
    Load(second, second + 1, std::poisson_distribution<uint64_t>(std::max(rate, 1e-9))(random));
    const uint32_t before = facts_.desired;
    ++second;
    const uint32_t after = Go(second);
    ASSERT_GE(after, view_.target.min_capacity);
    ASSERT_LE(after, view_.target.max_capacity);
    if (after < before) {
      if (last_in) {
        ASSERT_GE(second - *last_in, static_cast<int>(cooldown));
      }
      last_in = second;
    }
  };
  for (int phase = 0; phase < 20; ++phase) {
    rate = below(4) == 0 ? 0 : std::exp(std::uniform_real_distribution<double>(-2, 8)(random));
    for (uint64_t left = 5 + below(200); left > 0; --left) one_second();
  }
  rate = 200;
  for (int i = 0; i < 400; ++i) one_second();
  int changes = 0;
  for (int i = 0; i < 1800; ++i) {
    const uint32_t before = facts_.desired;
    one_second();
    changes += facts_.desired != before ? 1 : 0;
  }
  // At most there and back once: where the load lies just at a step, chance decides.
  EXPECT_LE(changes, 2);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ScalingProperties, ::testing::Range(1, 101));

TEST(StepScaling, PercentagesAreRoundedAsAwsRoundsThem) {
  catalog::StepScaling policy;
  policy.adjustment_type = "PercentChangeInCapacity";
  const auto of = [&](int32_t percent, uint32_t capacity) {
    policy.steps = {{std::nullopt, std::nullopt, percent}};
    return *StepCapacity(policy, capacity, 1);
  };
  EXPECT_EQ(of(10, 10), 11U);
  EXPECT_EQ(of(19, 10), 11U);  // 1.9 -> 1
  EXPECT_EQ(of(5, 10), 11U);   // 0.5 -> 1
  EXPECT_EQ(of(-5, 10), 9U);   // -0.5 -> -1
  EXPECT_EQ(of(-19, 10), 9U);  // -1.9 -> -1
  EXPECT_EQ(of(-100, 10), 0U);
  policy.min_magnitude = 4;
  EXPECT_EQ(of(10, 10), 14U);
  policy.adjustment_type = "ExactCapacity";
  EXPECT_EQ(of(7, 10), 7U);
}

TEST(StepScaling, ALowerBoundIsInAboveTheThresholdAnUpperBoundBelow) {
  catalog::StepScaling policy;
  policy.adjustment_type = "ExactCapacity";
  policy.steps = {{0, 10, 1}, {10, std::nullopt, 2}};
  EXPECT_EQ(StepCapacity(policy, 5, 0), 1U);
  EXPECT_EQ(StepCapacity(policy, 5, 10), 2U);
  EXPECT_FALSE(StepCapacity(policy, 5, -1).has_value());
  policy.steps = {{-10, 0, 3}, {std::nullopt, -10, 4}};
  EXPECT_EQ(StepCapacity(policy, 5, -10), 4U);
  EXPECT_EQ(StepCapacity(policy, 5, -9), 3U);
}

}  // namespace
}  // namespace argosy::control
