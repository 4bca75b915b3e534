#include "control/scaling_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sim_scheduler.h"
#include "control/store_catalog.h"

namespace argosy::control {
namespace {

using catalog::EndpointState;
using catalog::Kind;
using catalog::ScalingActivity;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kVariant = "endpoint/e/variant/v";

class ScalingExecutorTest : public ::testing::Test {
 protected:
  ScalingExecutorTest() {
    catalog_.SetChangeListener([this](const catalog::Change& change) {
      if (process_) process_->Post([this, change] { Tell(change); });
    });
    Start();
  }

  // A server's life; what the last one had scheduled dies with it.
  void Start() {
    Stop();
    process_ = std::make_unique<SimProcess>(&queue_);
    executor_ = std::make_unique<ScalingExecutor>(&catalog_, process_.get(), queue_.clock(), &random_,
                                                  ScalingSources{&load_, nullptr, nullptr});
    for (const Kind kind :
         {Kind::kScalableTarget, Kind::kScalingPolicy, Kind::kScheduledAction, Kind::kScalingActivity}) {
      for (const catalog::Resource& resource : catalog_.All(kind)) executor_->OnResource(resource);
    }
    executor_->OnAllTold();
  }
  void Stop() {
    process_.reset();
    executor_.reset();
    load_ = serving::LoadBook();
  }
  void Tell(const catalog::Change& change) {
    for (const catalog::Resource& written : change.written) executor_->OnResource(written);
    for (const catalog::Resource& removed : change.removed) executor_->OnRemoved(removed);
  }
  void Run(Duration time) { queue_.RunUntil(queue_.Now() + time); }

  void Insert(Kind kind, const std::string& name, const std::string& uid, const std::string& owner,
              const std::string& spec, const std::string& state = "{}") {
    catalog::Resource r;
    r.kind = kind;
    r.name = name;
    r.uid = uid;
    r.owner = owner;
    r.created = r.modified = queue_.Now();
    r.spec = spec;
    r.state = state;
    catalog::Transaction transaction;
    transaction.inserts.push_back({std::move(r)});
    ASSERT_TRUE(catalog_.Write(transaction).ok());
  }
  void Remove(const std::string& uid) {
    catalog::Transaction transaction;
    transaction.removes.push_back({uid});
    ASSERT_TRUE(catalog_.Write(transaction).ok());
  }
  void Endpoint(const std::string& name, uint32_t count, const std::string& uid = "e-uid") {
    EndpointState state;
    state.status = "InService";
    state.current.emplace();
    state.current->variants = {{.variant = {.variant_name = "v", .initial_instance_count = count},
                                .model = {.request_json = R"({"ModelName":"m"})"}}};
    Insert(Kind::kEndpoint, name, uid, "", "{}", state.ToJson());
  }
  void Target(uint32_t least, uint32_t most, const std::string& uid = "t", const std::string& resource_id = kVariant,
              const std::string& endpoint_uid = "e-uid") {
    catalog::ScalableTarget target;
    target.min_capacity = least;
    target.max_capacity = most;
    Insert(Kind::kScalableTarget, resource_id, uid, endpoint_uid, target.SpecJson(), target.StateJson());
  }
  void Bounds(uint32_t least, uint32_t most) {
    catalog::ScalableTarget target = Stored();
    target.min_capacity = least;
    target.max_capacity = most;
    catalog::Transaction transaction;
    transaction.updates.push_back({.uid = "t", .spec = target.SpecJson(), .modified = queue_.Now()});
    ASSERT_TRUE(catalog_.Write(transaction).ok());
  }
  void Policy(const std::string& uid, const std::string& members) {
    Insert(Kind::kScalingPolicy, uid, uid, "t",
           R"({"PolicyName":")" + uid + R"(","PolicyARN":"arn-)" + uid + R"(",)" + members + "}");
  }
  void Track(double a_minute) {
    Policy("p", R"("PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{)"
                R"("PredefinedMetricSpecification":{"PredefinedMetricType":"SageMakerVariantInvocationsPerInstance"},)"
                R"("TargetValue":)" +
                    std::to_string(a_minute) + "}");
  }
  void Action(const std::string& uid, const std::string& schedule, const std::string& bounds) {
    Insert(Kind::kScheduledAction, uid, uid, "t",
           R"({"ScheduledActionName":")" + uid + R"(","Schedule":")" + schedule + R"(","ScalableTargetAction":)" +
               bounds + "}");
  }
  // So many requests in each of so many seconds, told when the second is over.
  void Load(int64_t count, uint64_t requests) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t second = std::chrono::floor<seconds>(queue_.Now()).time_since_epoch().count();
      Run(seconds(1));
      serving::VariantCounts counts;
      counts.invocations = counts.concurrent_max = requests;
      load_.Add({"e", "v"}, second, counts);
      Run(Duration::zero());
    }
  }

