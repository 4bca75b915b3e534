#include "control/jobs_planner.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/session_reach.h"

namespace argosy::control {
namespace {

using catalog::AttemptPhase;
using catalog::JobOutcome;
using catalog::TrainingJobState;
using compute::InstanceLife;
using protocol::AgentPhase;
using protocol::OutcomeKind;

Duration PublishBackoff(uint32_t failures) {
  return std::chrono::seconds(std::min(60U, 1U << std::min(failures, 6U)));
}

// How far a secondary status is within an attempt; phases only move forward.
int SecondaryRank(std::string_view secondary) {
  if (secondary == "Downloading") return 1;
  if (secondary == "Training") return 2;
  if (secondary == "Uploading") return 3;
  return 0;
}

struct PhaseWords {
  const char* secondary;
  const char* message;
};

std::optional<PhaseWords> WordsOf(AgentPhase phase) {
  switch (phase) {
    case AgentPhase::kDownloading:
      return PhaseWords{"Downloading", "Downloading input data"};
    case AgentPhase::kTraining:
      return PhaseWords{"Training", "Training in progress"};
    case AgentPhase::kUploading:
      return PhaseWords{"Uploading", "Uploading generated training model"};
    default:
      return std::nullopt;
  }
}

// What SageMaker says with the last transition.
std::string EndMessage(std::string_view secondary) {
  if (secondary == "Completed") return "Training job completed";
  if (secondary == "Stopped") return "Training job stopped";
  if (secondary == "MaxRuntimeExceeded") return "Training job runtime exceeded MaxRuntimeInSeconds provided";
  return "Training job failed";
}

// One plan in the making.
class JobPlanning {
 public:
  JobPlanning(const JobView& job, const JobFacts& facts, const JobPolicy& policy, Time now)
      : job_(job), facts_(facts), policy_(policy), now_(now), state_(job.state) {}

  std::vector<JobAction> Plan() {
    if (state_.terminal()) return {};
    switch (state_.phase) {
      case AttemptPhase::kNone:
        PlanWaiting();
        break;
      case AttemptPhase::kAllocated:
        PlanAllocated();
        break;
      case AttemptPhase::kPublishing:
        PlanPublishing();
        break;
    }
    return std::move(actions_);
  }

 private:
  void Save(std::vector<cost::LedgerEntry> open = {}, std::map<std::string, LedgerClose> close = {}) {
    actions_.emplace_back(SaveJob{state_, std::move(open), std::move(close)});
  }

  uint32_t hosts() const { return job_.spec.instance_count; }
  std::string InstanceOf(uint32_t host) const { return HostInstanceId(state_.instance_id, host); }
  const std::optional<compute::InstanceView>& View(uint32_t host) const {
    static const std::optional<compute::InstanceView> kNone;
    return host < facts_.instances.size() ? facts_.instances[host] : kNone;
  }
  bool IsGone(uint32_t host) const { return View(host) && View(host)->life == InstanceLife::kGone; }
  const protocol::AgentOutcome* OutcomeOf(uint32_t host) const {
    const auto& view = View(host);
    return view && view->report && view->report->outcome ? &*view->report->outcome : nullptr;
  }

  void Wake(Time at) { actions_.emplace_back(WakeAt{at}); }

  // The state becomes terminal; nothing is published.
  void End(std::string status, std::string secondary, const std::string& reason) {
    state_.status = std::move(status);
    state_.failure_reason = reason.substr(0, kFailureReasonMax);
    state_.phase = AttemptPhase::kNone;
    state_.outcome.reset();
    state_.loss.reset();
    state_.retry_at.reset();
    if (!state_.training_end && state_.training_start) state_.training_end = now_;
    const std::string message = EndMessage(secondary);
    state_.Enter(std::move(secondary), now_, message);
    if (!state_.transitions.empty()) state_.transitions.back().end = state_.transitions.back().start;
  }

  void EndStopped() {
    if (state_.runtime_exceeded) {
      End("Stopped", "MaxRuntimeExceeded", "");
    } else {
      End("Stopped", "Stopped", "");
    }
  }

  void PlanWaiting() {
    if (state_.stop_requested) {
      EndStopped();
      return Save();
    }
    if (state_.retry_at && now_ < *state_.retry_at) return Wake(*state_.retry_at);
    switch (facts_.allocation.verdict) {
      case Allocation::Verdict::kRefused:
        End("Failed", "Failed", "CapacityError: " + facts_.allocation.note);
        return Save();
      case Allocation::Verdict::kWait:
        if (state_.status_message == facts_.allocation.note) return;
        state_.Enter("Pending", now_, facts_.allocation.note);
        return Save();
      case Allocation::Verdict::kGranted:
        return Allocate();
    }
  }

