#include "control/jobs_planner.h"

#include <gtest/gtest.h>

#include "control/planner_test_values.h"

namespace argosy::control {
namespace {

using catalog::AttemptPhase;
using compute::InstanceLife;
using protocol::AgentPhase;
using protocol::OutcomeKind;

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
        if (!save->open.empty()) facts_.allocated = save->open.front().allocated;
        if (!save->close.empty()) facts_.allocated.reset();
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
    facts_.instances = {compute::InstanceView{.instance_id = "i-new", .owner_uid = "u1", .attempt = 1}};
  }
  void Running(AgentPhase phase) {
    Allocated();
    facts_.instances[0]->life = InstanceLife::kRunning;
    facts_.instances[0]->started = At(2);
    protocol::Report report;
    report.phase = phase;
    report.phase_times = {
        {AgentPhase::kStarting, At(2)}, {AgentPhase::kDownloading, At(3)}, {AgentPhase::kTraining, At(4)}};
    facts_.instances[0]->report = report;
    PlanAndSave(5);
  }
  void Gone(double ended, std::optional<OutcomeKind> kind) {
    facts_.instances[0]->life = InstanceLife::kGone;
    facts_.instances[0]->ended = At(ended);
    if (!kind) return;
    protocol::AgentOutcome outcome;
    outcome.kind = *kind;
    outcome.finished = At(ended);
    outcome.failure_reason = *kind == OutcomeKind::kFailed ? "AlgorithmError: x, exit code: 1" : "";
    outcome.staged_artifact = *kind == OutcomeKind::kFailed ? "" : "dir/model.tar.gz";
    outcome.staged_output = *kind == OutcomeKind::kFailed ? "" : "dir/output.tar.gz";
    facts_.instances[0]->report->outcome = outcome;
  }

  JobView job_;
  JobFacts facts_;
};

TEST_F(JobsPlannerTest, AnInstanceStartsOnlyAfterItsLedgerEntryIsSaved) {
  const auto first = Plan(1);
  ASSERT_NE(Find<SaveJob>(first), nullptr);
  EXPECT_EQ(Find<StartAttempt>(first), nullptr);
  const SaveJob save = PlanAndSave(1);
  ASSERT_EQ(save.open.size(), 1U);
  EXPECT_EQ(save.open[0].instance_id, "i-new");
  EXPECT_EQ(save.open[0].attempt, 1U);
  EXPECT_EQ(save.open[0].nano_dollars_per_hour, 115'000'000);
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
  EXPECT_TRUE(save.open.empty());
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
  ASSERT_EQ(publishing.close.size(), 1U);
  EXPECT_EQ(publishing.close.at("i-new").started, At(2));
  EXPECT_EQ(publishing.close.at("i-new").ended, At(10));
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
  facts_.instances[0]->report->checkpoint = protocol::StagedCheckpoint{1, "dir/checkpoint-1", "checkpoint"};
  const auto first = Plan(6);
  ASSERT_NE(Find<PublishCheckpoint>(first), nullptr);
  EXPECT_EQ(Find<PublishCheckpoint>(first)->file.staged, "dir/checkpoint-1");
  EXPECT_EQ(Find<PublishCheckpoint>(first)->file.uri, "s3://b/c/checkpoint");
  facts_.checkpoint_done = 1;
  EXPECT_EQ(Find<PublishCheckpoint>(Plan(6)), nullptr) << "once";
  facts_.instances[0]->report->checkpoint->number = 2;
  Gone(10, std::nullopt);
  const auto gone = Plan(10);
  ASSERT_NE(Find<PublishCheckpoint>(gone), nullptr);
  EXPECT_EQ(Find<SaveJob>(gone), nullptr) << "the next attempt would begin without it";
  facts_.checkpoint_done = 2;
  EXPECT_EQ(PlanAndSave(10).state.phase, AttemptPhase::kNone);
}