  catalog::ScalableTarget Stored() {
    return catalog::ScalableTarget::FromResource(catalog_.GetByUid("t").value()).value();
  }
  EndpointState State() { return EndpointState::FromJson(catalog_.GetByUid("e-uid")->state).value(); }
  uint32_t Desired() { return State().current->variants[0].variant.initial_instance_count; }
  void ChangeEndpoint(const std::function<void(EndpointState&)>& change) {
    EndpointState state = State();
    change(state);
    catalog::Transaction transaction;
    transaction.updates.push_back({.uid = "e-uid", .status = state.status, .state = state.ToJson()});
    ASSERT_TRUE(catalog_.Write(transaction).ok());
  }
  // What the endpoints controller makes of a change of capacity, at last.
  void Settle(const std::string& failure = "") {
    ChangeEndpoint([&](EndpointState& state) {
      state.status = "InService";
      state.failure_reason = failure;
      state.current->variants[0].before.reset();
    });
    Run(Duration::zero());
  }
  std::vector<ScalingActivity> Activities() {
    std::vector<ScalingActivity> activities;
    for (const catalog::Resource& resource : catalog_.All(Kind::kScalingActivity)) {
      activities.push_back(ScalingActivity::FromResource(resource).value());
    }
    return activities;
  }
  std::vector<std::string> Statuses() {
    std::vector<std::string> statuses;
    for (const ScalingActivity& activity : Activities()) statuses.push_back(activity.status);
    return statuses;
  }

