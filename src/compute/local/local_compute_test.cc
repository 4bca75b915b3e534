#include "compute/local/local_compute.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

#include "agent/archive.h"
#include "agent/instance_directory.h"
#include "base/bytes.h"
#include "base/random.h"
#include "compute/local/process.h"
#include "objectstore/embedded/embedded_store.h"
#include "observe/file_log_store.h"
#include "protocol/local_socket.h"

namespace argosy::compute {
namespace {

using agent::InstanceDirectory;
using protocol::AgentPhase;
using protocol::OutcomeKind;
using testing::HasSubstr;

constexpr auto kPatience = std::chrono::seconds(30);  // only ever waited out by a failing test

// A server's life: the loop's thread, the pool, and LocalCompute on them.
class Server {
 public:
  Server(LocalOptions options, observe::LogStore& logs, const std::vector<std::string>& open,
         const std::set<std::string>& wanted) {
    compute_ = std::make_unique<LocalCompute>(loop_, *pool_, logs, std::move(options));
    compute_->SetListener([this](const std::string&) {
      std::lock_guard lock(mutex_);
      ++changes_;
      changed_.notify_all();
    });
    compute_->Adopt(open, wanted);
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~Server() {
    On([this] { compute_.reset(); });
    pool_.reset();
    loop_.Stop();
    thread_.join();
  }

  void On(const std::function<void()>& task) {
    std::promise<void> done;
    loop_.Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  Status Start(const protocol::Assignment& assignment) {
    Status out;
    On([&] { out = compute_->Start({assignment}); });
    return out;
  }
  void Stop(const std::string& id) {
    On([&] { compute_->Send(id, {protocol::CommandKind::kStop}); });
  }
  void Kill(const std::string& id) {
    On([&] { compute_->Kill(id); });
  }
  void Forget(const std::string& id) {
    On([&] { compute_->Forget(id); });
  }
  std::optional<InstanceView> View(const std::string& id) {
    std::optional<InstanceView> out;
    On([&] { out = compute_->View(id); });
    return out;
  }
  Capacity GetCapacity() {
    Capacity out;
    On([&] { out = compute_->GetCapacity(); });
    return out;
  }

  InstanceView WaitFor(const std::string& id, const std::function<bool(const InstanceView&)>& good) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      uint64_t seen;
      {
        std::lock_guard lock(mutex_);
        seen = changes_;
      }
      const std::optional<InstanceView> view = View(id);
      if (view && good(*view)) return *view;
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, deadline, [&] { return changes_ != seen; })) {
        ADD_FAILURE() << "waited in vain for " << id;
        return view.value_or(InstanceView());
      }
    }
  }
  InstanceView WaitGone(const std::string& id) {
    return WaitFor(id, [](const InstanceView& view) { return view.life == InstanceLife::kGone; });
  }
  std::vector<InstanceUse> Measure() {
    std::promise<std::vector<InstanceUse>> uses;
    On([&] { compute_->Measure([&](std::vector<InstanceUse> found) { uses.set_value(std::move(found)); }); });
    return uses.get_future().get();
  }
  InstanceView WaitPhase(const std::string& id, AgentPhase phase) {
    return WaitFor(id, [&](const InstanceView& view) { return view.report && view.report->phase == phase; });
  }

 private:
  EventLoop loop_;
  std::unique_ptr<ThreadPool> pool_ = std::make_unique<ThreadPool>("blocking", 2, 256);
  std::unique_ptr<LocalCompute> compute_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t changes_ = 0;
  std::thread thread_;
};

class LocalComputeTest : public testing::Test {
 protected:
  LocalComputeTest() {
    char name[] = "/tmp/argosy-compute-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    // Longer than a socket's address may be.
    base_ = name;
    data_ = base_ / std::string(120, 'd');
    std::filesystem::create_directories(data_);
    options_.data_dir = data_;
    options_.executable = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "compute_test_agent";
    store_ = std::move(*objectstore::EmbeddedStore::Open(data_ / "objects", &clock_, &random_));
    Check(store_->CreateBucket("bucket").ok());
    logs_ = std::move(*observe::FileLogStore::Open(data_ / "logs"));
  }
  ~LocalComputeTest() override {
    server_.reset();
    std::filesystem::remove_all(base_);
  }

