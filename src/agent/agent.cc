#include "agent/agent.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "agent/control_link.h"
#include "agent/libarchive.h"
#include "agent/log_spool.h"
#include "agent/meeting.h"
#include "agent/model_files.h"
#include "agent/process.h"
#include "agent/program/program_instance.h"
#include "agent/reporter.h"
#include "agent/scoped_objects.h"
#include "agent/serving_host.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "objectstore/attach.h"
#include "objectstore/mounted/mounts.h"

namespace argosy::agent {
namespace {

constexpr size_t kFileTasksMax = 64;                            // heartbeats waiting for a slow disk
constexpr int kTrainingNice = 5;                                // people wait for the server and for endpoints
constexpr Duration kFlushPatience = std::chrono::seconds(2);    // the server takes the rest from the files
constexpr Duration kAnswerPatience = std::chrono::seconds(60);  // a request's whole time
constexpr int kOutcomeTries = 60;                               // a full disk may get room again
constexpr Duration kOutcomePause = std::chrono::seconds(1);
constexpr uint64_t kThreadBytes = 8 << 20;  // a thread's stack counts in full against the limit, used or not

const SystemClock kSystemClock;

class Agent final : private FdHandler, private TrainingEvents {
 public:
  Agent(const InstanceDirectory& directory, protocol::Assignment assignment, const AgentIdentity& identity,
        AlgorithmFinder find_algorithm, UniqueFd term, std::unique_ptr<LogSpool> log)
      : directory_(directory),
        assignment_(std::move(assignment)),
        identity_(identity),
        find_algorithm_(std::move(find_algorithm)),
        term_(std::move(term)),
        log_(std::move(log)),
        reporter_(loop_, files_, directory_, assignment_, &clock_),
        files_("files", 1, kFileTasksMax),
        link_(loop_, directory_.control_socket(), Self(), *log_,
              [this](protocol::Command command) { Obey(std::move(command)); }) {}

  int Run() {
    Check(loop_.Watch(term_.get(), EPOLLIN, this).ok(), "watching for SIGTERM");
    log_->SetListener([this] {
      loop_.Post([this] {
        log_->Taken();
        link_.LogHasGrown();
      });
    });
    reporter_.SetSender([this](const protocol::Report& report) { link_.SendReport(report); });
    reporter_.Start(identity_);
    link_.Start();
    // Needed at the end; loading it beside the training costs the job no time.
    if (assignment_.role == protocol::Role::kTraining) (void)files_.Submit([] { (void)LoadLibArchive(); });
    worker_ = std::thread([this] { assignment_.role == protocol::Role::kTraining ? Train() : Load(); });
    loop_.Run();
    worker_.join();
    log_->SetListener(nullptr);
    return exit_code_;
  }

 private:
  protocol::Hello Self() const {
    return {.instance_id = assignment_.instance_id,
            .owner_uid = assignment_.owner_uid,
            .attempt = assignment_.attempt,
            .token = assignment_.session ? assignment_.session->token : ""};
  }

  // SIGTERM.
  void OnEvents(uint32_t) override {
    char buffer[512];
    while (read(term_.get(), buffer, sizeof buffer) > 0) {
    }
    RequestStop();
  }

  void Obey(protocol::Command command) {
    if (command.kind == protocol::CommandKind::kStop) return RequestStop();
    meeting_.Tell(std::move(command.addresses));
  }

  void RequestStop() {
    if (stop_requested_.exchange(true)) return;
    meeting_.Cancel();
    log_->Append("[argosy] asked to stop");
    // A training finishes its model and ends by itself; so does an instance that is still loading.
    if (serving_ || program_) StopServing();
  }

  // --- training; on the worker's thread ---

  void Train() {
    LimitTrainingMemory();
    (void)nice(kTrainingNice);  // of this thread, and of those that it starts
    Result<std::unique_ptr<objectstore::ObjectReader>> objects = AttachToObjects();
    protocol::AgentOutcome outcome;
    if (!assignment_.training) {
      outcome = FailedTraining(Error(ErrorCode::kInternal, "the assignment holds no job"), clock_.Now());
    } else if (!objects.ok()) {
      outcome = FailedTraining(objects.error().Wrap("attaching to the object store"), clock_.Now());
    } else {
      outcome = RunTraining({.assignment = &assignment_,
                             .directory = directory_,
                             .objects = objects->get(),
                             .find_algorithm = find_algorithm_,
                             .clock = &clock_,
                             .stop_requested = &stop_requested_,
                             .join_group = [this] { return JoinGroup(); }},
                            *this);
    }
    loop_.Post([this, outcome = std::move(outcome)] { Finish(outcome); });
  }

  Result<std::unique_ptr<collective::Group>> JoinGroup() {
    meeting_.SetPublisher(
        [this](const std::string& address) { loop_.Post([this, address] { reporter_.SetGroupAddress(address); }); });
    return collective::JoinTcp({.rank = assignment_.host, .size = assignment_.hosts}, meeting_);
  }

