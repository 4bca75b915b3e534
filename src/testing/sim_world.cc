#include "testing/sim_world.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/scaling.h"
#include "cost/ledger.h"

namespace argosy::testing {
namespace {

using catalog::Kind;
using compute::Machine;

constexpr auto kFaultTime = std::chrono::seconds(25);
constexpr auto kClientTimeMax = std::chrono::seconds(20);  // by then every client has had its say
constexpr auto kRestTimeMax = std::chrono::seconds(900);   // longer than any bound of the controllers
constexpr std::string_view kCheckpoints = "s3://b/checkpoints/";
// What two endpoints need while both update, and a job on three hosts: jobs must queue, nobody for good.
constexpr uint64_t kHostsMax = 9;

Time WorldStart() {
  return FromUnixMillis(1'700'000'000'000);
}

compute::CloudFaults FaultsFor(const WorldOptions& options, Random& random) {
  compute::CloudFaults faults;
  faults.message_lost = random.Uniform() * 0.2;
  faults.message_doubled = random.Uniform() * 0.2;
  faults.message_delay_max = std::chrono::milliseconds(1 + random.Below(400));
  faults.deaths_per_second = random.Uniform() * 0.15;
  faults.user_failure = random.Uniform() * 0.1;
  faults.start_refused = random.Uniform() * 0.1;
  faults.fence = options.fence;
  return faults;
}

std::string JobRequest(const std::string& name) {
  return fmt::format(
      R"({{"TrainingJobName":"{}","AlgorithmSpecification":{{"TrainingImage":"linear-learner:1","TrainingInputMode":"File"}},)"
      R"("OutputDataConfig":{{"S3OutputPath":"s3://b/out"}},"ResourceConfig":{{"InstanceCount":{},"InstanceType":"ml.m5.large",)"
      R"("VolumeSizeInGB":1}},"RetryStrategy":{{"MaximumRetryAttempts":30}},{}"StoppingCondition":{{"MaxRuntimeInSeconds":{}}}}})",
      name,
      name.ends_with("1")   ? 2
      : name.ends_with("3") ? 3
                            : 1,
      name.ends_with("2") ? "" : fmt::format(R"("CheckpointConfig":{{"S3Uri":"{}{}"}},)", kCheckpoints, name),
      name.ends_with("7") ? 2 : 3600);
}

catalog::VariantPlan Plan(const std::string& model, uint32_t instances) {
  catalog::VariantPlan plan;
  plan.variant = {"AllTraffic", model, "ml.m5.large", instances, 1.0};
  plan.model = *catalog::ModelSpec::FromRequestJson(fmt::format(
      R"({{"ModelName":"{}","PrimaryContainer":{{"Image":"linear-learner:1","ModelDataUrl":"s3://b/m"}}}})", model));
  return plan;
}

}  // namespace

// The router: remembers routes; pings travel like every message.
class SimWorld::Front final : public serving::Front {
 public:
  Front(SimWorld* world, Scheduler* scheduler) : world_(world), scheduler_(scheduler) {}
  ~Front() override { *alive_ = false; }

  void SetRoute(const std::string& endpoint, std::optional<serving::Route> route) override {
    if (route) {
      for (const serving::RouteVariant& variant : route->variants) {
        for (const serving::RouteInstance& instance : variant.instances) CheckRouted(endpoint, *route, instance);
      }
      routes_[endpoint] = std::move(*route);
    } else {
      routes_.erase(endpoint);
    }
  }

  void Ping(const serving::RouteInstance& instance, Callback<void> done) override {
    auto pending = std::make_shared<Callback<void>>(std::move(done));
    const auto answer = [alive = alive_, pending](Status status) {
      if (!*alive || !*pending) return;
      Callback<void> callback = std::exchange(*pending, nullptr);
      callback(std::move(status));
    };
    world_->cloud_.Carry([this, alive = alive_, id = instance.instance_id, answer] {
      if (!*alive) return;
      const Machine* machine = world_->cloud_.Find(id);
      if (machine == nullptr || !machine->alive || machine->report.phase != protocol::AgentPhase::kReady) return;
      world_->cloud_.Carry([answer] { answer({}); });
    });
    scheduler_->After(std::chrono::seconds(1), [answer] { answer(Error(ErrorCode::kUnavailable, "no answer")); });
  }

  void Drain(const std::string&, Callback<void> done) override {
    scheduler_->After(world_->Millis(300), [done = std::move(done)] { done({}); });
  }

  void Watch(serving::FrontEvents events) override { events_ = std::move(events); }

  // A request waits, if there is nobody to answer it.
  void Ask(const std::string& endpoint) const {
    const auto route = routes_.find(endpoint);
    if (route == routes_.end() || !route->second.variants.at(0).instances.empty()) return;
    if (events_.demand) events_.demand({endpoint, "AllTraffic"});
  }

  const std::map<std::string, serving::Route>& routes() const { return routes_; }

 private:
  void CheckRouted(const std::string& endpoint, const serving::Route& route, const serving::RouteInstance& instance) {
    const Machine* machine = world_->cloud_.Find(instance.instance_id);
    const bool was_ready =
        machine != nullptr &&
        std::any_of(machine->report.phase_times.begin(), machine->report.phase_times.end(),
                    [](const protocol::PhaseTime& p) { return p.phase == protocol::AgentPhase::kReady; });
    if (!was_ready)
      world_->Violation("the route of " + endpoint + " shows " + instance.instance_id + " which never was ready");
    if (machine != nullptr && machine->assignment.owner_uid != route.endpoint_uid) {
      world_->Violation("the route of " + endpoint + " shows an instance of another endpoint");
    }
  }

  SimWorld* world_;
  Scheduler* scheduler_;
  std::map<std::string, serving::Route> routes_;
  serving::FrontEvents events_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The object store as far as publishing goes: files appear one by one, at any time before `done`.
class SimWorld::Publisher final : public control::Publisher {
 public:
  Publisher(SimWorld* world, Scheduler* scheduler) : world_(world), scheduler_(scheduler) {}

  void Publish(control::PublishRequest request, Callback<void> done) override {
    Duration at = world_->Millis(50);
    const bool fails = world_->random_.Uniform() < 0.1 && world_->queue_.Now() < world_->fault_end_;
    for (const control::PublishedFile& file : request.files) {
      if (file.uri.starts_with(kCheckpoints)) world_->checkpoints_tried_.insert(file.staged);
      if (fails && world_->random_.Below(2) == 0) break;
      scheduler_->After(at,
                        [this, owner = request.owner_uid, file] { world_->OnVisible(owner, file.uri, file.staged); });
      at += world_->Millis(50);
    }
    scheduler_->After(at, [fails, done = std::move(done)] {
      done(fails ? Status(Error(ErrorCode::kNoSpace, "the disk is full")) : Status());
    });
  }

 private:
  SimWorld* world_;
  Scheduler* scheduler_;
};

// Everything that dies with the server process.
struct SimWorld::Server {
  explicit Server(SimWorld* world) : process(&world->queue_), front(world, &process), publisher(world, &process) {}

  SimProcess process;
  std::unique_ptr<SimCatalog> catalog;
  Front front;
  serving::LoadBook load;
  Publisher publisher;
  std::unique_ptr<compute::FakeCompute> compute;
  std::unique_ptr<control::Controller> controller;
};

SimWorld::SimWorld(const WorldOptions& options)
    : options_(options),
      random_(options.seed),
      queue_(WorldStart()),
      fault_end_(WorldStart() + kFaultTime),
      disk_(fmt::format("sim-{}", options.seed), &random_),
      cloud_(&queue_, &random_, FaultsFor(options, random_)),
      clients_(&queue_) {
  cloud_.on_start = [this](const Machine& machine) { OnMachineStart(machine); };
  cloud_.saved_progress = [this](const protocol::Assignment& assignment) {
    const auto saved = saved_progress_.find(assignment.owner_uid);
    if (saved == saved_progress_.end()) return uint64_t{0};
    if (assignment.host == 0) ++summary_.resumed;
    return saved->second;
  };
}

SimWorld::~SimWorld() {
  disk_.CutPower();
  server_.reset();
}

void SimWorld::Violation(const std::string& what) {
  if (summary_.violations.size() < 20) {
    const auto at = std::chrono::duration<double>(queue_.Now() - WorldStart()).count();
    summary_.violations.push_back(fmt::format("seed {} at {:.3f} s: {}", options_.seed, at, what));
  }
}

Time SimWorld::InFaultTime() {
  return WorldStart() +
         Duration(static_cast<int64_t>(random_.Below(static_cast<uint64_t>(Duration(kFaultTime).count()))));
}

void SimWorld::Boot() {
  if (server_) return;
  auto server = std::make_unique<Server>(this);
  Result<std::unique_ptr<SimCatalog>> catalog = SimCatalog::Open(&disk_, &server->process, queue_.clock(), &random_);
  if (!catalog.ok()) {
    // The power went again while starting, or the disk is full: a person tries once more.
    server.reset();
    disk_.CutPower();
    disk_.Restart(SimDisk::Loss::kNothing);
    if (queue_.Now() >= fault_end_) Violation("the catalog does not open: " + catalog.error().message());
    queue_.At(queue_.Now() + std::chrono::seconds(1), [this] { Boot(); });
    return;
  }
  server->catalog = std::move(*catalog);
  server->catalog->on_durable = [this](const catalog::Change& change) { OnDurable(change); };
  compute::Capacity capacity{64ULL << 30, 64ULL << 30, 4, kHostsMax, kHostsMax};
  server->compute =
      std::make_unique<compute::FakeCompute>(&cloud_, &server->process, queue_.clock(), &random_, capacity);
  server->controller = std::make_unique<control::Controller>(
      server->catalog.get(), server->compute.get(), &server->publisher, &server->front, &server->process,
      queue_.clock(), &random_, control::ControlOptions{.objects_dir = "objects"},
      control::ScalingSources{.load = &server->load});
  server->catalog->SetChangeListener(
      [c = server->controller.get()](const catalog::Change& change) { c->OnChange(change); });
  if (Status started = server->controller->Start(); !started.ok()) Violation("start: " + started.error().message());
  server_ = std::move(server);
}

void SimWorld::Crash(SimDisk::Loss loss) {
  if (!server_) return;
  ++summary_.server_crashes;
  disk_.CutPower();
  server_.reset();
  disk_.Restart(loss);
  queue_.At(queue_.Now() + Millis(3000), [this] { Boot(); });
}

void SimWorld::PlanFaults() {
  const uint64_t crashes = random_.Below(7);
  for (uint64_t i = 0; i < crashes; ++i) {
    const Time at = InFaultTime();
    switch (random_.Below(3)) {
      case 0:
        queue_.At(at, [this] { Crash(SimDisk::Loss::kNothing); });
        break;
      case 1:
        queue_.At(at, [this] { Crash(SimDisk::Loss::kUnsyncedLost); });
        break;
      default: {
        const uint64_t operations = 1 + random_.Below(20);
        queue_.At(at, [this, operations] { disk_.CutPowerAfter(operations); });
        queue_.At(at + std::chrono::seconds(2), [this] { Crash(SimDisk::Loss::kUnsyncedLost); });
        break;
      }
    }
  }
  if (random_.Below(4) == 0) {
    const Time full = InFaultTime();
    queue_.At(full, [this] { disk_.set_full(true); });
    queue_.At(full + Millis(5000), [this] { disk_.set_full(false); });
  }
  queue_.At(fault_end_, [this] {
    disk_.set_full(false);
    if (!disk_.powered()) Crash(SimDisk::Loss::kUnsyncedLost);
    disk_.CutPowerAfter(0);
    cloud_.set_faults({.fence = options_.fence});
  });
}

void SimWorld::PlanClients() {
  const uint64_t jobs = 2 + random_.Below(6);
  for (uint64_t i = 0; i < jobs; ++i) {
    queue_.At(InFaultTime(), [this, i] { CreateJob(static_cast<int>(i)); });
  }
  const uint64_t endpoints = random_.Below(3);
  for (uint64_t i = 0; i < endpoints; ++i) {
    queue_.At(InFaultTime(), [this, i] { CreateEndpoint(static_cast<int>(i)); });
  }
}

void SimWorld::Retry(Task task) {
  clients_.After(std::chrono::milliseconds(200) + Millis(300), std::move(task));
}

void SimWorld::CreateJob(int number) {
  if (!server_) return Retry([this, number] { CreateJob(number); });
  const Time now = queue_.Now();
  catalog::Resource r;
  r.kind = Kind::kTrainingJob;
  r.name = fmt::format("job-{}", number);
  r.uid = NewUid(random_);
  r.created = r.modified = now;
  r.spec = JobRequest(r.name);
  catalog::TrainingJobState state;
  state.Enter("Starting", now, "");
  r.status = state.status;
  r.state = state.ToJson();
  catalog::Transaction transaction;
  transaction.inserts.push_back({r});
  server_->catalog->Commit(std::move(transaction), [this, r](Result<catalog::Change> result) {
    if (!result.ok()) return;
    acked_jobs_[r.uid] = r.name;
    if (random_.Below(4) == 0) clients_.After(Millis(5000), [this, uid = r.uid] { StopJob(uid); });
  });
}

void SimWorld::StopJob(const std::string& uid) {
  if (!server_) return Retry([this, uid] { StopJob(uid); });
  Result<catalog::Resource> r = server_->catalog->GetByUid(uid);
  if (!r.ok()) return Violation("an acknowledged job is not in the catalog when it is to be stopped");
  catalog::TrainingJobState state = *catalog::TrainingJobState::FromJson(r->state);
  if (state.terminal() || state.stop_requested) return;
  state.stop_requested = true;
  state.status = "Stopping";
  state.Enter("Stopping", queue_.Now(), "Stopping the training job");
  catalog::Transaction transaction;
  transaction.updates.push_back(
      {.uid = uid, .version = r->version, .status = state.status, .state = state.ToJson(), .modified = queue_.Now()});
  server_->catalog->Commit(std::move(transaction), [this, uid](Result<catalog::Change> result) {
    if (!result.ok()) Retry([this, uid] { StopJob(uid); });
  });
}

void SimWorld::CreateEndpoint(int number) {
  if (!server_) return Retry([this, number] { CreateEndpoint(number); });
  catalog::Resource r;
  r.kind = Kind::kEndpoint;
  r.name = fmt::format("endpoint-{}", number);
  r.uid = NewUid(random_);
  r.created = r.modified = queue_.Now();
  r.spec = "{}";
  catalog::EndpointState state;
  state.requested_config = "config-0";
  state.requested_variants = {Plan("model-0", 1 + static_cast<uint32_t>(random_.Below(3)))};
  r.status = state.status;
  r.state = state.ToJson();
  catalog::Transaction transaction;
  transaction.inserts.push_back({r});
  server_->catalog->Commit(std::move(transaction), [this, r](Result<catalog::Change> result) {
    if (!result.ok()) return;
    acked_endpoints_[r.uid] = r.name;
    if (random_.Below(2) == 0) clients_.After(Millis(8000), [this, uid = r.uid] { ChangeEndpoint(uid, "config-1"); });
    if (random_.Below(3) == 0) clients_.After(Millis(15000), [this, uid = r.uid] { ChangeEndpoint(uid, ""); });
    if (random_.Below(2) == 0) clients_.After(Millis(8000), [this, uid = r.uid] { RegisterTarget(uid); });
    for (uint64_t changes = random_.Below(4); changes > 0; --changes) {
      clients_.After(Millis(12000), [this, uid = r.uid, instances = static_cast<uint32_t>(random_.Below(4))] {
        ChangeCapacity(uid, instances);
      });
    }
  });
}

// How an update moves traffic; some give up when that takes too long.
std::string SimWorld::AnyDeployment() {
  if (random_.Below(2) == 0) return "";
  if (random_.Below(3) == 0) {
    return fmt::format(R"({{"RollingUpdatePolicy":{{"MaximumBatchSize":{{"Type":"INSTANCE_COUNT","Value":1}},)"
                       R"("WaitIntervalInSeconds":{},"MaximumExecutionTimeoutInSeconds":{}}}}})",
                       random_.Below(3), 3 + random_.Below(30));
  }
  constexpr const char* kRouting[] = {R"("Type":"ALL_AT_ONCE")",
                                      R"("Type":"CANARY","CanarySize":{"Type":"CAPACITY_PERCENT","Value":10})",
                                      R"("Type":"LINEAR","LinearStepSize":{"Type":"CAPACITY_PERCENT","Value":30})"};
  return fmt::format(R"({{"BlueGreenUpdatePolicy":{{"TrafficRoutingConfiguration":{{{},"WaitIntervalInSeconds":{}}},)"
                     R"("TerminationWaitInSeconds":{},"MaximumExecutionTimeoutInSeconds":{}}}}})",
                     kRouting[random_.Below(3)], random_.Below(3), random_.Below(3), 3 + random_.Below(30));
}

void SimWorld::ChangeEndpoint(const std::string& uid, const std::string& config) {
  const auto again = [this, uid, config] { Retry([this, uid, config] { ChangeEndpoint(uid, config); }); };
  if (!server_) return again();
  Result<catalog::Resource> r = server_->catalog->GetByUid(uid);
  if (!r.ok()) return;  // deleted meanwhile
  catalog::EndpointState state = *catalog::EndpointState::FromJson(r->state);
  if (state.delete_requested) return;
  if (config.empty()) {
    state.delete_requested = true;
    state.status = "Deleting";
    asked_deletions_.insert(uid);
  } else {
    if (state.status == "Failed") return;
    if (state.status != "InService") return again();
    acked_capacity_.erase(uid);
    state.requested_config = config;
    state.requested_variants = {Plan("model-1", 1 + static_cast<uint32_t>(random_.Below(2)))};
    state.deployment_request = AnyDeployment();
    state.status = "Updating";
  }
  catalog::Transaction transaction;
  transaction.updates.push_back(
      {.uid = uid, .version = r->version, .status = state.status, .state = state.ToJson(), .modified = queue_.Now()});
  server_->catalog->Commit(std::move(transaction), [this, uid, config, again](Result<catalog::Change> result) {
    if (!result.ok()) return again();
    if (config.empty()) acked_deletions_.insert(uid);
  });
}

// As a scaling policy does it: also on top of a change that is under way.
void SimWorld::ChangeCapacity(const std::string& uid, uint32_t instances) {
  const auto again = [this, uid, instances] { Retry([this, uid, instances] { ChangeCapacity(uid, instances); }); };
  if (!server_) return again();
  Result<catalog::Resource> r = server_->catalog->GetByUid(uid);
  if (!r.ok()) return;  // deleted meanwhile
  catalog::EndpointState state = *catalog::EndpointState::FromJson(r->state);
  if (state.delete_requested || state.status == "Failed") return;
  if (!state.current || (state.status != "InService" && !state.capacity_changing())) return again();
  state.ChangeCapacity({{"AllTraffic", instances, std::nullopt}});
  acked_capacity_.erase(uid);
  catalog::Transaction transaction;
  transaction.updates.push_back(
      {.uid = uid, .version = r->version, .status = state.status, .state = state.ToJson(), .modified = queue_.Now()});
  server_->catalog->Commit(std::move(transaction), [this, uid, instances, again](Result<catalog::Change> result) {
    if (!result.ok()) return again();
    if (!scaled_.contains(uid)) acked_capacity_[uid] = instances;
    ++summary_.capacity_changes;
  });
}

void SimWorld::RegisterTarget(const std::string& uid) {
  if (!server_) return Retry([this, uid] { RegisterTarget(uid); });
  const Result<catalog::Resource> endpoint = server_->catalog->GetByUid(uid);
  if (!endpoint.ok()) return;  // deleted meanwhile
  scaled_.insert(uid);
  acked_capacity_.erase(uid);
  catalog::ScalableTarget target;
  target.min_capacity = static_cast<uint32_t>(random_.Below(2));
  target.max_capacity = 1 + static_cast<uint32_t>(random_.Below(3));
  catalog::Resource r;
  r.kind = Kind::kScalableTarget;
  r.name = catalog::ResourceIdOf(endpoint->name, "AllTraffic");
  r.uid = NewUid(random_);
  r.created = r.modified = queue_.Now();
  r.owner = uid;
  r.spec = target.SpecJson();
  r.state = target.StateJson();
  catalog::Resource policy;
  policy.kind = Kind::kScalingPolicy;
  policy.name = catalog::PolicyResourceName(r.name, "p");
  policy.uid = NewUid(random_);
  policy.created = policy.modified = queue_.Now();
  policy.owner = r.uid;
  policy.spec = R"({"PolicyName":"p","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":)"
                R"({"TargetValue":600,"ScaleInCooldown":5,"PredefinedMetricSpecification":)"
                R"({"PredefinedMetricType":"SageMakerVariantInvocationsPerInstance"}}})";
  policy.state = "{}";
  catalog::Transaction transaction;
  transaction.inserts.push_back({std::move(r)});
  transaction.inserts.push_back({std::move(policy)});
  server_->catalog->Commit(std::move(transaction), [this, uid](Result<catalog::Change> result) {
    const bool there = !result.ok() && result.error().code() == ErrorCode::kAlreadyExists;
    if (!result.ok() && !there) Retry([this, uid] { RegisterTarget(uid); });
  });
}

void SimWorld::Load() {
  if (server_) {
    const int64_t second = std::chrono::floor<std::chrono::seconds>(queue_.Now()).time_since_epoch().count() - 1;
    for (const auto& [uid, name] : acked_endpoints_) {
      serving::VariantCounts counts;
      counts.invocations = random_.Below(3) == 0 ? 0 : random_.Below(60);
      counts.concurrent_max = counts.invocations / 8;
      if (!counts.empty()) server_->load.Add({name, "AllTraffic"}, second, counts);
      if (random_.Below(3) == 0) server_->front.Ask(name);
    }
  }
  if (queue_.Now() < fault_end_) clients_.After(std::chrono::seconds(1), [this] { Load(); });
}

void SimWorld::OnMachineStart(const Machine& machine) {
  const protocol::Assignment& a = machine.assignment;
  ++summary_.attempts;
  if (!durable_ledger_.contains(a.instance_id)) Violation(a.instance_id + " starts without a ledger entry");
  if (a.role != protocol::Role::kTraining) return;
  for (const auto& [id, other] : cloud_.machines()) {
    if (other.alive && other.assignment.owner_uid == a.owner_uid && other.assignment.attempt != a.attempt) {
      Violation(
          fmt::format("{}: attempt {} starts while attempt {} lives", a.name, a.attempt, other.assignment.attempt));
    }
    if (other.assignment.owner_uid == a.owner_uid && other.assignment.attempt < a.attempt && other.report.checkpoint &&
        !a.name.ends_with("2") && !checkpoints_tried_.contains(other.report.checkpoint->staged)) {
      Violation(fmt::format("{}: attempt {} starts though {} was not published", a.name, a.attempt,
                            other.report.checkpoint->staged));
    }
  }
  const auto status = job_status_.find(a.owner_uid);
  if (status != job_status_.end() && status->second != "InProgress" && status->second != "Stopping") {
    Violation(a.name + ": an attempt starts though the job is " + status->second);
  }
}

void SimWorld::OnDurable(const catalog::Change& change) {
  for (const catalog::Resource& r : change.written) {
    if (r.kind == Kind::kInstance) durable_ledger_.insert(r.uid);
    if (r.kind == Kind::kTrainingJob) OnJobWritten(r);
    if (r.kind == Kind::kScalingActivity && r.status == "InProgress") {
      ++summary_.scaled;
      const bool with_endpoint = std::any_of(change.written.begin(), change.written.end(),
                                             [](const catalog::Resource& w) { return w.kind == Kind::kEndpoint; });
      if (!with_endpoint) Violation("an activity tells of a change that was not made: " + r.spec);
    }
  }
}

void SimWorld::OnJobWritten(const catalog::Resource& r) {
  std::string& status = job_status_[r.uid];
  if (!status.empty() && !catalog::IsAllowedTransition(status, r.status)) {
    Violation(r.name + " goes from " + status + " to " + r.status);
  }
  status = r.status;
  const catalog::TrainingJobState state = *catalog::TrainingJobState::FromJson(r.state);
  if (r.status == "Completed") {
    const auto shown = visible_.find(state.model_artifacts);
    if (shown == visible_.end()) {
      Violation(r.name + " is Completed but its artifact is not there");
    } else if (!shown->second.second.starts_with(state.instance_id + "/")) {
      Violation(r.name + " is Completed but its artifact is another attempt's");
    }
  }
}

void SimWorld::OnCheckpointVisible(const std::string& owner_uid, const std::string& content) {
  ++summary_.checkpoints;
  const std::string instance = content.substr(0, content.find('/'));
  const uint64_t progress = std::stoull(content.substr(content.rfind('-') + 1));
  uint64_t& saved = saved_progress_[owner_uid];
  if (progress < saved) Violation(fmt::format("{} is published behind progress {}", content, saved));
  saved = progress;
  const Machine* const machine = cloud_.Find(instance);
  if (machine == nullptr || machine->files_removed)
    Violation(content + " is to be published, but its files are removed");
  for (const auto& [id, other] : cloud_.machines()) {
    if (machine != nullptr && other.assignment.owner_uid == owner_uid &&
        other.assignment.attempt > machine->assignment.attempt) {
      Violation(content + " is published though attempt " + std::to_string(other.assignment.attempt) + " has begun");
    }
  }
  const std::string& status = job_status_[owner_uid];
  if (status != "InProgress" && status != "Stopping") Violation(content + " appears after the job has ended");
}

void SimWorld::OnVisible(const std::string& owner_uid, const std::string& uri, const std::string& content) {
  if (uri.starts_with(kCheckpoints)) return OnCheckpointVisible(owner_uid, content);
  const auto [it, fresh] = visible_.try_emplace(uri, owner_uid, content);
  if (!fresh && it->second.second != content) Violation(uri + " shows the results of two attempts");
  const std::string instance = content.substr(0, content.find('/'));
  const Machine* machine = cloud_.Find(instance);
  if (machine == nullptr || machine->alive) Violation(uri + " is published while its attempt may still write");
  if (machine != nullptr && machine->files_removed) Violation(uri + " is to be published, but its files are removed");
  const std::string& status = job_status_[owner_uid];
  if (status != "InProgress" && status != "Stopping" && fresh) Violation(uri + " appears after the job has ended");
}

std::vector<catalog::Resource> SimWorld::All(Kind kind) {
  catalog::Query query;
  query.kind = kind;
  query.max_results = 1000;
  Result<catalog::Page> page = server_->catalog->List(query);
  if (!page.ok()) {
    Violation("the catalog cannot be read: " + page.error().message());
    return {};
  }
  return std::move(page->resources);
}

bool SimWorld::AtRest() {
  if (!server_) return false;
  for (const catalog::Resource& r : All(Kind::kTrainingJob)) {
    if (r.status == "InProgress" || r.status == "Stopping") return false;
  }
  for (const catalog::Resource& r : All(Kind::kEndpoint)) {
    const catalog::EndpointState state = *catalog::EndpointState::FromJson(r.state);
    if ((state.status != "InService" && state.status != "Failed") || !state.retired.empty() || state.next) return false;
    const auto settled = [this](const catalog::EndpointInstance& instance) {
      const Machine* machine = cloud_.Find(instance.instance_id);
      return instance.ready_at && machine != nullptr && machine->alive;
    };
    if (state.current && !std::all_of(state.current->instances.begin(), state.current->instances.end(), settled))
      return false;
  }
  for (const catalog::Resource& r : All(Kind::kScalableTarget)) {
    if (!catalog::ScalableTarget::FromResource(r)->state.activity.empty()) return false;
  }
  return true;
}

WorldSummary SimWorld::Run() {
  Boot();
  Load();
  PlanFaults();
  PlanClients();
  queue_.RunUntil(fault_end_);
  const Time limit = fault_end_ + kRestTimeMax;
  queue_.RunUntil(fault_end_ + kClientTimeMax);
  // A client that waited for rest goes on at the first sight of it: only what stays at rest is.
  int rests = 0;
  while (queue_.Now() < limit && rests < 2) {
    queue_.RunUntil(queue_.Now() + std::chrono::seconds(5));
    rests = AtRest() ? rests + 1 : 0;
  }
  if (server_) {
    CheckEnd();
  } else {
    Violation("the server does not come up again");
  }
  return std::move(summary_);
}

void SimWorld::CheckEnd() {
  CheckJobs();
  CheckEndpoints();
  CheckScaling();
  CheckLedger();
  for (const auto& [id, machine] : cloud_.machines()) {
    if (machine.started && !machine.alive) ++summary_.machine_deaths;
  }
}

void SimWorld::CheckJobs() {
  summary_.jobs = acked_jobs_.size();
  for (const auto& [uid, name] : acked_jobs_) {
    Result<catalog::Resource> r = server_->catalog->GetByUid(uid);
    if (!r.ok()) {
      Violation(name + " was acknowledged and is lost");
      continue;
    }
    const catalog::TrainingJobState state = *catalog::TrainingJobState::FromJson(r->state);
    ++summary_.job_ends[state.status];
    if (!state.terminal()) Violation(name + " does not end: " + r->state);
    for (const catalog::StatusTransition& t : state.transitions) {
      if (t.end && *t.end < t.start) Violation(name + " has a transition that ends before it begins");
    }
  }
}

void SimWorld::CheckEndpoints() {
  summary_.endpoints = acked_endpoints_.size();
  for (const auto& [uid, name] : acked_endpoints_) {
    Result<catalog::Resource> r = server_->catalog->GetByUid(uid);
    if (!r.ok()) {
      // Gone is right only after somebody asked for it, acknowledged or not.
      if (!asked_deletions_.contains(uid)) Violation(name + " was acknowledged and is lost");
      continue;
    }
    if (acked_deletions_.contains(uid)) Violation(name + " is still there though its deletion was acknowledged");
    const catalog::EndpointState state = *catalog::EndpointState::FromJson(r->state);
    if (state.status != "InService" && state.status != "Failed") Violation(name + " does not settle: " + r->state);
    if (state.failure_reason.find("never started") != std::string::npos)
      Violation(name + " is given up for what no instance of it did: " + state.failure_reason);
    if (!state.current) continue;
    const uint32_t desired = state.current->variants.at(0).variant.initial_instance_count;
    if (state.current->instances.size() != desired || state.capacity_changing())
      Violation(name + " has other instances than are desired: " + r->state);
    const auto acked = acked_capacity_.find(uid);
    if (acked != acked_capacity_.end() && acked->second != desired && state.failure_reason.empty())
      Violation(fmt::format("{} was promised {} instances and has {}", name, acked->second, desired));
    const auto route = server_->front.routes().find(name);
    size_t routed = 0;
    if (route != server_->front.routes().end()) {
      for (const serving::RouteVariant& variant : route->second.variants) routed += variant.instances.size();
    }
    if (routed != state.current->instances.size()) Violation(name + ": the route does not show the whole fleet");
  }
  // Also of endpoints whose creation was durable but never acknowledged.
  std::set<std::string> wanted;
  for (const catalog::Resource& r : All(Kind::kEndpoint)) {
    const catalog::EndpointState state = *catalog::EndpointState::FromJson(r.state);
    if (!state.current) continue;
    for (const catalog::EndpointInstance& instance : state.current->instances) wanted.insert(instance.instance_id);
  }
  for (const auto& [id, machine] : cloud_.machines()) {
    if (machine.alive && !wanted.contains(id)) Violation(id + " lives though nobody wants it");
  }
}

void SimWorld::CheckScaling() {
  std::map<std::string, catalog::EndpointState> endpoints;
  for (const catalog::Resource& r : All(Kind::kEndpoint)) {
    endpoints[r.uid] = *catalog::EndpointState::FromJson(r.state);
  }
  std::set<std::string> targets;
  for (const catalog::Resource& r : All(Kind::kScalableTarget)) {
    targets.insert(r.uid);
    const auto endpoint = endpoints.find(r.owner);
    if (endpoint == endpoints.end()) {
      Violation(r.name + " is registered though its endpoint is gone");
      continue;
    }
    const catalog::EndpointState& state = endpoint->second;
    if (!state.current || !state.failure_reason.empty()) continue;
    const catalog::ScalableTarget target = *catalog::ScalableTarget::FromResource(r);
    const uint32_t desired = state.current->variants.at(0).variant.initial_instance_count;
    if (desired < target.min_capacity || desired > target.max_capacity)
      Violation(fmt::format("{} has {} instances, outside {} to {}", r.name, desired, target.min_capacity,
                            target.max_capacity));
  }
  for (const catalog::Resource& r : All(Kind::kScalingPolicy)) {
    if (!targets.contains(r.owner)) Violation(r.name + " is left though its target is gone");
  }
  for (const catalog::Resource& r : All(Kind::kScalingActivity)) {
    if (r.status == "InProgress") Violation("an activity of " + r.owner + " does not end");
  }
}

void SimWorld::CheckLedger() {
  std::map<std::string, cost::LedgerEntry> entries;
  for (const catalog::Resource& r : All(Kind::kInstance)) entries[r.uid] = *cost::FromResource(r);
  for (const auto& [id, machine] : cloud_.machines()) {
    const auto entry = entries.find(id);
    if (!machine.started) {
      if (entry != entries.end() && entry->second.started) Violation(id + " is billed but never lived");
      continue;
    }
    if (entry == entries.end()) {
      Violation(id + " lived and is not in the ledger");
    } else if (machine.alive) {
      if (entry->second.closed) Violation(id + " lives but its ledger entry is closed");
    } else if (!entry->second.closed) {
      Violation(id + " is dead but its ledger entry is open");
    } else if (entry->second.started != machine.started || entry->second.ended != machine.BilledTo()) {
      Violation(id + ": the ledger's times are not those it lived");
    }
  }
  for (const auto& [id, entry] : entries) {
    if (!cloud_.machines().contains(id) && entry.started) Violation(id + " is billed but never lived");
  }
}

}  // namespace argosy::testing