  void Allocate() {
    ++state_.attempt;
    state_.phase = AttemptPhase::kAllocated;
    state_.instance_id = policy_.new_instance_id;
    state_.retry_at.reset();
    std::string message = state_.attempt == 1 ? "Launching requested ML instances"
                                              : fmt::format("Launching ML instances for attempt {}", state_.attempt);
    if (!facts_.allocation.note.empty()) message += ". " + facts_.allocation.note;
    state_.Enter("Starting", now_, message);
    std::vector<cost::LedgerEntry> entries;
    for (uint32_t host = 0; host < hosts(); ++host) entries.push_back(NewEntry(host));
    Save(std::move(entries));
  }

  cost::LedgerEntry NewEntry(uint32_t host) const {
    cost::LedgerEntry entry;
    entry.instance_id = InstanceOf(host);
    entry.owner_uid = job_.uid;
    entry.owner_kind = "training-job";
    entry.owner_name = job_.name;
    entry.principal = job_.principal;
    entry.instance_type = job_.spec.instance_type;
    entry.attempt = state_.attempt;
    const auto type = cost::FindInstanceType(job_.spec.instance_type);
    entry.nano_dollars_per_hour = type ? type->nano_dollars_per_hour : 0;
    entry.allocated = now_;
    entry.reach = ReachOf(job_.spec);
    return entry;
  }

  protocol::Assignment MakeAssignment(uint32_t host) const {
    protocol::Assignment a;
    a.role = protocol::Role::kTraining;
    a.instance_id = InstanceOf(host);
    a.owner_uid = job_.uid;
    a.attempt = state_.attempt;
    a.host = host;
    a.hosts = hosts();
    a.name = job_.name;
    a.arn = ResourceArn(policy_, "training-job", job_.name);
    a.instance_type = job_.spec.instance_type;
    a.memory_bytes = facts_.allocation.memory_bytes;
    a.cpus = facts_.allocation.cpus;
    a.note = facts_.allocation.note;
    a.region = policy_.region;
    a.objects_dir = policy_.objects_dir;
    a.log_group = "/aws/sagemaker/TrainingJobs";
    // Milliseconds: attempts, and jobs of the same name one after another, may follow within a second.
    a.log_stream = fmt::format("{}/{}-{}", job_.name, catalog::HostName(host),
                               ToUnixMillis(facts_.allocated.value_or(now_)) + state_.attempt - 1);
    a.training = job_.spec;
    return a;
  }

  void PlanAllocated() {
    if (facts_.start_error) return PlanRefusedStart();
    bool all_known = true;
    for (uint32_t host = 0; host < hosts(); ++host) {
      if (View(host)) continue;
      all_known = false;
      actions_.emplace_back(StartAttempt{MakeAssignment(host)});
    }
    if (!all_known) return;
    if (AllGone()) return PlanGone();
    if (!EndTogether()) return;

    const compute::InstanceView& head = *View(0);
    bool changed = TakeReport(head);
    if (ExceedsRuntime(head)) {
      state_.runtime_exceeded = true;
      state_.status = "Stopping";
      state_.Enter("Stopping", now_, "Stopping the training job: MaxRuntimeInSeconds is over");
      changed = true;
    }
    if (changed) {
      Save();
    } else {
      PlanCheckpoint(head);
    }
    PlanGroup();
    if (head.started && state_.status != "Stopping" && head.life != InstanceLife::kGone) Wake(RuntimeEnd(head));
    for (uint32_t host = 0; host < hosts(); ++host) {
      if (!IsGone(host)) PlanLimits(*View(host));
    }
  }

  bool AllGone() const {
    for (uint32_t host = 0; host < hosts(); ++host) {
      if (View(host) && !IsGone(host)) return false;
    }
    return true;
  }

  // Hosts that are done leave by themselves, one behind the other; anything else is the end of all. False when first
  // it must be saved why.
  bool EndTogether() {
    if (HeadIsDone()) {
      const protocol::AgentOutcome* const done = OutcomeOf(0);
      for (uint32_t host = 1; host < hosts() && done != nullptr; ++host) {
        if (!IsGone(host)) KillAt(*View(host), done->finished + kLeaveTimeout);
      }
      return true;
    }
    for (uint32_t host = 0; host < hosts(); ++host) {
      if (!IsGone(host)) continue;
      const protocol::AgentOutcome* const outcome = OutcomeOf(host);
      if (outcome != nullptr && (outcome->kind == OutcomeKind::kSucceeded || Stopping())) continue;
      if (outcome != nullptr && outcome->kind == OutcomeKind::kLostGroup) {
        // Whoever was lost will be seen to be gone.
        for (uint32_t other = 0; other < hosts(); ++other) {
          if (!IsGone(other)) KillAt(*View(other), outcome->finished + kLeaveTimeout);
        }
        continue;
      }
      const bool failed = outcome != nullptr && outcome->kind == OutcomeKind::kFailed;
      if (!failed && !state_.loss) {
        state_.loss = LossOf(host);
        Save();
        return false;
      }
      KillAll();
      return true;
    }
    return true;
  }