TEST_F(JobsPlannerTest, WithoutALocationNothingIsPublished) {
  Running(AgentPhase::kTraining);
  facts_.instances[0]->report->checkpoint = protocol::StagedCheckpoint{1, "dir/checkpoint-1", "checkpoint"};
  EXPECT_EQ(Find<PublishCheckpoint>(Plan(6)), nullptr);
}

TEST_F(JobsPlannerTest, AnAttemptThatGotFurtherIsNotCountedAgainstTheJob) {
  job_.spec.checkpoint_uri = "s3://b/c";
  job_.spec.attempts_max = 2;
  for (uint64_t attempt = 1; attempt <= 5; ++attempt) {
    Running(AgentPhase::kTraining);
    facts_.instances[0]->report->checkpoint = protocol::StagedCheckpoint{1, "dir/checkpoint-1", "checkpoint"};
    facts_.checkpoint_done = 1;
    Gone(10, std::nullopt);
    const SaveJob save = PlanAndSave(10);
    EXPECT_EQ(save.state.phase, AttemptPhase::kNone) << attempt;
    EXPECT_EQ(save.state.status, "InProgress") << attempt;
    facts_.instances.clear();
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
    facts_.instances.clear();
    Running(AgentPhase::kTraining);
    EXPECT_EQ(job_.state.attempt, attempt);
    Gone(10, std::nullopt);
    const SaveJob save = PlanAndSave(11);
    ASSERT_EQ(save.close.size(), 1U);
    EXPECT_EQ(save.close.at("i-new").ended, At(10));
    EXPECT_EQ(save.state.status, attempt < 3 ? "InProgress" : "Failed");
  }
  EXPECT_TRUE(job_.state.failure_reason.starts_with("InternalServerError: the instance was lost 3 times"));
}

TEST_F(JobsPlannerTest, AnInstanceThatNeverStartedCostsNoAttempt) {
  Allocated();
  facts_.instances[0]->life = InstanceLife::kGone;
  const SaveJob save = PlanAndSave(2);
  EXPECT_EQ(save.state.interruptions, 0U);
  ASSERT_EQ(save.close.size(), 1U);
  EXPECT_FALSE(save.close.at("i-new").started.has_value());
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
  facts_.instances.clear();
  PlanAndSave(63);
  facts_.instances = {compute::InstanceView{.instance_id = "i-new", .life = InstanceLife::kRunning, .started = At(70)}};
  const auto actions = Plan(71);
  ASSERT_NE(Find<WakeAt>(actions), nullptr);
  EXPECT_EQ(Find<WakeAt>(actions)->at, At(110));
}

TEST_F(JobsPlannerTest, SecondsOfEveryAttemptAreBilled) {
  Running(AgentPhase::kTraining);
  Gone(22, std::nullopt);
  const int64_t first = PlanAndSave(22).state.billable_nanos;
  EXPECT_GT(first, 0);
  facts_.instances.clear();
  PlanAndSave(23);
  facts_.instances = {compute::InstanceView{.instance_id = "i-new", .life = InstanceLife::kRunning, .started = At(30)}};
  facts_.instances[0]->report = protocol::Report();
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
  facts_.instances[0]->life = InstanceLife::kRunning;
  EXPECT_EQ(Find<KillInstance>(Plan(39)), nullptr);
  EXPECT_NE(Find<KillInstance>(Plan(40)), nullptr);
}

