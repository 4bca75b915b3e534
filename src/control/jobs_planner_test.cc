#include "control/jobs_planner.h"

#include <gtest/gtest.h>

namespace argosy::control {
namespace {

using catalog::AttemptPhase;
using compute::InstanceLife;
using protocol::AgentPhase;
using protocol::OutcomeKind;

constexpr uint64_t kGib = 1ULL << 30;
Time At(double seconds) {
  return FromUnixSeconds(1'700'000'000 + seconds);
}

class JobsPlannerTest : public ::testing::Test {
 protected:
  JobsPlannerTest() {
    job_.uid = "u1";
    job_.name = "job";
    job_.version = 1;
    job_.created = job_.modified = At(0);
    job_.spec = *catalog::TrainingJobSpec::FromRequestJson(
        R"({"TrainingJobName":"job","OutputDataConfig":{"S3OutputPath":"s3://b/out/"},"RetryStrategy":{"MaximumRetryAttempts":2},)"
        R"("ResourceConfig":{"InstanceType":"ml.m5.large","InstanceCount":1},"StoppingCondition":{"MaxRuntimeInSeconds":100}})");
    job_.state.Enter("Starting", At(0), "");
    facts_.allocation =
        Allocate({.memory_total_bytes = 16 * kGib, .memory_free_bytes = 16 * kGib, .cpus = 2, .hosts_free = 1},
                 *cost::FindInstanceType("ml.m5.large"), TypePolicy::kWish);
  }

  std::vector<JobAction> Plan(double now) {
    return PlanJob(job_, facts_, {"us-east-1", "000000000000", "i-new", "objects"}, At(now));
  }

  // Plans, expects a save, and takes it over as the executor would.
  SaveJob PlanAndSave(double now) {
    const auto actions = Plan(now);
    for (const JobAction& action : actions) {
      if (const auto* save = std::get_if<SaveJob>(&action)) {
        if (save->open) facts_.ledger = save->open;
        if (save->close) facts_.ledger.reset();
        job_.state = save->state;
        job_.modified = At(now);
        ++job_.version;
        return *save;
      }
    }
    ADD_FAILURE() << "no save was planned";
    return {};
  }

  template <class Action>
  const Action* Find(const std::vector<JobAction>& actions) {
    for (const JobAction& action : actions) {
      if (const auto* found = std::get_if<Action>(&action)) return found;
    }
    return nullptr;
  }

  void Allocated() {
    PlanAndSave(1);
    facts_.instance = compute::InstanceView{.instance_id = "i-new", .owner_uid = "u1", .attempt = 1};
  }
  void Running(AgentPhase phase) {
    Allocated();
    facts_.instance->life = InstanceLife::kRunning;
    facts_.instance->started = At(2);
    protocol::Report report;
    report.phase = phase;
    report.phase_times = {
        {AgentPhase::kStarting, At(2)}, {AgentPhase::kDownloading, At(3)}, {AgentPhase::kTraining, At(4)}};
    facts_.instance->report = report;
    PlanAndSave(5);
  }
  void Gone(double ended, std::optional<OutcomeKind> kind) {
    facts_.instance->life = InstanceLife::kGone;
    facts_.instance->ended = At(ended);
    if (!kind) return;
    protocol::AgentOutcome outcome;
    outcome.kind = *kind;
    outcome.finished = At(ended);
    outcome.failure_reason = *kind == OutcomeKind::kFailed ? "AlgorithmError: x, exit code: 1" : "";
    outcome.staged_artifact = *kind == OutcomeKind::kFailed ? "" : "dir/model.tar.gz";
    outcome.staged_output = *kind == OutcomeKind::kFailed ? "" : "dir/output.tar.gz";
    facts_.instance->report->outcome = outcome;
  }

  JobView job_;
  JobFacts facts_;
};

TEST_F(JobsPlannerTest, AnInstanceStartsOnlyAfterItsLedgerEntryIsSaved) {
  const auto first = Plan(1);
  ASSERT_NE(Find<SaveJob>(first), nullptr);
  EXPECT_EQ(Find<StartAttempt>(first), nullptr);
  const SaveJob save = PlanAndSave(1);
  ASSERT_TRUE(save.open.has_value());
  EXPECT_EQ(save.open->instance_id, "i-new");
  EXPECT_EQ(save.open->attempt, 1U);
  EXPECT_EQ(save.open->nano_dollars_per_hour, 115'000'000);
  const auto second = Plan(1);
  EXPECT_EQ(Find<SaveJob>(second), nullptr);
  ASSERT_NE(Find<StartAttempt>(second), nullptr);
  EXPECT_EQ(Find<StartAttempt>(second)->assignment.attempt, 1U);
  EXPECT_EQ(Find<StartAttempt>(second)->assignment.arn, "arn:aws:sagemaker:us-east-1:000000000000:training-job/job");
}

TEST_F(JobsPlannerTest, WithoutCapacityItWaitsAndSaysWhy) {
  facts_.allocation = {.verdict = Allocation::Verdict::kWait, .note = "Waiting for memory: …"};
  const SaveJob save = PlanAndSave(1);
  EXPECT_EQ(save.state.secondary_status, "Pending");
  EXPECT_EQ(save.state.status_message, "Waiting for memory: …");
  EXPECT_TRUE(Plan(2).empty());
}

TEST_F(JobsPlannerTest, ATypeThatIsRefusedFailsWithCapacityError) {
  facts_.allocation = {.verdict = Allocation::Verdict::kRefused, .note = "too big"};
  const SaveJob save = PlanAndSave(1);
  EXPECT_EQ(save.state.status, "Failed");
  EXPECT_EQ(save.state.failure_reason, "CapacityError: too big");
}

TEST_F(JobsPlannerTest, AJobStoppedBeforeItStartedNeverHasAnInstance) {
  job_.state.stop_requested = true;
  job_.state.status = "Stopping";
  const SaveJob save = PlanAndSave(1);
  EXPECT_EQ(save.state.status, "Stopped");
  EXPECT_FALSE(save.open.has_value());
  EXPECT_TRUE(Plan(2).empty());
}

TEST_F(JobsPlannerTest, PhasesOfTheAgentBecomeSecondaryTransitions) {
  Running(AgentPhase::kTraining);
  EXPECT_EQ(job_.state.secondary_status, "Training");
  ASSERT_EQ(job_.state.transitions.size(), 3U);
  EXPECT_EQ(job_.state.transitions[1].status, "Downloading");
  EXPECT_EQ(job_.state.transitions[1].start, At(3));
  EXPECT_EQ(job_.state.transitions[1].end, At(4));
  EXPECT_EQ(job_.state.training_start, At(3));
}

TEST_F(JobsPlannerTest, SuccessIsPublishedBeforeItIsCompleted) {
  Running(AgentPhase::kTraining);
  Gone(10, OutcomeKind::kSucceeded);
  const SaveJob publishing = PlanAndSave(10);
  EXPECT_EQ(publishing.state.phase, AttemptPhase::kPublishing);
  EXPECT_EQ(publishing.state.status, "InProgress");
  ASSERT_TRUE(publishing.close.has_value());
  EXPECT_EQ(publishing.close->started, At(2));
  EXPECT_EQ(publishing.close->ended, At(10));
  EXPECT_EQ(publishing.state.billable_nanos, 8'000'000'000);

  const auto actions = Plan(10);
  ASSERT_NE(Find<PublishJob>(actions), nullptr);
  EXPECT_EQ(Find<SaveJob>(actions), nullptr);
  ASSERT_EQ(Find<PublishJob>(actions)->files.size(), 2U);
  EXPECT_EQ(Find<PublishJob>(actions)->files[0].uri, "s3://b/out/job/output/model.tar.gz");
  EXPECT_EQ(Find<PublishJob>(actions)->files[1].staged, "dir/output.tar.gz");
  EXPECT_EQ(Find<PublishJob>(actions)->files[1].uri, "s3://b/out/job/output/output.tar.gz");

  facts_.published = Status();
  const SaveJob end = PlanAndSave(11);
  EXPECT_EQ(end.state.status, "Completed");
  EXPECT_EQ(end.state.model_artifacts, "s3://b/out/job/output/model.tar.gz");
  EXPECT_EQ(end.state.transitions.back().message, "Training job completed");
  EXPECT_EQ(end.state.training_end, At(10));
}

TEST_F(JobsPlannerTest, CheckpointsArePublishedAsTheyComeAndBeforeAnotherAttempt) {
  job_.spec.checkpoint_uri = "s3://b/c/";
  Running(AgentPhase::kTraining);
  facts_.instance->report->checkpoint = protocol::StagedCheckpoint{1, "dir/checkpoint-1", "checkpoint"};
  const auto first = Plan(6);
  ASSERT_NE(Find<PublishCheckpoint>(first), nullptr);
  EXPECT_EQ(Find<PublishCheckpoint>(first)->file.staged, "dir/checkpoint-1");
  EXPECT_EQ(Find<PublishCheckpoint>(first)->file.uri, "s3://b/c/checkpoint");
  facts_.checkpoint_done = 1;
  EXPECT_EQ(Find<PublishCheckpoint>(Plan(6)), nullptr) << "once";
  facts_.instance->report->checkpoint->number = 2;
  Gone(10, std::nullopt);
  const auto gone = Plan(10);
  ASSERT_NE(Find<PublishCheckpoint>(gone), nullptr);
  EXPECT_EQ(Find<SaveJob>(gone), nullptr) << "the next attempt would begin without it";
  facts_.checkpoint_done = 2;
  EXPECT_EQ(PlanAndSave(10).state.phase, AttemptPhase::kNone);
}

TEST_F(JobsPlannerTest, WithoutALocationNothingIsPublished) {
  Running(AgentPhase::kTraining);
  facts_.instance->report->checkpoint = protocol::StagedCheckpoint{1, "dir/checkpoint-1", "checkpoint"};
  EXPECT_EQ(Find<PublishCheckpoint>(Plan(6)), nullptr);
}

TEST_F(JobsPlannerTest, AnAttemptThatGotFurtherIsNotCountedAgainstTheJob) {
  job_.spec.checkpoint_uri = "s3://b/c";
  job_.spec.attempts_max = 2;
  for (uint64_t attempt = 1; attempt <= 5; ++attempt) {
    Running(AgentPhase::kTraining);
    facts_.instance->report->checkpoint = protocol::StagedCheckpoint{1, "dir/checkpoint-1", "checkpoint"};
    facts_.checkpoint_done = 1;
    Gone(10, std::nullopt);
    const SaveJob save = PlanAndSave(10);
    EXPECT_EQ(save.state.phase, AttemptPhase::kNone) << attempt;
    EXPECT_EQ(save.state.status, "InProgress") << attempt;
    facts_.instance.reset();
  }
}

TEST_F(JobsPlannerTest, AFailureKeepsItsReasonAndHasNoArtifact) {
  Running(AgentPhase::kTraining);
  Gone(10, OutcomeKind::kFailed);
  PlanAndSave(10);
  const SaveJob end = PlanAndSave(10);
  EXPECT_EQ(end.state.status, "Failed");
  EXPECT_EQ(end.state.failure_reason, "AlgorithmError: x, exit code: 1");
  EXPECT_TRUE(end.state.model_artifacts.empty());
}

TEST_F(JobsPlannerTest, ALostInstanceGivesAnotherAttemptUntilTheBound) {
  for (uint32_t attempt = 1; attempt <= 3; ++attempt) {
    facts_.instance.reset();
    Running(AgentPhase::kTraining);
    EXPECT_EQ(job_.state.attempt, attempt);
    Gone(10, std::nullopt);
    const SaveJob save = PlanAndSave(11);
    ASSERT_TRUE(save.close.has_value());
    EXPECT_EQ(save.close->ended, At(10));
    EXPECT_EQ(save.state.status, attempt < 3 ? "InProgress" : "Failed");
  }
  EXPECT_TRUE(job_.state.failure_reason.starts_with("InternalServerError: the instance was lost 3 times"));
}

TEST_F(JobsPlannerTest, AnInstanceThatNeverStartedCostsNoAttempt) {
  Allocated();
  facts_.instance->life = InstanceLife::kGone;
  const SaveJob save = PlanAndSave(2);
  EXPECT_EQ(save.state.interruptions, 0U);
  ASSERT_TRUE(save.close.has_value());
  EXPECT_FALSE(save.close->started.has_value());
}

TEST_F(JobsPlannerTest, StopAsksThenKillsAfterTheGrace) {
  Running(AgentPhase::kTraining);
  job_.state.stop_requested = true;
  job_.state.status = "Stopping";
  job_.state.Enter("Stopping", At(10), "");
  const auto asked = Plan(11);
  EXPECT_NE(Find<StopInstance>(asked), nullptr);
  EXPECT_EQ(Find<KillInstance>(asked), nullptr);
  ASSERT_NE(Find<WakeAt>(asked), nullptr);
  EXPECT_EQ(Find<WakeAt>(asked)->at, At(130));
  EXPECT_NE(Find<KillInstance>(Plan(130)), nullptr);
}

TEST_F(JobsPlannerTest, AStoppedJobKeepsItsArtifact) {
  Running(AgentPhase::kTraining);
  job_.state.stop_requested = true;
  job_.state.status = "Stopping";
  Gone(12, OutcomeKind::kStopped);
  PlanAndSave(12);
  facts_.published = Status();
  const SaveJob end = PlanAndSave(12);
  EXPECT_EQ(end.state.status, "Stopped");
  EXPECT_EQ(end.state.secondary_status, "Stopped");
  EXPECT_FALSE(end.state.model_artifacts.empty());
}

TEST_F(JobsPlannerTest, StoppedByNobodyOfOursIsAnInterruption) {
  Running(AgentPhase::kTraining);
  Gone(12, OutcomeKind::kStopped);
  const SaveJob save = PlanAndSave(12);
  EXPECT_EQ(save.state.phase, AttemptPhase::kNone);
  EXPECT_EQ(save.state.interruptions, 0U);  // an orderly end does not use up the attempts
}

TEST_F(JobsPlannerTest, MaxRuntimeStopsAndIsNamed) {
  Running(AgentPhase::kTraining);
  const auto before = Plan(101);
  ASSERT_NE(Find<WakeAt>(before), nullptr);
  EXPECT_EQ(Find<WakeAt>(before)->at, At(102));
  const SaveJob save = PlanAndSave(102);
  EXPECT_TRUE(save.state.runtime_exceeded);
  EXPECT_EQ(save.state.status, "Stopping");
  EXPECT_NE(Find<StopInstance>(Plan(103)), nullptr);
  Gone(104, OutcomeKind::kStopped);
  PlanAndSave(104);
  facts_.published = Status();
  const SaveJob end = PlanAndSave(104);
  EXPECT_EQ(end.state.status, "Stopped");
  EXPECT_EQ(end.state.secondary_status, "MaxRuntimeExceeded");
}

TEST_F(JobsPlannerTest, MaxRuntimeCountsEarlierAttempts) {
  Running(AgentPhase::kTraining);
  Gone(62, std::nullopt);  // sixty of the hundred seconds are used
  PlanAndSave(62);
  facts_.instance.reset();
  PlanAndSave(63);
  facts_.instance = compute::InstanceView{.instance_id = "i-new", .life = InstanceLife::kRunning, .started = At(70)};
  const auto actions = Plan(71);
  ASSERT_NE(Find<WakeAt>(actions), nullptr);
  EXPECT_EQ(Find<WakeAt>(actions)->at, At(110));
}

TEST_F(JobsPlannerTest, SecondsOfEveryAttemptAreBilled) {
  Running(AgentPhase::kTraining);
  Gone(22, std::nullopt);
  const int64_t first = PlanAndSave(22).state.billable_nanos;
  EXPECT_GT(first, 0);
  facts_.instance.reset();
  PlanAndSave(23);
  facts_.instance = compute::InstanceView{.instance_id = "i-new", .life = InstanceLife::kRunning, .started = At(30)};
  facts_.instance->report = protocol::Report();
  Gone(37, OutcomeKind::kSucceeded);
  EXPECT_EQ(PlanAndSave(37).state.billable_nanos, first + 7'000'000'000);
}

TEST_F(JobsPlannerTest, AMissingOutputBucketIsTheClientsFault) {
  Running(AgentPhase::kTraining);
  Gone(10, OutcomeKind::kSucceeded);
  PlanAndSave(10);
  facts_.published = Status(Error(ErrorCode::kNotFound, "there is no bucket 'b'"));
  const SaveJob end = PlanAndSave(11);
  EXPECT_EQ(end.state.status, "Failed");
  EXPECT_TRUE(
      end.state.failure_reason.starts_with("ClientError: the artifact could not be written to s3://b/out/job/output/"));
}

TEST_F(JobsPlannerTest, AFullDiskIsTriedAgainLaterAndNotForEver) {
  Running(AgentPhase::kTraining);
  Gone(10, OutcomeKind::kSucceeded);
  PlanAndSave(10);
  double now = 11;
  for (uint32_t i = 1; i < kPublishTriesMax; ++i) {
    facts_.published = Status(Error(ErrorCode::kNoSpace, "No space left on device"));
    EXPECT_FALSE(PlanAndSave(now).state.terminal());
    facts_.published.reset();
    const auto waiting = Plan(now);
    ASSERT_NE(Find<WakeAt>(waiting), nullptr);
    EXPECT_EQ(Find<PublishJob>(waiting), nullptr);
    now += 60;
    EXPECT_NE(Find<PublishJob>(Plan(now)), nullptr);
  }
  facts_.published = Status(Error(ErrorCode::kNoSpace, "No space left on device"));
  EXPECT_EQ(PlanAndSave(now).state.status, "Failed");
}

TEST_F(JobsPlannerTest, AnAgentThatNeverReportsIsKilled) {
  Allocated();
  EXPECT_EQ(Find<KillInstance>(Plan(60)), nullptr);
  EXPECT_NE(Find<KillInstance>(Plan(61)), nullptr);
}

TEST_F(JobsPlannerTest, AnAgentThatDoesNotLeaveIsKilled) {
  Running(AgentPhase::kTraining);
  Gone(10, OutcomeKind::kSucceeded);
  facts_.instance->life = InstanceLife::kRunning;
  EXPECT_EQ(Find<KillInstance>(Plan(39)), nullptr);
  EXPECT_NE(Find<KillInstance>(Plan(40)), nullptr);
}

TEST_F(JobsPlannerTest, ComputeSayingNoPutsItBackToWaiting) {
  PlanAndSave(1);
  facts_.start_error = Error(ErrorCode::kResourceExhausted, "full");
  const SaveJob save = PlanAndSave(1);
  EXPECT_EQ(save.state.phase, AttemptPhase::kNone);
  EXPECT_TRUE(save.close.has_value());
  facts_.start_error.reset();
  EXPECT_NE(Find<WakeAt>(Plan(1.5)), nullptr);
  EXPECT_NE(Find<SaveJob>(Plan(2)), nullptr);
}

TEST(Allocation, ATypeIsAWishUnlessStrict) {
  const compute::Capacity capacity{
      .memory_total_bytes = 4 * kGib, .memory_free_bytes = 2 * kGib, .cpus = 2, .hosts_free = 2};
  const auto huge = *cost::FindInstanceType("ml.p3.16xlarge");
  const Allocation wish = Allocate(capacity, huge, TypePolicy::kWish);
  EXPECT_EQ(wish.verdict, Allocation::Verdict::kGranted);
  EXPECT_EQ(wish.memory_bytes, 2 * kGib);
  EXPECT_EQ(wish.cpus, 2U);
  EXPECT_NE(wish.note.find("ml.p3.16xlarge"), std::string::npos);
  EXPECT_EQ(Allocate(capacity, huge, TypePolicy::kStrict).verdict, Allocation::Verdict::kRefused);
  const auto medium = *cost::FindInstanceType("ml.t3.medium");  // 2 vCPUs, 4 GiB
  EXPECT_EQ(Allocate(capacity, medium, TypePolicy::kStrict).verdict, Allocation::Verdict::kWait);
}

TEST(Allocation, OnlyMemoryAndHostsQueue) {
  const auto type = *cost::FindInstanceType("ml.m5.large");
  compute::Capacity capacity{
      .memory_total_bytes = 4 * kGib, .memory_free_bytes = kMemoryFloor, .cpus = 1, .hosts_free = 1};
  const Allocation granted = Allocate(capacity, type, TypePolicy::kWish);
  EXPECT_EQ(granted.verdict, Allocation::Verdict::kGranted);
  EXPECT_EQ(Allocate(Without(capacity, granted), type, TypePolicy::kWish).verdict, Allocation::Verdict::kWait);
  --capacity.memory_free_bytes;
  EXPECT_EQ(Allocate(capacity, type, TypePolicy::kWish).verdict, Allocation::Verdict::kWait);
}

}  // namespace
}  // namespace argosy::control