  void LimitTrainingMemory() {
    const uint64_t granted = assignment_.memory_bytes;
    if (granted == 0) return;
    LimitMemory(granted + (assignment_.cpus + 4) * kThreadBytes, [this, granted] {
      const Error error(ErrorCode::kResourceExhausted, OutOfMemoryReason(assignment_, granted));
      const protocol::AgentOutcome outcome = FailedTraining(error, clock_.Now());
      log_->AppendAtTheEnd(outcome.failure_reason);
      _exit(reporter_.FinishAtOnce(outcome).ok() ? 0 : 1);
    });
  }

  void OnPhase(protocol::AgentPhase phase) override {
    loop_.Post([this, phase] { reporter_.Enter(phase); });
  }
  void OnLogLine(std::string_view line) override { log_->Append(line); }
  void OnMetric(std::string_view name, double value) override {
    loop_.Post([this, name = std::string(name), value] { reporter_.SetMetric(name, value); });
  }
  void OnProgress(double fraction, std::string text) override {
    loop_.Post([this, fraction, text = std::move(text)] { reporter_.SetProgress(fraction, text); });
  }

  void OnCheckpoint(protocol::StagedCheckpoint checkpoint) override {
    loop_.Post([this, checkpoint = std::move(checkpoint)] { reporter_.SetCheckpoint(checkpoint); });
  }

  // --- serving ---

  // On the worker's thread.
  void Load() {
    if (assignment_.model && ServerOfModel(*assignment_.model) != model::ImageServer::kNone) return LoadProgram();
    Result<std::unique_ptr<model::Predictor>> predictor = LoadPredictor();
    if (!predictor.ok()) return FailLoading(predictor.error());
    loop_.Post([this, predictor = std::make_shared<std::unique_ptr<model::Predictor>>(std::move(*predictor))] {
      Serve(std::move(*predictor));
    });
  }

  void LoadProgram() {
    Result<PreparedProgram> program = PrepareProgram();
    if (!program.ok()) return FailLoading(program.error());
    loop_.Post(
        [this, program = std::make_shared<PreparedProgram>(std::move(*program))] { RunProgram(std::move(*program)); });
  }

  void FailLoading(const Error& why) {
    protocol::AgentOutcome outcome = FailedServing(why, clock_.Now());
    log_->Append(outcome.failure_reason);
    loop_.Post([this, outcome = std::move(outcome)] { Finish(outcome); });
  }

  // The server's own buckets, and the folders that it mounts: of them what the session reaches.
  Result<std::unique_ptr<objectstore::ObjectReader>> AttachToObjects() {
    auto own = objectstore::AttachStore(assignment_.objects_dir, &clock_, &random_);
    if (!own.ok()) return own.error();
    auto objects = objectstore::MountFolders(std::move(*own), assignment_.objects_dir);
    if (!objects.ok() || !assignment_.session) return objects;
    auto scoped = std::make_unique<ScopedObjects>(std::move(*objects), assignment_.session->reach);
    if (assignment_.training) scoped->AdmitManifests(assignment_.training->channels);
    return std::unique_ptr<objectstore::ObjectReader>(std::move(scoped));
  }

  Result<std::unique_ptr<objectstore::ObjectReader>> BeginLoading() {
    if (!assignment_.note.empty()) log_->Append(assignment_.note);
    OnPhase(protocol::AgentPhase::kDownloading);
    auto objects = AttachToObjects();
    if (!objects.ok()) return objects.error().Wrap("attaching to the object store");
    return objects;
  }

  Result<PreparedProgram> PrepareProgram() {
    const auto objects = BeginLoading();
    if (!objects.ok()) return objects.error();
    return ProgramInstance::Prepare(assignment_, directory_, **objects, *log_);
  }

  Result<std::unique_ptr<model::Predictor>> LoadPredictor() {
    const auto objects = BeginLoading();
    if (!objects.ok()) return objects.error();
    if (!assignment_.model) return Error(ErrorCode::kInternal, "the assignment holds no model");
    const catalog::ModelSpec& spec = *assignment_.model;
    const algorithms::Algorithm* algorithm = find_algorithm_(spec.image);
    if (algorithm == nullptr) {
      return Error(ErrorCode::kInvalidArgument,
                   "Cannot find the image " + spec.image + ": neither a built-in algorithm nor a server of programs");
    }
    const Result<uint64_t> bytes = FetchArchive(**objects, spec.model_data_url, kModelDataField, directory_.model());
    if (!bytes.ok()) return bytes.error();
    Result<std::unique_ptr<model::Predictor>> predictor = algorithm->Load(directory_.model());
    if (!predictor.ok()) return predictor.error().Wrap("loading the model " + spec.model_name);
    log_->Append(fmt::format("loaded the model {} from {} with {} ({} bytes)", spec.model_name, spec.model_data_url,
                             algorithm->name(), *bytes));
    return predictor;
  }