  // Its model is whole: whatever becomes of the others does not count any more.
  bool HeadIsDone() const {
    const auto& report = View(0)->report;
    const protocol::AgentOutcome* const outcome = OutcomeOf(0);
    if (outcome != nullptr) return outcome->kind == OutcomeKind::kSucceeded;
    return !IsGone(0) && report && report->phase == AgentPhase::kUploading;
  }

  void KillAll() {
    for (uint32_t host = 0; host < hosts(); ++host) {
      if (View(host) && !IsGone(host)) actions_.emplace_back(KillInstance{InstanceOf(host)});
    }
  }

  bool Stopping() const { return state_.stop_requested || state_.runtime_exceeded; }

  // Tells the hosts where the others are, until they have met.
  void PlanGroup() {
    if (hosts() == 1) return;
    std::vector<std::string> addresses;
    for (uint32_t host = 0; host < hosts(); ++host) {
      const auto& report = View(host)->report;
      if (!report || report->group_address.empty()) return;
      addresses.push_back(report->group_address);
    }
    for (uint32_t host = 0; host < hosts(); ++host) {
      if (IsGone(host) || View(host)->report->phase >= AgentPhase::kTraining) continue;
      actions_.emplace_back(TellGroup{InstanceOf(host), addresses});
      Wake(now_ + kGroupRetry);
    }
  }

  // Whether a checkpoint is to be published first. Only the present attempt's are, and no other attempt begins before.
  bool PlanCheckpoint(const compute::InstanceView& instance) {
    if (!instance.report || !instance.report->checkpoint || job_.spec.checkpoint_uri.empty()) return false;
    const protocol::StagedCheckpoint& checkpoint = *instance.report->checkpoint;
    if (checkpoint.number <= facts_.checkpoint_done || checkpoint.staged.empty()) return false;
    actions_.emplace_back(PublishCheckpoint{
        checkpoint.number, {checkpoint.staged, catalog::CheckpointUri(job_.spec.checkpoint_uri, checkpoint.name)}});
    return true;
  }

  void PlanRefusedStart() {
    if (!AllGone()) return KillAll();
    if (facts_.start_error->code() == ErrorCode::kInvalidArgument) {
      End("Failed", "Failed", "CapacityError: " + facts_.start_error->message());
    } else {
      state_.phase = AttemptPhase::kNone;
      state_.retry_at = now_ + kStartRetry;
      state_.Enter("Pending", now_, "Waiting for capacity: " + facts_.start_error->message());
    }
    Save({}, Bill());
  }

  // The end of all its instances: the ledger's, and, once for all, the time that is billed.
  std::map<std::string, LedgerClose> Bill() {
    std::map<std::string, LedgerClose> close;
    int64_t longest = 0;
    for (uint32_t host = 0; host < hosts(); ++host) {
      const auto& view = View(host);
      LedgerClose& entry = close[InstanceOf(host)];
      if (!view) continue;
      entry.started = view->started;
      entry.ended = view->ended;
      if (view->started && view->ended) longest = std::max<int64_t>(longest, (*view->ended - *view->started).count());
    }
    state_.billable_nanos += longest;
    return close;
  }

  // Takes over what the newest report says; whether the state has changed by it.
  bool TakeReport(const compute::InstanceView& instance) {
    if (!instance.report) return false;
    bool changed = false;
    for (const protocol::PhaseTime& reached : instance.report->phase_times) {
      const std::optional<PhaseWords> words = WordsOf(reached.phase);
      if (!words) continue;
      if (!state_.training_start && reached.phase == AgentPhase::kDownloading) {
        state_.training_start = reached.at;
        changed = true;
      }
      if (state_.status != "InProgress" || SecondaryRank(words->secondary) <= SecondaryRank(state_.secondary_status))
        continue;
      state_.Enter(words->secondary, reached.at, words->message);
      changed = true;
    }
    const bool metrics_due = changed || now_ - job_.modified >= kMetricsInterval;
    if (metrics_due && TakeMetrics(*instance.report)) changed = true;
    if (!changed && !instance.report->metrics.empty() && !metrics_due) Wake(job_.modified + kMetricsInterval);
    return changed;
  }