  void StartServer(const std::vector<std::string>& open = {}, const std::set<std::string>& wanted = {}) {
    server_ = std::make_unique<Server>(options_, *logs_, open, wanted);
  }

  InstanceDirectory DirectoryOf(const std::string& id) { return InstanceDirectory::In(data_, id); }

  protocol::Assignment Job(const std::string& id, const std::string& hyperparameters) {
    protocol::Assignment out;
    out.instance_id = id;
    out.owner_uid = "uid-of-" + id;
    out.attempt = 2;
    out.name = "job";
    out.cpus = 1;
    out.objects_dir = data_ / "objects";
    out.instance_type = "ml.m5.large";
    out.log_group = "/aws/sagemaker/TrainingJobs";
    out.log_stream = id + "/algo-1";
    Result<catalog::TrainingJobSpec> spec = catalog::TrainingJobSpec::FromRequestJson(
        R"({"TrainingJobName":"job","RoleArn":"arn:aws:iam::000000000000:role/r",)"
        R"("AlgorithmSpecification":{"TrainingImage":"obedient","TrainingInputMode":"File",)"
        R"("MetricDefinitions":[{"Name":"found","Regex":"value=(.*?);"}]},)"
        R"("HyperParameters":{)" +
        hyperparameters +
        R"(},"InputDataConfig":[{"ChannelName":"train","DataSource":{"S3DataSource":)"
        R"({"S3DataType":"S3Prefix","S3Uri":"s3://bucket/train"}}}],)"
        R"("OutputDataConfig":{"S3OutputPath":"s3://bucket/out"},)"
        R"("ResourceConfig":{"InstanceType":"ml.m5.large","InstanceCount":1,"VolumeSizeInGB":1},)"
        R"("StoppingCondition":{"MaxRuntimeInSeconds":60}})");
    Check(spec.ok(), spec.ok() ? "" : spec.error().message());
    out.training = std::move(*spec);
    return out;
  }