TEST_F(JobsPlannerTest, ComputeSayingNoPutsItBackToWaiting) {
  PlanAndSave(1);
  facts_.start_error = Error(ErrorCode::kResourceExhausted, "full");
  const SaveJob save = PlanAndSave(1);
  EXPECT_EQ(save.state.phase, AttemptPhase::kNone);
  EXPECT_EQ(save.close.size(), 1U);
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

// --- several hosts ---

class GroupPlannerTest : public JobsPlannerTest {
 protected:
  GroupPlannerTest() {
    job_.spec.instance_count = 3;
    facts_.allocation = Allocate(
        {.memory_total_bytes = 16 * kGib, .memory_free_bytes = 16 * kGib, .cpus = 4, .hosts_free = 3, .hosts_total = 8},
        *cost::FindInstanceType("ml.m5.large"), TypePolicy::kWish, 3);
  }

  void AllRunning(AgentPhase phase) {
    PlanAndSave(1);
    for (uint32_t host = 0; host < 3; ++host) {
      compute::InstanceView view{.instance_id = HostInstanceId("i-new", host),
                                 .owner_uid = "u1",
                                 .attempt = 1,
                                 .life = InstanceLife::kRunning,
                                 .started = At(2 + 0.1 * host)};
      view.report.emplace();
      view.report->phase = phase;
      view.report->phase_times = {{AgentPhase::kStarting, At(2)}, {AgentPhase::kDownloading, At(3)}};
      if (phase == AgentPhase::kTraining) view.report->phase_times.push_back({AgentPhase::kTraining, At(4)});
      facts_.instances.push_back(view);
    }
    PlanAndSave(5);
  }
  void HostGone(size_t host, double ended, std::optional<OutcomeKind> kind) {
    compute::InstanceView& view = *facts_.instances[host];
    view.life = InstanceLife::kGone;
    view.ended = At(ended);
    view.gone_reason = "killed by signal 9";
    if (!kind) return;
    view.report->outcome = protocol::AgentOutcome{.kind = *kind, .finished = At(ended)};
    if (*kind == OutcomeKind::kFailed)
      view.report->outcome->failure_reason = "ClientError: host " + std::to_string(host);
    if (*kind == OutcomeKind::kSucceeded && host == 0) view.report->outcome->staged_artifact = "dir/model.tar.gz";
  }
  std::vector<std::string> Killed(const std::vector<JobAction>& actions) {
    std::vector<std::string> ids;
    for (const JobAction& action : actions) {
      if (const auto* kill = std::get_if<KillInstance>(&action)) ids.push_back(kill->instance_id);
    }
    return ids;
  }
};

TEST_F(GroupPlannerTest, AllHostsAreBookedAndStartedTogether) {
  const SaveJob save = PlanAndSave(1);
  ASSERT_EQ(save.open.size(), 3U);
  EXPECT_EQ(save.open[0].instance_id, "i-new");
  EXPECT_EQ(save.open[2].instance_id, "i-new-3");
  std::vector<StartAttempt> starts;
  for (const JobAction& action : Plan(1)) starts.push_back(std::get<StartAttempt>(action));
  ASSERT_EQ(starts.size(), 3U);
  EXPECT_EQ(starts[2].assignment.instance_id, "i-new-3");
  EXPECT_EQ(starts[2].assignment.host, 2U);
  EXPECT_EQ(starts[2].assignment.hosts, 3U);
  EXPECT_TRUE(starts[2].assignment.log_stream.starts_with("job/algo-3-")) << starts[2].assignment.log_stream;
  EXPECT_EQ(starts[2].assignment.cpus, 1U) << "four cores for three";
}

TEST_F(GroupPlannerTest, AddressesAreToldOnceAllAreKnownUntilTheyHaveMet) {
  AllRunning(AgentPhase::kDownloading);
  facts_.instances[0]->report->group_address = "a";
  facts_.instances[1]->report->group_address = "b";
  EXPECT_EQ(Find<TellGroup>(Plan(6)), nullptr);
  facts_.instances[2]->report->group_address = "c";
  const auto actions = Plan(6);
  size_t told = 0;
  for (const JobAction& action : actions) {
    const auto* tell = std::get_if<TellGroup>(&action);
    if (tell == nullptr) continue;
    ++told;
    EXPECT_EQ(tell->addresses, (std::vector<std::string>{"a", "b", "c"}));
  }
  EXPECT_EQ(told, 3U);
  EXPECT_EQ(Find<WakeAt>(actions)->at, At(7)) << "and once more, should it be lost";
  for (auto& view : facts_.instances) view->report->phase = AgentPhase::kTraining;
  EXPECT_EQ(Find<TellGroup>(Plan(8)), nullptr);
}

TEST_F(GroupPlannerTest, ALostHostEndsTheAttemptAtOnceAndIsNamed) {
  AllRunning(AgentPhase::kTraining);
  HostGone(1, 7, std::nullopt);
  PlanAndSave(7.1);  // why, before anything is done
  EXPECT_EQ(Killed(Plan(7.1)), (std::vector<std::string>{"i-new", "i-new-3"}));
  HostGone(0, 6.9, std::nullopt);  // killed; its last heartbeat was before the other's
  EXPECT_EQ(Killed(Plan(7.2)), (std::vector<std::string>{"i-new-3"}));
  HostGone(2, 7.2, OutcomeKind::kLostGroup);
  const SaveJob save = PlanAndSave(7.3);
  ASSERT_EQ(save.close.size(), 3U);
  EXPECT_EQ(save.close.at("i-new-2").ended, At(7));
  EXPECT_EQ(job_.state.phase, AttemptPhase::kNone);
  EXPECT_EQ(job_.state.interruptions, 1U);
  EXPECT_EQ(job_.state.transitions.back().message,
            "Attempt 1 was interrupted (algo-2: killed by signal 9); another one follows");
  EXPECT_EQ(job_.state.billable_nanos, 5'000'000'000) << "of each instance: the longest";
  EXPECT_FALSE(job_.state.loss.has_value());
}

TEST_F(GroupPlannerTest, TheFirstFailureIsTheJobs) {
  AllRunning(AgentPhase::kTraining);
  HostGone(2, 7, OutcomeKind::kFailed);
  EXPECT_EQ(Killed(Plan(7)), (std::vector<std::string>{"i-new", "i-new-2"}));
  HostGone(0, 7.5, OutcomeKind::kLostGroup);
  HostGone(1, 7.6, OutcomeKind::kFailed);
  PlanAndSave(8);
  ASSERT_EQ(job_.state.phase, AttemptPhase::kPublishing);
  PlanAndSave(8);
  EXPECT_EQ(job_.state.status, "Failed");
  EXPECT_EQ(job_.state.failure_reason, "ClientError: host 2");
}

TEST_F(GroupPlannerTest, TheHeadsSuccessIsTheJobs) {
  AllRunning(AgentPhase::kTraining);
  HostGone(1, 9, OutcomeKind::kSucceeded);
  EXPECT_TRUE(Killed(Plan(9)).empty()) << "the others end by themselves";
  HostGone(0, 10, OutcomeKind::kSucceeded);
  HostGone(2, 10, std::nullopt);  // its work was done
  PlanAndSave(11);
  ASSERT_EQ(job_.state.phase, AttemptPhase::kPublishing);
  EXPECT_EQ(Find<PublishJob>(Plan(11))->files.front().staged, "dir/model.tar.gz");
}

TEST_F(GroupPlannerTest, NothingThatBecomesOfTheOthersCountsOnceTheHeadsModelIsWhole) {
  AllRunning(AgentPhase::kTraining);
  facts_.instances[0]->report->phase = AgentPhase::kUploading;
  HostGone(1, 9, std::nullopt);
  EXPECT_TRUE(Killed(Plan(9)).empty()) << "the head still packs its model";
  HostGone(0, 10, OutcomeKind::kSucceeded);
  EXPECT_TRUE(Killed(Plan(11)).empty());
  EXPECT_EQ(Killed(Plan(10 + 30)), (std::vector<std::string>{"i-new-3"})) << "nor is waited for long";
}

TEST_F(GroupPlannerTest, HostsThatLostEachOtherAreAnInterruption) {
  AllRunning(AgentPhase::kTraining);
  HostGone(0, 9, OutcomeKind::kLostGroup);
  EXPECT_TRUE(Killed(Plan(9)).empty()) << "who was lost will be seen";
  EXPECT_EQ(Killed(Plan(9 + 30)), (std::vector<std::string>{"i-new-2", "i-new-3"})) << "or does not answer";
  HostGone(1, 9, OutcomeKind::kLostGroup);
  HostGone(2, 9, OutcomeKind::kLostGroup);
  PlanAndSave(10);
  EXPECT_EQ(job_.state.interruptions, 1U);
  EXPECT_EQ(job_.state.transitions.back().message,
            "Attempt 1 was interrupted (the hosts lost each other); another one follows");
}

TEST_F(GroupPlannerTest, ARefusedStartEndsThoseThatHaveBegun) {
  PlanAndSave(1);
  facts_.instances = {compute::InstanceView{.instance_id = "i-new", .life = InstanceLife::kRunning, .started = At(2)},
                      std::nullopt, std::nullopt};
  facts_.start_error = Error(ErrorCode::kResourceExhausted, "no machine is free just now");
  EXPECT_EQ(Killed(Plan(2)), (std::vector<std::string>{"i-new"}));
  HostGone(0, 3, std::nullopt);
  const SaveJob save = PlanAndSave(3);
  ASSERT_EQ(save.close.size(), 3U);
  EXPECT_EQ(save.close.at("i-new").ended, At(3));
  EXPECT_FALSE(save.close.at("i-new-2").started.has_value());
  EXPECT_EQ(job_.state.phase, AttemptPhase::kNone);
  EXPECT_EQ(job_.state.interruptions, 0U);
}

TEST_F(GroupPlannerTest, AStopIsForAllAndKeepsTheHeadsModel) {
  AllRunning(AgentPhase::kTraining);
  job_.state.stop_requested = true;
  job_.state.status = "Stopping";
  job_.state.Enter("Stopping", At(6), "");
  size_t stops = 0;
  for (const JobAction& action : Plan(6)) stops += std::holds_alternative<StopInstance>(action) ? 1 : 0;
  EXPECT_EQ(stops, 3U);
  for (size_t host = 0; host < 3; ++host) HostGone(host, 8, OutcomeKind::kStopped);
  facts_.instances[0]->report->outcome->staged_artifact = "dir/model.tar.gz";
  PlanAndSave(9);
  facts_.published = Status();
  PlanAndSave(9);
  EXPECT_EQ(job_.state.status, "Stopped");
  EXPECT_EQ(job_.state.model_artifacts, "s3://b/out/job/output/model.tar.gz");
}

TEST(AllocationTest, AGroupGetsAllItsHostsOrNone) {
  const auto type = *cost::FindInstanceType("ml.m5.large");
  compute::Capacity capacity{
      .memory_total_bytes = 4 * kGib, .memory_free_bytes = 2 * kGib, .cpus = 2, .hosts_free = 2, .hosts_total = 4};
  EXPECT_EQ(Allocate(capacity, type, TypePolicy::kWish, 3).verdict, Allocation::Verdict::kWait);
  EXPECT_EQ(Allocate(capacity, type, TypePolicy::kWish, 5).verdict, Allocation::Verdict::kRefused);
  const Allocation granted = Allocate(capacity, type, TypePolicy::kWish, 2);
  ASSERT_EQ(granted.verdict, Allocation::Verdict::kGranted);
  EXPECT_EQ(granted.memory_bytes, kGib);
  EXPECT_EQ(granted.cpus, 1U);
  const compute::Capacity left = Without(capacity, granted);
  EXPECT_EQ(left.hosts_free, 0U);
  EXPECT_EQ(left.memory_free_bytes, 2 * kGib - 2 * kMemoryFloor);
  EXPECT_EQ(Allocate(capacity, type, TypePolicy::kStrict, 2).verdict, Allocation::Verdict::kRefused);
}

}  // namespace
}  // namespace argosy::control