  bool TakeMetrics(const protocol::Report& report) {
    std::vector<catalog::FinalMetric> metrics;
    for (const protocol::MetricValue& m : report.metrics) metrics.push_back({m.name, m.value, m.timestamp});
    const auto same = [](const catalog::FinalMetric& a, const catalog::FinalMetric& b) {
      return a.name == b.name && a.value == b.value && a.timestamp == b.timestamp;
    };
    if (std::equal(metrics.begin(), metrics.end(), state_.final_metrics.begin(), state_.final_metrics.end(), same))
      return false;
    state_.final_metrics = std::move(metrics);
    return true;
  }

  Time RuntimeEnd(const compute::InstanceView& instance) const {
    const Duration used(state_.billable_nanos);
    return *instance.started + std::chrono::seconds(job_.spec.max_runtime_seconds) - used;
  }

  bool ExceedsRuntime(const compute::InstanceView& instance) const {
    return instance.started && state_.status == "InProgress" && now_ >= RuntimeEnd(instance);
  }

  // Everything that happens because time passes while an instance lives.
  void PlanLimits(const compute::InstanceView& instance) {
    if (state_.status == "Stopping") {
      actions_.emplace_back(StopInstance{instance.instance_id});
      const Time asked = state_.transitions.empty() ? now_ : state_.transitions.back().start;
      KillAt(instance, asked + kStopGrace);
    }
    if (instance.life == InstanceLife::kStarting) {
      KillAt(instance, std::max(facts_.allocated.value_or(now_), job_.modified) + kStartTimeout);
    }
    if (instance.report && instance.report->outcome) {
      KillAt(instance, instance.report->outcome->finished + kLeaveTimeout);
    }
  }

  void KillAt(const compute::InstanceView& instance, Time limit) {
    if (now_ >= limit) {
      actions_.emplace_back(KillInstance{instance.instance_id});
    } else {
      Wake(limit);
    }
  }

  // What the attempt came to; null when it was lost. A program that was told to end by somebody else than us (the
  // machine shuts down) has been interrupted.
  const protocol::AgentOutcome* AttemptOutcome() const {
    const protocol::AgentOutcome* const head = OutcomeOf(0);
    if (head != nullptr &&
        (head->kind == OutcomeKind::kSucceeded || (head->kind == OutcomeKind::kStopped && Stopping())))
      return head;
    const protocol::AgentOutcome* first = nullptr;
    for (uint32_t host = 0; host < hosts(); ++host) {
      const protocol::AgentOutcome* const outcome = OutcomeOf(host);
      if (outcome == nullptr || outcome->kind != OutcomeKind::kFailed) continue;
      if (first == nullptr || outcome->finished < first->finished) first = outcome;
    }
    return first;
  }

  // An instance that has not begun, or was told to end by somebody else than us, is nobody's failure.
  catalog::AttemptLoss LossOf(uint32_t host) const {
    const std::string& reason = View(host)->gone_reason;
    return {.reason = hosts() == 1 ? reason : catalog::HostName(host) + ": " + reason,
            .counts = View(host)->started && OutcomeOf(host) == nullptr};
  }

  // The first host that was lost, when it was not seen before the others were.
  catalog::AttemptLoss FindLoss() const {
    if (state_.loss) return *state_.loss;
    for (uint32_t host = 0; host < hosts(); ++host) {
      const protocol::AgentOutcome* const outcome = OutcomeOf(host);
      if (outcome == nullptr || outcome->kind == OutcomeKind::kStopped) return LossOf(host);
    }
    return {.reason = "the hosts lost each other", .counts = true};
  }