  // It is written beside the agent's work, so it may be a moment later than a report.
  Result<agent::AgentIdentity> IdentityOf(const std::string& id) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      const Result<std::string> text = ReadFile(DirectoryOf(id).identity(), 10'000);
      if (text.ok()) return agent::AgentIdentity::FromJson(*text);
      if (std::chrono::steady_clock::now() > deadline) return text.error();
      std::this_thread::yield();
    }
  }

  void PutTrainingData() { Check(objectstore::PutBytes(*store_, "bucket", "train/a.csv", "1,2,3", "text/csv").ok()); }

  // One line an event, each with its newline before and after.
  std::string LogOf(const std::string& id) {
    const auto read = logs_->ReadForward("/aws/sagemaker/TrainingJobs", id + "/algo-1", 0, 100'000, 100 << 20);
    std::string out = "\n";
    if (!read.ok()) return read.error().message();
    for (const observe::LogEvent& event : read->events) out.append(event.message).append("\n");
    return out;
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path base_;
  std::filesystem::path data_;
  LocalOptions options_;
  std::unique_ptr<observe::FileLogStore> logs_;
  std::unique_ptr<objectstore::ObjectStore> store_;
  std::unique_ptr<Server> server_;
};

TEST_F(LocalComputeTest, AJobRunsItsChannelsAreReadItsLogAndMetricsArriveItsArtifactIsStaged) {
  PutTrainingData();
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", R"("lines":"1000","metric":"0.25","output":"notes")")).ok());
  const InstanceView view = server_->WaitGone("i-1");
  ASSERT_TRUE(view.report && view.report->outcome);
  EXPECT_EQ(view.report->outcome->kind, OutcomeKind::kSucceeded);
  EXPECT_EQ(view.attempt, 2U);
  EXPECT_EQ(view.report->outcome->staged_artifact, DirectoryOf("i-1").staging() / "model.tar.gz");
  EXPECT_TRUE(std::filesystem::exists(view.report->outcome->staged_artifact));
  EXPECT_EQ(view.report->outcome->staged_output, DirectoryOf("i-1").staging() / "output.tar.gz");
  const UniqueFd output(open(view.report->outcome->staged_output.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(std::filesystem::create_directory(base_ / "output"));
  ASSERT_TRUE(agent::UnpackArchive(output.get(), base_ / "output", {}).ok());
  EXPECT_EQ(*ReadFile(base_ / "output" / "notes.txt", 100), "notes");
  ASSERT_TRUE(view.started && view.ended);
  EXPECT_LE(*view.started, *view.ended);
  std::vector<AgentPhase> phases;
  for (const auto& entry : view.report->phase_times) phases.push_back(entry.phase);
  EXPECT_THAT(phases, testing::ElementsAre(AgentPhase::kStarting, AgentPhase::kDownloading, AgentPhase::kTraining,
                                           AgentPhase::kUploading, AgentPhase::kFinished));
  EXPECT_THAT(LogOf("i-1"), HasSubstr("\ntrain has 1,2,3\n"));
  EXPECT_THAT(LogOf("i-1"), HasSubstr("\nline 999\n"));
  std::map<std::string, double> metrics;
  for (const auto& metric : view.report->metrics) metrics[metric.name] = metric.value;
  EXPECT_EQ(metrics["train:told"], 0.25);
  EXPECT_EQ(metrics["found"], 0.25);
}

TEST_F(LocalComputeTest, WhatTheUserMustMendIsAClientErrorAndTheRestAnAlgorithmError) {
  PutTrainingData();
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-user", R"("fail":"user")")).ok());
  ASSERT_TRUE(server_->Start(Job("i-self", R"("fail":"self")")).ok());
  ASSERT_TRUE(server_->Start(Job("i-invalid", R"("invalid":"1")")).ok());
  EXPECT_EQ(server_->WaitGone("i-user").report->outcome->failure_reason, "ClientError: the data is wrong");
  EXPECT_EQ(server_->WaitGone("i-self").report->outcome->failure_reason,
            "AlgorithmError: the learner is wrong, exit code: 1");
  EXPECT_EQ(server_->WaitGone("i-invalid").report->outcome->failure_reason,
            "ClientError: invalid is not a hyperparameter");
  EXPECT_EQ(*ReadFile(DirectoryOf("i-user").failure(), 1000), "the data is wrong");
}

TEST_F(LocalComputeTest, AChannelWithoutObjectsFailsNamingChannelAndUri) {
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", "")).ok());
  const InstanceView view = server_->WaitGone("i-1");
  EXPECT_THAT(view.report->outcome->failure_reason, testing::StartsWith("ClientError: "));
  EXPECT_THAT(view.report->outcome->failure_reason, HasSubstr("'train' (s3://bucket/train)"));
}

TEST_F(LocalComputeTest, WhatRunningInstancesHoldIsMeasured) {
  PutTrainingData();
  StartServer();
  EXPECT_TRUE(server_->Measure().empty());
  for (const char* id : {"i-1", "i-2"}) {
    protocol::Assignment job = Job(id, R"("wait":"stop")");
    job.memory_bytes = 1 << 30;
    ASSERT_TRUE(server_->Start(job).ok());
    server_->WaitPhase(id, AgentPhase::kTraining);
  }
  const std::vector<InstanceUse> uses = server_->Measure();
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].instance_id, "i-1");
  EXPECT_EQ(uses[1].instance_id, "i-2");
  for (const InstanceUse& use : uses) {
    EXPECT_EQ(use.name, "job");
    EXPECT_EQ(use.memory_bytes, 1U << 30);
    EXPECT_GT(use.resident_bytes, 100'000U);
    EXPECT_LT(use.resident_bytes, 1U << 30);
    server_->Stop(use.instance_id);
  }
}

TEST_F(LocalComputeTest, AStoppedJobKeepsItsArtifact) {
  PutTrainingData();
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", R"("wait":"stop")")).ok());
  server_->WaitPhase("i-1", AgentPhase::kTraining);
  server_->Stop("i-1");
  const InstanceView view = server_->WaitGone("i-1");
  EXPECT_EQ(view.report->outcome->kind, OutcomeKind::kStopped);
  EXPECT_FALSE(view.report->outcome->staged_artifact.empty());
}

TEST_F(LocalComputeTest, AKilledInstanceIsGoneWithoutAnOutcomeAndBilledToItsLastHeartbeat) {
  PutTrainingData();
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", R"("wait":"stop")")).ok());
  server_->WaitPhase("i-1", AgentPhase::kTraining);
  server_->Kill("i-1");
  const InstanceView view = server_->WaitGone("i-1");
  EXPECT_FALSE(view.report->outcome.has_value());
  EXPECT_EQ(view.gone_reason, "its process was killed by signal 9");
  ASSERT_TRUE(view.ended.has_value());
  EXPECT_EQ(*view.ended, view.report->heartbeat);
  EXPECT_TRUE(std::filesystem::exists(DirectoryOf("i-1").fenced()));
}

TEST_F(LocalComputeTest, AKillBeforeTheProcessIsKnownIsNotLost) {
  PutTrainingData();
  StartServer();
  server_->On([] {});
  const protocol::Assignment job = Job("i-1", R"("wait":"stop")");
  ASSERT_TRUE(server_->Start(job).ok());
  server_->Kill("i-1");
  EXPECT_EQ(server_->WaitGone("i-1").life, InstanceLife::kGone);
}

TEST_F(LocalComputeTest, AnAgentThatDiesByItselfIsSeen) {
  PutTrainingData();
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", R"("die":"signal")")).ok());
  const InstanceView view = server_->WaitGone("i-1");
  EXPECT_EQ(view.gone_reason, "its process was killed by signal 9");
}

TEST_F(LocalComputeTest, ANewServerTakesOverTheSameProcessAndItsLog) {
  PutTrainingData();
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", R"("wait":"stop","lines":"10")")).ok());
  server_->WaitPhase("i-1", AgentPhase::kTraining);
  const auto identity = IdentityOf("i-1");
  ASSERT_TRUE(identity.ok());
  server_.reset();
  ASSERT_TRUE(identity->IsRunning());
  StartServer({"i-1"});
  server_->WaitPhase("i-1", AgentPhase::kTraining);
  EXPECT_TRUE(identity->IsRunning());
  EXPECT_EQ(server_->View("i-1")->attempt, 2U);
  server_->Stop("i-1");
  const InstanceView view = server_->WaitGone("i-1");
  EXPECT_EQ(view.report->outcome->kind, OutcomeKind::kStopped);
  const std::string log = LogOf("i-1");
  EXPECT_THAT(log, HasSubstr("\nline 9\n"));
  EXPECT_THAT(log, HasSubstr("\ntrain has 1,2,3\n"));
  EXPECT_EQ(log.find("\nline 3\n"), log.rfind("\nline 3\n")) << "a line came twice";
}

TEST_F(LocalComputeTest, WhatEndedWhileNoServerRanIsFoundWithOutcomeAndLog) {
  PutTrainingData();
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", R"("wait":"stop")")).ok());
  server_->WaitPhase("i-1", AgentPhase::kTraining);
  const auto identity = IdentityOf("i-1");
  server_.reset();
  ASSERT_EQ(kill(identity->pid, SIGTERM), 0);
  ASSERT_EQ(waitpid(identity->pid, nullptr, 0), identity->pid);
  StartServer({"i-1"});
  const InstanceView view = server_->WaitGone("i-1");
  ASSERT_TRUE(view.report && view.report->outcome);
  EXPECT_EQ(view.report->outcome->kind, OutcomeKind::kStopped);
  EXPECT_EQ(view.ended, view.report->outcome->finished);
  EXPECT_THAT(LogOf("i-1"), HasSubstr("\ntrain has 1,2,3\n"));
}

// Such a file cannot come from the instance's own agent: what it says of an outcome must not become the job's.
TEST_F(LocalComputeTest, AReportOfAnotherAttemptOrOwnerIsNotBelieved) {
  PutTrainingData();
  for (const auto& [id, owner, attempt] :
       {std::tuple("i-1", "uid-of-i-1", 1U), std::tuple("i-2", "uid-of-another", 2U)}) {
    StartServer();
    ASSERT_TRUE(server_->Start(Job(id, R"("wait":"stop")")).ok());
    server_->WaitPhase(id, AgentPhase::kTraining);
    // The server may hear of a phase before it is on disk.
    for (int i = 0; i < 10'000 && !std::filesystem::exists(DirectoryOf(id).report()); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const auto identity = IdentityOf(id);
    server_.reset();
    ASSERT_EQ(kill(identity->pid, SIGKILL), 0);
    ASSERT_EQ(waitpid(identity->pid, nullptr, 0), identity->pid);
    Result<protocol::Report> report = protocol::Report::FromJson(*ReadFile(DirectoryOf(id).report(), 100'000));
    ASSERT_TRUE(report.ok());
    report->owner_uid = owner;
    report->attempt = attempt;
    report->outcome = protocol::AgentOutcome{.kind = OutcomeKind::kSucceeded};
    ASSERT_TRUE(WriteFileAtomically(DirectoryOf(id).report(), report->ToJson()).ok());
    StartServer({id});
    const InstanceView view = server_->WaitGone(id);
    EXPECT_FALSE(view.report && view.report->outcome) << owner;
    server_.reset();
  }
}

TEST_F(LocalComputeTest, AnInstanceThatNeverStartedIsGoneAndALateAgentLeavesWithoutATrace) {
  PutTrainingData();
  ASSERT_TRUE(agent::CreateInstanceDirectory(DirectoryOf("i-1"), Job("i-1", "")).ok());
  StartServer({"i-1", "i-without-directory"});
  InstanceView view = server_->WaitGone("i-1");
  EXPECT_FALSE(view.started.has_value());
  EXPECT_EQ(view.gone_reason, "it was never started");
  EXPECT_FALSE(server_->WaitGone("i-without-directory").started.has_value());

  Result<ProcessHandle> late = SpawnAgent(options_.executable, DirectoryOf("i-1"));
  ASSERT_TRUE(late.ok());
  int status = -1;
  ASSERT_EQ(waitpid(late->pid, &status, 0), late->pid);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(std::filesystem::exists(DirectoryOf("i-1").report()));
  EXPECT_FALSE(std::filesystem::exists(DirectoryOf("i-1").identity()));
}

TEST_F(LocalComputeTest, OfTwoAgentsForOneInstanceOneWorks) {
  PutTrainingData();
  ASSERT_TRUE(agent::CreateInstanceDirectory(DirectoryOf("i-1"), Job("i-1", R"("lines":"3")")).ok());
  Result<ProcessHandle> one = SpawnAgent(options_.executable, DirectoryOf("i-1"));
  Result<ProcessHandle> two = SpawnAgent(options_.executable, DirectoryOf("i-1"));
  ASSERT_TRUE(one.ok() && two.ok());
  for (const ProcessHandle* handle : {&*one, &*two}) ASSERT_EQ(waitpid(handle->pid, nullptr, 0), handle->pid);
  const std::string log = *ReadFile(DirectoryOf("i-1").log(), 100'000);
  EXPECT_NE(log.find(" line 1\n"), std::string::npos);
  EXPECT_EQ(log.find(" line 1\n"), log.rfind(" line 1\n"));
}

TEST_F(LocalComputeTest, MoreHostsThanAllowedAreRefusedUntilOneIsGone) {
  PutTrainingData();
  options_.hosts_max = 1;
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", R"("wait":"stop")")).ok());
  EXPECT_EQ(server_->GetCapacity().hosts_free, 0U);
  const Status second = server_->Start(Job("i-2", ""));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(server_->Start(Job("i-1", "")).ok()) << "the same instance is no second one";
  server_->Kill("i-1");
  server_->WaitGone("i-1");
  EXPECT_TRUE(server_->Start(Job("i-2", "")).ok());
  server_->WaitGone("i-2");
}

TEST_F(LocalComputeTest, MemoryOfRunningInstancesIsBooked) {
  PutTrainingData();
  options_.memory_limit_bytes = 1ULL << 30;
  StartServer();
  const uint64_t before = server_->GetCapacity().memory_free_bytes;
  ASSERT_TRUE(server_->Start(Job("i-1", R"("wait":"stop")")).ok());
  EXPECT_LE(server_->GetCapacity().memory_free_bytes + kInstanceMemoryBooked, before);
  EXPECT_EQ(server_->GetCapacity().memory_total_bytes, 1ULL << 30);
  server_->Kill("i-1");
  server_->WaitGone("i-1");
}

TEST_F(LocalComputeTest, ForgettingRemovesTheDirectory) {
  PutTrainingData();
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", "")).ok());
  server_->WaitGone("i-1");
  server_->Forget("i-1");
  EXPECT_FALSE(server_->View("i-1").has_value());
  server_.reset();  // joins the pool
  EXPECT_FALSE(std::filesystem::exists(DirectoryOf("i-1").root()));
}

TEST_F(LocalComputeTest, WhatACrashLeftBehindIsClearedAwayButForWhatIsWantedOrRuns) {
  PutTrainingData();
  for (const char* id : {"i-stray", "i-wanted", "i-known"}) {
    ASSERT_TRUE(agent::CreateInstanceDirectory(DirectoryOf(id), Job(id, R"("wait":"stop")")).ok());
  }
  ASSERT_TRUE(agent::CreateInstanceDirectory(DirectoryOf("i-running"), Job("i-running", R"("wait":"stop")")).ok());
  const Result<ProcessHandle> running = SpawnAgent(options_.executable, DirectoryOf("i-running"));
  ASSERT_TRUE(running.ok());
  ASSERT_TRUE(IdentityOf("i-running").ok());  // so it has the lock
  StartServer({"i-known"}, {"i-wanted"});
  server_->WaitGone("i-known");
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::filesystem::exists(DirectoryOf("i-stray").root()) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  server_.reset();  // joins the pool
  EXPECT_FALSE(std::filesystem::exists(DirectoryOf("i-stray").root()));
  for (const char* id : {"i-wanted", "i-known", "i-running"}) {
    EXPECT_TRUE(std::filesystem::exists(DirectoryOf(id).root())) << id;
  }
  KillProcess(*running);
  waitpid(running->pid, nullptr, 0);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ARGOSY_MEMORY_IS_NOT_LIMITED 1
#endif
#endif

TEST_F(LocalComputeTest, AJobThatNeedsMoreMemoryThanGrantedFailsSayingSo) {
#ifdef ARGOSY_MEMORY_IS_NOT_LIMITED
  GTEST_SKIP() << "sanitizers reserve address space, so no limit is set";
#endif
  PutTrainingData();
  StartServer();
  protocol::Assignment job = Job("i-1", R"("eat":"400")");
  job.memory_bytes = 128ULL << 20;
  ASSERT_TRUE(server_->Start(job).ok());
  const InstanceView view = server_->WaitGone("i-1");
  ASSERT_TRUE(view.report && view.report->outcome) << view.gone_reason;
  EXPECT_EQ(view.report->outcome->kind, OutcomeKind::kFailed);
  EXPECT_THAT(view.report->outcome->failure_reason, testing::StartsWith("AlgorithmError: out of memory"));
  EXPECT_THAT(view.report->outcome->failure_reason, HasSubstr("128 MiB"));
}

TEST_F(LocalComputeTest, AnAgentInheritsNoDescriptorAndLeadsASession) {
  PutTrainingData();
  const UniqueFd leak(open("/proc/self/status", O_RDONLY));  // on purpose without O_CLOEXEC
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", R"("wait":"stop")")).ok());
  server_->WaitPhase("i-1", AgentPhase::kTraining);
  const auto identity = IdentityOf("i-1");
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(getsid(identity->pid), identity->pid);
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(identity->pid) + "/fd")) {
    std::error_code error;
    EXPECT_THAT(std::filesystem::read_symlink(entry.path(), error).string(), testing::Not(HasSubstr("/status")));
  }
  server_->Kill("i-1");
  server_->WaitGone("i-1");
}

TEST_F(LocalComputeTest, AnAgentOfAnotherAttemptIsTurnedAway) {
  PutTrainingData();
  StartServer();
  ASSERT_TRUE(server_->Start(Job("i-1", R"("wait":"stop")")).ok());
  server_->WaitPhase("i-1", AgentPhase::kTraining);
  for (const protocol::Hello& hello :
       {protocol::Hello{.instance_id = "i-1", .owner_uid = "uid-of-i-1", .attempt = 1},
        protocol::Hello{.instance_id = "i-9", .owner_uid = "uid-of-i-9", .attempt = 2}}) {
    Result<UniqueFd> fd = protocol::ConnectLocal(data_ / agent::kControlSocketName);
    ASSERT_TRUE(fd.ok());
    fcntl(fd->get(), F_SETFL, 0);  // blocking
    std::string wire;
    protocol::AppendFrame(wire, protocol::FrameKind::kHello, 0, hello.ToJson());
    ASSERT_TRUE(WriteAll(fd->get(), wire).ok());
    char byte;
    EXPECT_EQ(read(fd->get(), &byte, 1), 0) << "an answer came";
  }
  server_->Kill("i-1");
  server_->WaitGone("i-1");
}

TEST_F(LocalComputeTest, AnAgentSignsInWithItsSession) {
  PutTrainingData();
  StartServer();
  protocol::Assignment job = Job("i-1", R"("wait":"stop")");
  job.session = protocol::Session{.access_key_id = "ASIAX", .secret_access_key = "s", .token = "right"};
  for (const catalog::ChannelSpec& channel : job.training->channels) {
    const auto uri = objectstore::ParseS3Uri(channel.s3_uri);
    job.session->reach.push_back({uri->bucket, uri->key, auth::DataGrant::Use::kRead});
  }
  const auto output = objectstore::ParseS3Uri(job.training->output_path);
  job.session->reach.push_back({output->bucket, output->key, auth::DataGrant::Use::kReadWrite});
  ASSERT_TRUE(server_->Start(job).ok());
  server_->WaitPhase("i-1", AgentPhase::kTraining);  // so it was welcomed, and found its data
  for (const char* token : {"", "wrong", "righ", "right "}) {
    Result<UniqueFd> fd = protocol::ConnectLocal(data_ / agent::kControlSocketName);
    ASSERT_TRUE(fd.ok());
    fcntl(fd->get(), F_SETFL, 0);  // blocking
    std::string wire;
    const protocol::Hello hello{
        .instance_id = "i-1", .owner_uid = job.owner_uid, .attempt = job.attempt, .token = token};
    protocol::AppendFrame(wire, protocol::FrameKind::kHello, 0, hello.ToJson());
    ASSERT_TRUE(WriteAll(fd->get(), wire).ok());
    char byte;
    EXPECT_EQ(read(fd->get(), &byte, 1), 0) << "an answer came to '" << token << "'";
  }
  server_->Kill("i-1");
  server_->WaitGone("i-1");
}

// The serving half: a model is fetched, unpacked, loaded, and answers through the instance's socket, also after the
// server has gone.
class LocalServingTest : public LocalComputeTest {
 protected:
  protocol::Assignment Endpoint(const std::string& id, const std::string& model_url) {
    protocol::Assignment out = Job(id, "");
    out.role = protocol::Role::kServing;
    out.training.reset();
    Result<catalog::ModelSpec> model =
        catalog::ModelSpec::FromRequestJson(R"({"ModelName":"m","ExecutionRoleArn":"arn:aws:iam::000000000000:role/r",)"
                                            R"("PrimaryContainer":{"Image":"obedient","ModelDataUrl":")" +
                                            model_url + R"("}})");
    Check(model.ok(), model.ok() ? "" : model.error().message());
    out.model = std::move(*model);
    return out;
  }

  // Trains one and makes its artifact an object.
  std::string TrainModel() {
    PutTrainingData();
    Check(server_->Start(Job("i-train", "")).ok());
    const InstanceView view = server_->WaitGone("i-train");
    Check(view.report && view.report->outcome);
    Check(store_->PublishFile(view.report->outcome->staged_artifact, "bucket", "m/model.tar.gz", {}).ok());
    return "s3://bucket/m/model.tar.gz";
  }

  // One request over a connection of its own, blocking.
  std::string Ask(const std::string& address, std::string_view body) {
    Result<UniqueFd> fd = protocol::ConnectLocal(address);
    if (!fd.ok()) return fd.error().message();
    fcntl(fd->get(), F_SETFL, 0);
    std::string wire;
    protocol::AppendInvoke(wire, 1, {.content_type = "text/plain", .body = body});
    if (!WriteAll(fd->get(), wire).ok()) return "not written";
    protocol::FrameReader reader;
    for (;;) {
      const auto frame = reader.Next();
      if (!frame.ok()) return frame.error().message();
      if (frame->has_value()) return std::string(protocol::ParseAnswer((*frame)->payload)->body);
      const protocol::FrameReader::Room room = reader.Space();
      const ssize_t n = read(fd->get(), room.data, room.size);
      if (n <= 0) return "closed";
      reader.Filled(static_cast<size_t>(n));
    }
  }
};

TEST_F(LocalServingTest, AnInstanceAnswersAndOutlivesTheServerWithTheSameProcess) {
  StartServer();
  const std::string model = TrainModel();
  ASSERT_TRUE(server_->Start(Endpoint("i-1", model)).ok());
  std::string address = server_->WaitPhase("i-1", AgentPhase::kReady).address;
  EXPECT_EQ(Ask(address, "hello"), "echo hello");
  const auto identity = IdentityOf("i-1");
  server_.reset();
  EXPECT_EQ(Ask(address, "alone"), "echo alone");
  StartServer({"i-1"});
  address = server_->WaitPhase("i-1", AgentPhase::kReady).address;
  EXPECT_EQ(Ask(address, "again"), "echo again");
  EXPECT_TRUE(identity->IsRunning());
  server_->Stop("i-1");
  EXPECT_EQ(server_->WaitGone("i-1").report->outcome->kind, OutcomeKind::kStopped);
  EXPECT_FALSE(identity->IsRunning());
}

TEST_F(LocalServingTest, AModelThatIsNotThereOrNoArchiveIsAClientErrorNamingIt) {
  StartServer();
  Check(objectstore::PutBytes(*store_, "bucket", "m/broken.tar.gz", "no archive", "").ok());
  ASSERT_TRUE(server_->Start(Endpoint("i-gone", "s3://bucket/m/gone.tar.gz")).ok());
  ASSERT_TRUE(server_->Start(Endpoint("i-broken", "s3://bucket/m/broken.tar.gz")).ok());
  for (const auto& [id, url] : {std::pair{"i-gone", "gone.tar.gz"}, std::pair{"i-broken", "broken.tar.gz"}}) {
    const InstanceView view = server_->WaitGone(id);
    ASSERT_TRUE(view.report && view.report->outcome);
    EXPECT_EQ(view.report->outcome->kind, OutcomeKind::kFailed);
    EXPECT_THAT(view.report->outcome->failure_reason, testing::StartsWith("ClientError: "));
    EXPECT_THAT(view.report->outcome->failure_reason, HasSubstr(url));
  }
}

}  // namespace
}  // namespace argosy::compute