  // From here on the loop's thread.
  void Serve(std::unique_ptr<model::Predictor> predictor) {
    serving_ = std::make_unique<ServingHost>(loop_, Self(), std::move(predictor), assignment_.cpus, *log_);
    if (stop_requested_) return StopServing();
    if (Status listening = serving_->Listen(directory_.socket()); !listening.ok()) {
      return Finish(FailedServing(listening.error(), clock_.Now()));
    }
    log_->Append("answering requests");
    reporter_.Enter(protocol::AgentPhase::kReady);
  }

  void RunProgram(PreparedProgram program) {
    program_ = std::make_unique<ProgramInstance>(
        loop_, Self(), std::move(program), directory_, *log_,
        ProgramInstance::Events{.on_ready = [this] { reporter_.Enter(protocol::AgentPhase::kReady); },
                                .on_failed =
                                    [this](const Error& why) {
                                      program_.reset();
                                      if (!std::exchange(finishing_, true)) Finish(FailedServing(why, clock_.Now()));
                                    }});
    if (stop_requested_) return StopServing();
    program_->Start();
  }

  void StopServing() {
    const auto finish = [this] {
      if (std::exchange(finishing_, true)) return;
      protocol::AgentOutcome outcome;
      outcome.kind = protocol::OutcomeKind::kStopped;
      outcome.finished = clock_.Now();
      Finish(outcome);
    };
    program_ ? program_->Stop(kAnswerPatience, finish) : serving_->Stop(kAnswerPatience, finish);
  }

  // --- the end ---

  void Finish(const protocol::AgentOutcome& outcome) {
    reporter_.Finish(outcome, [this, outcome](const Status& written) {
      if (written.ok()) return link_.Flush(kFlushPatience, [this] { loop_.Stop(); });
      Log(LogLevel::kError, "the outcome was not written", {{"error", written.error().message()}});
      if (++outcome_tries_ < kOutcomeTries) {
        loop_.After(kOutcomePause, [this, outcome] { Finish(outcome); });
        return;
      }
      exit_code_ = 1;
      loop_.Stop();
    });
  }

  const SystemClock clock_;
  SystemRandom random_;
  const InstanceDirectory directory_;
  const protocol::Assignment assignment_;
  const AgentIdentity identity_;
  const AlgorithmFinder find_algorithm_;
  const UniqueFd term_;
  const std::unique_ptr<LogSpool> log_;
  std::atomic<bool> stop_requested_{false};
  int exit_code_ = 0;
  int outcome_tries_ = 0;
  Meeting meeting_;
  EventLoop loop_;
  Reporter reporter_;
  ThreadPool files_;  // behind the reporter: what it still writes needs it
  ControlLink link_;
  std::unique_ptr<ServingHost> serving_;
  std::unique_ptr<ProgramInstance> program_;
  bool finishing_ = false;
  std::thread worker_;
};

int Fail(std::string_view what, const Error& error) {
  Log(LogLevel::kError, what, {{"error", error.message()}});
  return error.code() == ErrorCode::kCancelled || error.code() == ErrorCode::kNotFound ? 0 : 1;
}

}  // namespace

int RunAgent(const std::filesystem::path& path, const AlgorithmFinder& find_algorithm) {
  std::error_code error;
  const std::filesystem::path root = std::filesystem::absolute(path, error);
  if (error) return Fail("no instance directory", ErrnoError(path.string(), error.value()));
  const InstanceDirectory directory(root.has_filename() ? root : root.parent_path());
  if (!std::filesystem::exists(directory.assignment(), error)) return 0;  // given up and cleared away before we began
  Result<UniqueFd> term = BecomeAgent(directory);
  if (!term.ok()) return Fail("the agent could not start", term.error());
  const Result<UniqueFd> claim = ClaimInstance(directory);
  if (!claim.ok()) return Fail("this instance is not ours", claim.error());
  const Result<std::string> text = ReadFile(directory.assignment(), kAssignmentBytesMax);
  if (!text.ok()) return Fail("reading the assignment", text.error());
  Result<protocol::Assignment> assignment = protocol::Assignment::FromJson(*text);
  if (!assignment.ok()) return Fail("reading the assignment", assignment.error());
  if (assignment->instance_id != directory.root().filename().string()) {
    return Fail("this instance is not ours", Error(ErrorCode::kCancelled, "the assignment is another instance's"));
  }
  const Result<AgentIdentity> identity = AgentIdentity::OfThisProcess(SystemClock().Now());
  if (!identity.ok()) return Fail("reading /proc", identity.error());
  Result<std::unique_ptr<LogSpool>> log = LogSpool::Open(directory.log(), &kSystemClock);
  if (!log.ok()) return Fail("opening the log", log.error());
  (void)chdir(directory.root().c_str());
  Agent agent(directory, std::move(*assignment), *identity, find_algorithm, std::move(*term), std::move(*log));
  return agent.Run();
}

}  // namespace argosy::agent