  void PlanGone() {
    const compute::InstanceView& head = *View(0);
    if (PlanCheckpoint(head)) return;
    TakeReport(head);
    if (head.report) TakeMetrics(*head.report);
    std::map<std::string, LedgerClose> close = Bill();
    if (const protocol::AgentOutcome* const outcome = AttemptOutcome()) {
      state_.phase = AttemptPhase::kPublishing;
      state_.outcome = ToJobOutcome(*outcome);
      state_.loss.reset();
      if (state_.training_start) state_.training_end = outcome->finished;
      return Save({}, std::move(close));
    }
    if (Stopping()) {
      if (state_.training_start) state_.training_end = head.ended.value_or(now_);
      EndStopped();
      return Save({}, std::move(close));
    }
    // An attempt that got further makes up for those before it.
    const catalog::AttemptLoss loss = FindLoss();
    state_.loss.reset();
    const bool progress = head.report && head.report->checkpoint;
    if (loss.counts) state_.interruptions = progress ? 1 : state_.interruptions + 1;
    if (state_.interruptions >= job_.spec.attempts_max) {
      End("Failed", "Failed",
          fmt::format("InternalServerError: the instance was lost {} times; the last: {}", state_.interruptions,
                      loss.reason));
      return Save({}, std::move(close));
    }
    state_.phase = AttemptPhase::kNone;
    state_.Enter("Interrupted", std::min(now_, head.ended.value_or(now_)),
                 fmt::format("Attempt {} was interrupted ({}); another one follows", state_.attempt, loss.reason));
    Save({}, std::move(close));
  }

  JobOutcome ToJobOutcome(const protocol::AgentOutcome& outcome) const {
    JobOutcome out;
    out.failure_reason = outcome.failure_reason.substr(0, kFailureReasonMax);
    out.staged_output = outcome.staged_output;
    switch (outcome.kind) {
      case OutcomeKind::kSucceeded:
        out.status = out.secondary_status = "Completed";
        out.staged_artifact = outcome.staged_artifact;
        break;
      case OutcomeKind::kStopped:
        out.status = "Stopped";
        out.secondary_status = state_.runtime_exceeded ? "MaxRuntimeExceeded" : "Stopped";
        out.staged_artifact = outcome.staged_artifact;
        break;
      case OutcomeKind::kFailed:
      case OutcomeKind::kLostGroup:
        out.status = out.secondary_status = "Failed";
        break;
    }
    return out;
  }

  std::vector<PublishedFile> FilesToPublish() const {
    std::vector<PublishedFile> files;
    const JobOutcome& outcome = *state_.outcome;
    if (!outcome.staged_artifact.empty())
      files.push_back({outcome.staged_artifact, OutputUri(job_.spec, "model.tar.gz")});
    if (!outcome.staged_output.empty()) files.push_back({outcome.staged_output, OutputUri(job_.spec, "output.tar.gz")});
    return files;
  }

  void PlanPublishing() {
    Check(state_.outcome.has_value(), "publishing without an outcome");
    const std::vector<PublishedFile> files = FilesToPublish();
    if (!files.empty()) {
      if (!facts_.published) {
        if (state_.retry_at && now_ < *state_.retry_at) return Wake(*state_.retry_at);
        actions_.emplace_back(PublishJob{files});
        return;
      }
      if (!facts_.published->ok()) return PlanFailedPublish(facts_.published->error());
    }
    const JobOutcome outcome = *state_.outcome;
    if (!outcome.staged_artifact.empty()) state_.model_artifacts = OutputUri(job_.spec, "model.tar.gz");
    End(outcome.status, outcome.secondary_status, outcome.failure_reason);
    Save();
  }

  void PlanFailedPublish(const Error& error) {
    ++state_.publish_failures;
    const bool users_fault = error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kInvalidArgument ||
                             error.code() == ErrorCode::kPermissionDenied;
    if (users_fault || state_.publish_failures >= kPublishTriesMax) {
      End("Failed", "Failed",
          (users_fault ? "ClientError: " : "InternalServerError: ") +
              fmt::format("the artifact could not be written to {}: {}", OutputUri(job_.spec, ""), error.message()));
    } else {
      state_.retry_at = now_ + PublishBackoff(state_.publish_failures);
    }
    Save();
  }

  const JobView& job_;
  const JobFacts& facts_;
  const JobPolicy& policy_;
  const Time now_;
  TrainingJobState state_;
  std::vector<JobAction> actions_;
};

}  // namespace

std::vector<JobAction> PlanJob(const JobView& job, const JobFacts& facts, const JobPolicy& policy, Time now) {
  return JobPlanning(job, facts, policy, now).Plan();
}

std::string HostInstanceId(const std::string& head, uint32_t host) {
  return host == 0 ? head : fmt::format("{}-{}", head, host + 1);
}

std::string OutputUri(const catalog::TrainingJobSpec& spec, std::string_view file) {
  std::string path = spec.output_path;
  while (path.ends_with('/')) path.pop_back();
  return fmt::format("{}/{}/output/{}", path, spec.job_name, file);
}

std::string ResourceArn(const JobPolicy& policy, std::string_view kind, std::string_view name) {
  return fmt::format("arn:aws:sagemaker:{}:{}:{}/{}", policy.region, policy.account, kind, name);
}

}  // namespace argosy::control