  SimQueue queue_{FromUnixSeconds(1'700'000'040)};  // a whole minute
  SeededRandom random_{1};
  StoreCatalog catalog_;
  serving::LoadBook load_;
  std::unique_ptr<SimProcess> process_;
  std::unique_ptr<ScalingExecutor> executor_;
};

TEST_F(ScalingExecutorTest, AChangeIsCommittedWithTheActivityThatTellsOfItAndTheActivityEndsWithIt) {
  Endpoint("e", 1);
  Target(2, 4);
  Run(seconds(1));
  EXPECT_EQ(Desired(), 2U);
  EXPECT_EQ(State().status, "Updating");
  ASSERT_THAT(Statuses(), ElementsAre("InProgress"));
  EXPECT_EQ(Activities()[0].cause, "minimum capacity was set to 2");
  EXPECT_EQ(Activities()[0].resource_id, kVariant);
  EXPECT_EQ(Stored().state.activity, Activities()[0].uid);
  Run(minutes(5));
  EXPECT_THAT(Statuses(), ElementsAre("InProgress"));
  Settle();
  ASSERT_THAT(Statuses(), ElementsAre("Successful"));
  EXPECT_EQ(Activities()[0].end, queue_.Now());
  EXPECT_EQ(Stored().state.activity, "");
}

TEST_F(ScalingExecutorTest, AChangeThatTheMachineDoesNotAllowIsToldAndTriedAgainAfterAWhile) {
  Endpoint("e", 1);
  Target(3, 4);
  Run(seconds(1));
  ChangeEndpoint([](EndpointState& state) { state.current->variants[0].variant.initial_instance_count = 2; });
  Settle("no memory for more");
  ASSERT_THAT(Statuses(), ElementsAre("Failed"));
  EXPECT_THAT(Activities()[0].message, HasSubstr("Reason: no memory for more"));
  Run(kRetryAfterFailure - seconds(1));
  EXPECT_EQ(Desired(), 2U);
  Run(seconds(2));
  EXPECT_EQ(Desired(), 3U);
  EXPECT_THAT(Statuses(), ElementsAre("Failed", "InProgress"));
}

TEST_F(ScalingExecutorTest, AChangeOverridesTheOneThatIsUnderWay) {
  Endpoint("e", 1);
  Target(2, 4);
  Run(seconds(1));
  Bounds(3, 4);
  Run(seconds(1));
  EXPECT_EQ(Desired(), 3U);
  ASSERT_THAT(Statuses(), ElementsAre("Overridden", "InProgress"));
  EXPECT_TRUE(Activities()[0].end.has_value());
  Settle();
  EXPECT_THAT(Statuses(), ElementsAre("Overridden", "Successful"));
}

TEST_F(ScalingExecutorTest, WhoComesBetweenIsNotOverwrittenAndTheChangeIsPlannedAnew) {
  Endpoint("e", 1);
  Target(2, 4);
  // Others hear of a change before who made it.
  catalog_.later = [this](Task answer) { process_->After(std::chrono::milliseconds(1), std::move(answer)); };
  catalog_.before_commit = [this] {
    ChangeEndpoint([](EndpointState& state) { state.current->variants[0].variant.initial_weight = 7; });
  };
  Run(seconds(1));
  EXPECT_EQ(Desired(), 2U);
  EXPECT_EQ(State().current->variants[0].variant.initial_weight, 7);
  EXPECT_EQ(Activities().size(), 1U);
  // Also where the target itself was changed.
  Settle();
  catalog_.before_commit = [this] { Bounds(4, 4); };
  Bounds(3, 4);
  Run(seconds(1));
  EXPECT_EQ(Desired(), 4U);
  EXPECT_EQ(Stored().min_capacity, 4U);
  EXPECT_EQ(Activities().size(), 2U);
}

TEST_F(ScalingExecutorTest, WhatCannotBeSavedIsSavedLater) {
  Endpoint("e", 1);
  Target(2, 4);
  catalog_.refusal = Error(ErrorCode::kNoSpace, "the disk is full");
  Run(std::chrono::milliseconds(900));
  EXPECT_EQ(Desired(), 1U);
  EXPECT_THAT(Statuses(), IsEmpty());
  Run(std::chrono::milliseconds(200));
  EXPECT_EQ(Desired(), 2U);
  EXPECT_EQ(Activities().size(), 1U);
}

TEST_F(ScalingExecutorTest, ARestartGoesOnWithTheChangeThatWasUnderWay) {
  Endpoint("e", 1);
  Target(2, 4);
  Run(seconds(1));
  Start();
  Run(seconds(5));
  EXPECT_THAT(Statuses(), ElementsAre("InProgress"));
  Settle();
  EXPECT_THAT(Statuses(), ElementsAre("Successful"));
}

TEST_F(ScalingExecutorTest, AnUpdateOfTheEndpointIsWaitedFor) {
  Endpoint("e", 1);
  ChangeEndpoint([](EndpointState& state) { state.status = "Updating"; });
  Target(2, 4);
  Run(minutes(1));
  EXPECT_EQ(Desired(), 1U);
  Settle();
  EXPECT_EQ(Desired(), 2U);
}

TEST_F(ScalingExecutorTest, WithAnEndpointGoesAllThatWasScaledOfIt) {
  Endpoint("e", 1);
  Target(2, 4);
  Track(600);
  Action("s", "rate(1 day)", R"({"MinCapacity":2})");
  Endpoint("f", 1, "f-uid");
  Target(2, 4, "other", "endpoint/f/variant/v", "f-uid");
  Run(seconds(1));
  ASSERT_EQ(Activities().size(), 2U);
  // It cannot be saved at first.
  catalog_.refusal = Error(ErrorCode::kNoSpace, "the disk is full");
  Remove("e-uid");
  Run(seconds(3));
  EXPECT_THAT(catalog_.All(Kind::kScalingPolicy), IsEmpty());
  EXPECT_THAT(catalog_.All(Kind::kScheduledAction), IsEmpty());
  ASSERT_EQ(catalog_.All(Kind::kScalableTarget).size(), 1U);
  EXPECT_EQ(catalog_.All(Kind::kScalableTarget)[0].uid, "other");
  ASSERT_EQ(Activities().size(), 1U);
  EXPECT_EQ(Activities()[0].resource_id, "endpoint/f/variant/v");
}

TEST_F(ScalingExecutorTest, AnEndpointThatComesBackUnderTheNameDoesNotKeepTheOldOnesTargets) {
  Endpoint("e", 1);
  Target(1, 4);
  Run(seconds(1));
  catalog_.refusal = Error(ErrorCode::kNoSpace, "the disk is full");
  Remove("e-uid");
  Run(Duration::zero());
  Endpoint("e", 1, "new-uid");
  Target(1, 4, "new", "endpoint/e/variant/second", "new-uid");
  Run(seconds(3));
  ASSERT_EQ(catalog_.All(Kind::kScalableTarget).size(), 1U);
  EXPECT_EQ(catalog_.All(Kind::kScalableTarget)[0].uid, "new");
}

// Put by a client, not yet heard of here.
TEST_F(ScalingExecutorTest, APolicyThatIsPutWhileTheEndpointGoesIsNotLeftBehind) {
  Endpoint("e", 1);
  Target(1, 4);
  Run(seconds(1));
  Remove("e-uid");
  catalog_.before_commit = [this] {
    Bounds(1, 4);  // as putting a policy holds its target
    Track(600);
  };
  Run(seconds(3));
  EXPECT_THAT(catalog_.All(Kind::kScalableTarget), IsEmpty());
  EXPECT_THAT(catalog_.All(Kind::kScalingPolicy), IsEmpty());
}

TEST_F(ScalingExecutorTest, WhatBelongsToAnEndpointThatWentWhileTheServerWasDownIsRemovedAtTheStart) {
  Endpoint("e", 1);
  Target(2, 4);
  Track(600);
  Run(seconds(1));
  Stop();
  Remove("e-uid");
  Endpoint("e", 1, "new-uid");
  Start();
  Run(seconds(1));
  EXPECT_THAT(catalog_.All(Kind::kScalableTarget), IsEmpty());
  EXPECT_THAT(catalog_.All(Kind::kScalingPolicy), IsEmpty());
}

TEST_F(ScalingExecutorTest, AScheduledActionRunsWhenItIsDueOnceAndIsTold) {
  Endpoint("e", 1);
  Target(1, 4);
  Action("s", "at(2023-11-14T22:20:00)", R"({"MinCapacity":3,"MaxCapacity":6})");
  Run(minutes(5));
  EXPECT_EQ(Stored().min_capacity, 1U);
  Run(minutes(2));
  EXPECT_EQ(Stored().min_capacity, 3U);
  EXPECT_EQ(Stored().max_capacity, 6U);
  EXPECT_EQ(Desired(), 3U);
  std::map<std::string, std::string> told;
  for (const ScalingActivity& activity : Activities()) told[activity.cause] = activity.status;
  EXPECT_THAT(told, ElementsAre(Pair("minimum capacity was set to 3", "InProgress"),
                                Pair("scheduled action name s was triggered", "Successful")));
  Bounds(1, 4);
  Start();
  Run(minutes(30));
  EXPECT_EQ(Stored().min_capacity, 1U) << "it has had its day";
}

TEST_F(ScalingExecutorTest, AScheduledActionThatWasMissedWhileTheServerWasDownRunsOnce) {
  Endpoint("e", 1);
  Target(1, 4);
  Action("s", "rate(10 minutes)", R"({"MinCapacity":2})");
  Run(seconds(1));
  Stop();
  Run(minutes(45));
  Start();
  Run(seconds(1));
  EXPECT_EQ(Stored().min_capacity, 2U);
  const auto runs = [this] {
    const auto activities = Activities();
    return std::count_if(activities.begin(), activities.end(),
                         [](const ScalingActivity& a) { return a.cause.starts_with("scheduled"); });
  };
  EXPECT_EQ(runs(), 1);
  Run(minutes(5));
  EXPECT_EQ(runs(), 2) << "fifty minutes after its begin";
}

TEST_F(ScalingExecutorTest, AScheduledActionWhileScheduledScalingIsSuspendedChangesNothingAndIsNotMadeUpFor) {
  Endpoint("e", 1);
  Target(1, 4);
  catalog::ScalableTarget target = Stored();
  target.suspended.scheduled = true;
  catalog::Transaction suspend;
  suspend.updates.push_back({.uid = "t", .spec = target.SpecJson()});
  ASSERT_TRUE(catalog_.Write(suspend).ok());
  Action("s", "rate(10 minutes)", R"({"MinCapacity":2})");
  Run(minutes(11));
  EXPECT_EQ(Stored().min_capacity, 1U);
  EXPECT_THAT(Statuses(), IsEmpty());
  Bounds(1, 4);  // as it was, but not suspended
  target.suspended.scheduled = false;
  suspend.updates[0].spec = target.SpecJson();
  ASSERT_TRUE(catalog_.Write(suspend).ok());
  Run(minutes(5));
  EXPECT_EQ(Stored().min_capacity, 1U);
  Run(minutes(5));
  EXPECT_EQ(Stored().min_capacity, 2U);
}

TEST_F(ScalingExecutorTest, LoadAddsInstancesAndADeletedPolicyAddsNone) {
  Endpoint("e", 1);
  Target(1, 8);
  Track(600);
  Load(120, 5);
  EXPECT_EQ(Desired(), 1U);
  Load(1, 100);
  EXPECT_EQ(Desired(), 2U);
  EXPECT_THAT(Activities()[0].cause, HasSubstr("AlarmHigh-p in state ALARM triggered policy p"));
  Settle();
  Remove("p");
  Load(60, 1000);
  EXPECT_EQ(Desired(), 2U);
}

TEST_F(ScalingExecutorTest, OneBurstFetchesNoMoreThanTwiceThoughTheChangeIsDoneAtOnce) {
  Endpoint("e", 1);
  Target(1, 8);
  Track(600);
  Load(120, 0);
  Load(1, 100);
  EXPECT_EQ(Desired(), 2U);
  Settle();
  Load(30, 0);
  EXPECT_EQ(Desired(), 2U);
  Load(1, 200);
  EXPECT_EQ(Desired(), 4U);
  Load(1, 200);
  EXPECT_EQ(Desired(), 8U) << "a surge that lasts doubles it each second";
}

TEST_F(ScalingExecutorTest, WhatIsBeyondTheMaximumIsRecordedOnceWhileItLasts) {
  Endpoint("e", 1);
  Target(1, 1);
  Track(60);
  Load(60, 50);
  ASSERT_THAT(Statuses(), ElementsAre("Unfulfilled"));
  const ScalingActivity told = Activities()[0];
  EXPECT_EQ(told.not_scaled_code, "AlreadyAtMaxCapacity");
  EXPECT_EQ(told.current_capacity, 1U);
  EXPECT_EQ(told.max_capacity, 1U);
  Load(600, 0);
  EXPECT_EQ(Activities().size(), 1U);
  Load(60, 50);
  EXPECT_EQ(Activities().size(), 2U);
  EXPECT_EQ(Desired(), 1U);
}

TEST_F(ScalingExecutorTest, OfManyActivitiesTheNewestAreKeptAndTheOneInProgress) {
  Endpoint("e", 1);
  Target(2, 4);
  Run(seconds(1));
  const std::string in_progress = Activities()[0].uid;
  Action("s", "rate(1 minute)", R"({"MinCapacity":2})");
  Run(minutes(150));
  std::vector<ScalingActivity> kept = Activities();
  EXPECT_EQ(kept.size(), kActivitiesKept + 1);
  EXPECT_EQ(kept.front().uid, in_progress);
  EXPECT_EQ(kept.back().start, queue_.Now());
  Settle();
  Start();
  Run(minutes(10));
  kept = Activities();
  EXPECT_EQ(kept.size(), kActivitiesKept);
  EXPECT_NE(kept.front().uid, in_progress);
}

TEST_F(ScalingExecutorTest, WhatWasLearnedIsSavedAndKnownAfterARestart) {
  Endpoint("e", 1);
  Target(1, 20);
  Policy("p", R"("PolicyType":"PredictiveScaling","PredictiveScalingPolicyConfiguration":{)"
              R"("MetricSpecifications":[{"TargetValue":60}],"Mode":"ForecastAndScale"})");
  const auto learned = [this] { return catalog_.GetByUid("p")->state; };
  Load(9 * 60, 5);
  EXPECT_EQ(learned(), "{}") << "not each minute";
  Load(21 * 60, 5);
  EXPECT_THAT(learned(), HasSubstr("[300.0,300.0,300.0,"));
  Settle();
  EXPECT_GE(Desired(), 5U);
  EXPECT_EQ(Activities().back().cause, "predictive scaling policy p was triggered");
  Stop();
  ChangeEndpoint([](EndpointState& state) { state.current->variants[0].variant.initial_instance_count = 1; });
  Start();
  Load(121, 5);
  EXPECT_GE(Desired(), 5U) << "who begins from nothing forecasts nothing yet";
}

TEST_F(ScalingExecutorTest, ARequestThatWaitsBringsAnInstanceBackFromZero) {
  Endpoint("e", 0);
  Target(0, 2);
  Track(600);
  Run(minutes(10));
  executor_->OnDemand({"e", "other"});
  executor_->OnDemand({"other", "v"});
  Run(seconds(1));
  EXPECT_EQ(Desired(), 0U);
  ChangeEndpoint([](EndpointState& state) { state.status = "Updating"; });
  executor_->OnDemand({"e", "v"});
  Run(seconds(3));
  Settle();
  EXPECT_EQ(Desired(), 0U) << "it would have told of itself again";
  executor_->OnDemand({"e", "v"});
  Run(Duration::zero());
  EXPECT_EQ(Desired(), 1U);
  EXPECT_EQ(Activities()[0].cause, "a request waits for an instance");
}

TEST_F(ScalingExecutorTest, AnAlarmMovesThePolicyThatItNames) {
  Endpoint("e", 1);
  Target(1, 6);
  Policy("p", R"("PolicyType":"StepScaling","StepScalingPolicyConfiguration":{"AdjustmentType":"ChangeInCapacity",)"
              R"("StepAdjustments":[{"MetricIntervalLowerBound":0,"ScalingAdjustment":2}]})");
  Run(seconds(1));
  executor_->OnAlarm({"arn-of-another", "busy", 90, 50, queue_.Now()});
  Run(seconds(1));
  EXPECT_EQ(Desired(), 1U);
  executor_->OnAlarm({"arn-p", "busy", 90, 50, queue_.Now()});
  Run(seconds(1));
  EXPECT_EQ(Desired(), 3U);
  EXPECT_EQ(Activities()[0].cause, "monitor alarm busy in state ALARM triggered policy p");
}

TEST_F(ScalingExecutorTest, EachEvaluationOfAnAlarmMovesAStepPolicyOnce) {
  Endpoint("e", 1);
  Target(1, 10);
  Policy("p", R"("PolicyType":"StepScaling","StepScalingPolicyConfiguration":{"AdjustmentType":"ChangeInCapacity",)"
              R"("Cooldown":0,"StepAdjustments":[{"MetricIntervalLowerBound":0,"ScalingAdjustment":1}]})");
  Run(seconds(1));
  executor_->OnAlarm({"arn-p", "busy", 90, 50, queue_.Now()});
  Run(seconds(30));
  EXPECT_EQ(Desired(), 2U) << "one evaluation";
  executor_->OnAlarm({"arn-p", "busy", 90, 50, queue_.Now()});
  Run(seconds(30));
  EXPECT_EQ(Desired(), 3U) << "it lasts";
  executor_->OnAlarmOver("busy");
  Run(minutes(3));
  EXPECT_EQ(Desired(), 3U);
}

TEST_F(ScalingExecutorTest, AnAlarmThatComesInItsCooldownIsNotKeptForItsEnd) {
  Endpoint("e", 1);
  Target(1, 10);
  Policy("p", R"("PolicyType":"StepScaling","StepScalingPolicyConfiguration":{"AdjustmentType":"ChangeInCapacity",)"
              R"("Cooldown":20,"StepAdjustments":[{"MetricIntervalLowerBound":0,"ScalingAdjustment":1}]})");
  Run(seconds(1));
  executor_->OnAlarm({"arn-p", "busy", 90, 50, queue_.Now()});
  Run(seconds(5));
  Settle();
  executor_->OnAlarm({"arn-p", "busy", 90, 50, queue_.Now()});
  Run(minutes(1));
  EXPECT_EQ(Desired(), 2U);
}

TEST_F(ScalingExecutorTest, WithoutTargetsNothingRuns) {
  Endpoint("e", 1);
  Load(10, 1000);
  Run(Duration::zero());
  EXPECT_FALSE(queue_.Step());
}

}  // namespace
}  // namespace argosy::control
