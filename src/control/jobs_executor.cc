#include "control/jobs_executor.h"

#include <utility>

#include "base/log.h"

namespace argosy::control {
namespace {

constexpr auto kCapacityPoll = std::chrono::seconds(1);  // memory may become free without anybody telling
constexpr size_t kNotedWaitingMax = 16;  // so many of the waiting are told why; all of them would only load the disk

void LogUnreadable(const catalog::Resource& resource, const Error& error) {
  Log(LogLevel::kError, "training job cannot be read", {{"job", resource.name}, {"error", error.message()}});
}

JobView ViewWith(const catalog::Resource& resource, catalog::TrainingJobSpec spec, catalog::TrainingJobState state) {
  return {.uid = resource.uid,
          .name = resource.name,
          .principal = resource.principal,
          .version = resource.version,
          .created = resource.created,
          .modified = resource.modified,
          .spec = std::move(spec),
          .state = std::move(state)};
}

}  // namespace

JobsExecutor::JobsExecutor(catalog::Catalog* catalog, compute::Compute* compute, Publisher* publisher,
                           Scheduler* scheduler, const Clock* clock, Random* random, ControlOptions options)
    : catalog_(catalog),
      compute_(compute),
      publisher_(publisher),
      scheduler_(scheduler),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      worklist_(scheduler, clock, [this](const std::string& uid) { Plan(uid); }) {}

bool JobsExecutor::IsWaiting(const Job& job) const {
  return job.view.state.phase == catalog::AttemptPhase::kNone;
}

void JobsExecutor::OnResource(const catalog::Resource& resource) {
  const auto known = jobs_.find(resource.uid);
  if (known != jobs_.end() && resource.version <= known->second.view.version) return;
  if (known == jobs_.end() && resource.version == 1) {
    // Just submitted. Thousands may wait for long: each is read when its turn comes.
    Job& job = jobs_[resource.uid];
    job.view = ViewWith(resource, {}, {});
    job.unread = std::make_unique<const catalog::Resource>(resource);
    waiting_.insert({resource.created, resource.uid});
    worklist_.Add(resource.uid);
    return;
  }
  Result<catalog::TrainingJobState> state = catalog::TrainingJobState::FromJson(resource.state);
  if (!state.ok()) return LogUnreadable(resource, state.error());
  if (state->terminal()) {
    if (known != jobs_.end()) known->second.view.state = std::move(*state);  // OnSaved cleans up
    return;
  }
  Job& job = known != jobs_.end() ? known->second : jobs_[resource.uid];
  if (known == jobs_.end() || job.unread) {
    if (!Read(job, resource)) return;
  }
  job.view.version = resource.version;
  job.view.modified = resource.modified;
  job.view.state = std::move(*state);
  const WaitingKey key{job.view.created, job.view.uid};
  if (IsWaiting(job)) {
    waiting_.insert(key);
  } else {
    waiting_.erase(key);
  }
  worklist_.Add(resource.uid);
}

bool JobsExecutor::Read(Job& job, const catalog::Resource& resource) {
  Result<catalog::TrainingJobSpec> spec = catalog::TrainingJobSpec::FromRequestJson(resource.spec);
  Result<catalog::TrainingJobState> state = catalog::TrainingJobState::FromJson(resource.state);
  if (!spec.ok() || !state.ok()) {
    LogUnreadable(resource, spec.ok() ? state.error() : spec.error());
    waiting_.erase({resource.created, resource.uid});
    jobs_.erase(resource.uid);
    return false;
  }
  job.view = ViewWith(resource, std::move(*spec), std::move(*state));
  job.unread.reset();
  return true;
}

void JobsExecutor::OnRemoved(const catalog::Resource& resource) {
  const auto it = jobs_.find(resource.uid);
  if (it == jobs_.end()) return;
  waiting_.erase({it->second.view.created, it->second.view.uid});
  worklist_.Remove(resource.uid);
  jobs_.erase(it);
}

void JobsExecutor::OnLedger(const cost::LedgerEntry& entry) {
  const auto it = jobs_.find(entry.owner_uid);
  if (it != jobs_.end()) it->second.ledger[entry.instance_id] = entry;
}

std::optional<std::string> JobsExecutor::NameByHead(const std::string& job_uid, const std::string& instance_id) const {
  const auto it = jobs_.find(job_uid);
  if (it == jobs_.end() || it->second.view.state.instance_id != instance_id) return std::nullopt;
  return it->second.view.name;
}

std::set<std::string> JobsExecutor::Unpublished() const {
  std::set<std::string> ids;
  for (const auto& [uid, job] : jobs_) {
    if (job.view.state.phase == catalog::AttemptPhase::kPublishing) ids.insert(job.view.state.instance_id);
  }
  return ids;
}

void JobsExecutor::OnInstance(const std::string& job_uid) {
  if (jobs_.contains(job_uid)) worklist_.Add(job_uid);
}

void JobsExecutor::OnCapacity() {
  blocked_ = false;
  if (!waiting_.empty()) worklist_.Add(waiting_.begin()->second);
}

compute::Capacity JobsExecutor::FreeCapacity() const {
  compute::Capacity capacity = compute_->GetCapacity();
  for (const std::string& uid : granted_) {
    const auto job = jobs_.find(uid);
    if (job != jobs_.end() && job->second.granted) capacity = Without(capacity, *job->second.granted);
  }
  return capacity;
}

Allocation JobsExecutor::AllocationFor(const JobView& view, const compute::Capacity& capacity) const {
  const auto type = cost::FindInstanceType(view.spec.instance_type);
  if (!type) {
    return {.verdict = Allocation::Verdict::kRefused,
            .note = "there is no instance type '" + view.spec.instance_type + "'"};
  }
  return Allocate(capacity, *type, options_.type_policy, view.spec.instance_count);
}

void JobsExecutor::Plan(const std::string& uid) {
  const auto it = jobs_.find(uid);
  if (it == jobs_.end()) return;
  Job& job = it->second;
  if (job.saving || job.publishing) return;
  if (IsWaiting(job) && !job.view.state.stop_requested) {
    if (blocked_) return;  // whoever comes now waits behind others
    // Thousands may be added in one turn: the queue is looked at once for all of them.
    if (!std::exchange(waiting_posted_, true)) {
      scheduler_->Post([this] {
        waiting_posted_ = false;
        PlanWaiting();
      });
    }
    return;
  }
  PlanOne(job, job.granted ? *job.granted : AllocationFor(job.view, compute_->GetCapacity()));
}

// Gives what is free to those who wait, in the order they came; nobody overtakes.
void JobsExecutor::PlanWaiting() {
  compute::Capacity capacity = FreeCapacity();
  size_t noted = 0;
  const std::set<WaitingKey> waiting =
      waiting_.size() <= 4 * kNotedWaitingMax
          ? waiting_
          : std::set<WaitingKey>(waiting_.begin(), std::next(waiting_.begin(), 4 * kNotedWaitingMax));
  for (const WaitingKey& key : waiting) {
    Job& job = jobs_.at(key.second);
    if (job.saving || job.publishing) continue;
    if (const auto unread = std::move(job.unread); unread && !Read(job, *unread)) continue;
    const bool later = job.view.state.retry_at && clock_->Now() < *job.view.state.retry_at;
    const Allocation allocation = AllocationFor(job.view, capacity);
    if (allocation.verdict == Allocation::Verdict::kGranted && !later) capacity = Without(capacity, allocation);
    if (allocation.verdict == Allocation::Verdict::kWait) {
      blocked_ = true;
      if (++noted > kNotedWaitingMax) break;
    }
    PlanOne(job, allocation);
  }
  if (!waiting_.empty() && !waiting_timer_) {
    waiting_timer_ = true;
    scheduler_->After(kCapacityPoll, [this] {
      waiting_timer_ = false;
      OnCapacity();
    });
  }
}

void JobsExecutor::PlanOne(Job& job, Allocation allocation) {
  JobFacts facts;
  const catalog::TrainingJobState& state = job.view.state;
  if (!state.instance_id.empty() && state.phase == catalog::AttemptPhase::kAllocated) {
    for (uint32_t host = 0; host < job.view.spec.instance_count; ++host) {
      facts.instances.push_back(compute_->View(HostInstanceId(state.instance_id, host)));
    }
  }
  if (!job.ledger.empty()) facts.allocated = job.ledger.begin()->second.allocated;
  facts.start_error = job.start_error;
  facts.published = job.published;
  if (job.checkpoint_done.first == state.attempt) facts.checkpoint_done = job.checkpoint_done.second;
  facts.allocation = std::move(allocation);
  JobPolicy policy{options_.region, options_.account, "", options_.objects_dir};
  if (IsWaiting(job)) policy.new_instance_id = "i-" + NewUid(*random_).substr(0, 17);
  const std::string uid = job.view.uid;
  for (const JobAction& action : PlanJob(job.view, facts, policy, clock_->Now())) {
    if (const auto* save = std::get_if<SaveJob>(&action); save != nullptr && !save->open.empty()) {
      job.granted = facts.allocation;
      granted_.insert(uid);
    }
    Carry(job, action);
  }
}

void JobsExecutor::Carry(Job& job, const JobAction& action) {
  const std::string uid = job.view.uid;
  if (const auto* save = std::get_if<SaveJob>(&action)) {
    Save(job, *save);
  } else if (const auto* start = std::get_if<StartAttempt>(&action)) {
    job.granted.reset();
    granted_.erase(uid);
    protocol::Assignment assignment = start->assignment;
    if (options_.sign_in) assignment.session = options_.sign_in(assignment);
    if (Status started = compute_->Start({std::move(assignment)}); !started.ok()) {
      job.start_error = started.error();
      worklist_.Add(uid);
    }
  } else if (const auto* group = std::get_if<TellGroup>(&action)) {
    compute_->Send(group->instance_id, {protocol::CommandKind::kGroup, group->addresses});
  } else if (const auto* stop = std::get_if<StopInstance>(&action)) {
    compute_->Send(stop->instance_id, {protocol::CommandKind::kStop});
  } else if (const auto* kill = std::get_if<KillInstance>(&action)) {
    compute_->Kill(kill->instance_id);
  } else if (const auto* publish = std::get_if<PublishJob>(&action)) {
    job.publishing = true;
    publisher_->Publish({uid, job.view.state.attempt, publish->files}, [this, uid](Status status) {
      const auto it = jobs_.find(uid);
      if (it == jobs_.end()) return;
      it->second.publishing = false;
      it->second.published = std::move(status);
      worklist_.Add(uid);
    });
  } else if (const auto* checkpoint = std::get_if<PublishCheckpoint>(&action)) {
    job.publishing = true;
    const std::pair<uint32_t, uint64_t> done{job.view.state.attempt, checkpoint->number};
    publisher_->Publish({uid, done.first, {checkpoint->file}}, [this, uid, done](const Status& status) {
      const auto it = jobs_.find(uid);
      if (it == jobs_.end()) return;
      if (!status.ok()) {
        Log(LogLevel::kWarning, "a checkpoint was not published",
            {{"job", it->second.view.name}, {"error", status.error().message()}});
      }
      it->second.publishing = false;
      it->second.checkpoint_done = done;
      worklist_.Add(uid);
    });
  } else if (const auto* wake = std::get_if<WakeAt>(&action)) {
    worklist_.AddAt(uid, wake->at);
  }
}

void JobsExecutor::Save(Job& job, const SaveJob& save) {
  const Time now = clock_->Now();
  catalog::Transaction transaction;
  transaction.updates.push_back({.uid = job.view.uid,
                                 .version = job.view.version,
                                 .status = save.state.status,
                                 .state = save.state.ToJson(),
                                 .modified = now});
  for (const cost::LedgerEntry& entry : save.open) transaction.inserts.push_back({cost::ToResource(entry)});
  for (const auto& [id, close] : save.close) {
    const auto entry = job.ledger.find(id);
    if (entry == job.ledger.end()) continue;
    transaction.updates.push_back(cost::CloseEntry(entry->second, close.started, close.ended, now));
  }
  job.saving = true;
  const std::string uid = job.view.uid;
  const std::string instance_before = job.view.state.instance_id;
  catalog_->Commit(std::move(transaction), [this, uid, save, instance_before](Result<catalog::Change> result) {
    scheduler_->Post([this, uid, save, instance_before, result = std::move(result)]() mutable {
      OnSaved(uid, save, instance_before, std::move(result));
    });
  });
}

void JobsExecutor::OnSaved(const std::string& uid, const SaveJob& save, const std::string& instance_before,
                           Result<catalog::Change> result) {
  const auto it = jobs_.find(uid);
  if (it == jobs_.end()) return;
  Job& job = it->second;
  job.saving = false;
  if (!result.ok()) {
    job.granted.reset();
    granted_.erase(uid);
    if (result.error().code() == ErrorCode::kConflict) {
      worklist_.Add(uid);  // the feed has brought, or will bring, the newer version
    } else {
      Log(LogLevel::kError, "training job cannot be saved",
          {{"job", job.view.name}, {"error", result.error().message()}});
      worklist_.AddAt(uid, clock_->Now() + kSaveRetry);
    }
    return;
  }
  job.start_error.reset();
  job.published.reset();
  for (const catalog::Resource& written : result->written) {
    if (written.uid == uid) OnResource(written);
  }
  if (!save.close.empty()) job.ledger.clear();
  for (const cost::LedgerEntry& entry : save.open) job.ledger[entry.instance_id] = entry;
  const bool attempt_over = !save.close.empty() && save.state.phase != catalog::AttemptPhase::kPublishing;
  if (save.state.terminal() || attempt_over) {
    for (uint32_t host = 0; !instance_before.empty() && host < job.view.spec.instance_count; ++host) {
      compute_->Forget(HostInstanceId(instance_before, host));
    }
  }
  if (save.state.terminal()) {
    Log(LogLevel::kInfo, "training job ended",
        {{"job", job.view.name}, {"status", save.state.status}, {"reason", save.state.failure_reason}});
    waiting_.erase({job.view.created, uid});
    worklist_.Remove(uid);
    jobs_.erase(it);
    OnCapacity();
    return;
  }
  if (!save.close.empty()) OnCapacity();
  worklist_.Add(uid);
}

}  // namespace argosy::control
