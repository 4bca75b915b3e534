#include "compute/fake/fake_cloud.h"

#include <utility>

namespace argosy::compute {

using protocol::AgentPhase;
using protocol::OutcomeKind;

void FakeCloud::Carry(Task message) {
  if (random_->Uniform() < faults_.message_lost) return;
  const auto delay = [this] {
    return Duration(static_cast<int64_t>(random_->Below(static_cast<uint64_t>(faults_.message_delay_max.count()) + 1)));
  };
  if (random_->Uniform() < faults_.message_doubled) queue_->At(queue_->Now() + delay(), message);
  queue_->At(queue_->Now() + delay(), std::move(message));
}

Duration FakeCloud::Between(int64_t millis_min, int64_t millis_max) {
  const auto span = static_cast<uint64_t>(millis_max - millis_min) + 1;
  return std::chrono::milliseconds(millis_min + static_cast<int64_t>(random_->Below(span)));
}

void FakeCloud::Later(const std::string& id, uint64_t life, Duration delay, Task task) {
  queue_->At(queue_->Now() + delay, [this, id, life, task = std::move(task)] {
    const auto it = machines_.find(id);
    if (it != machines_.end() && it->second.alive && lives_[id] == life) task();
  });
}

void FakeCloud::Start(const protocol::Assignment& assignment) {
  const std::string& id = assignment.instance_id;
  const auto known = machines_.find(id);
  const bool obeys_all = faults_.fence == FenceFault::kStartsThoughFenced;
  if (known != machines_.end() && (!obeys_all || known->second.alive)) return;
  Machine& m = machines_[id];
  m = Machine{};
  m.assignment = assignment;
  m.alive = true;
  m.started = queue_->Now();
  m.last_heartbeat = queue_->Now();
  m.report.instance_id = id;
  m.report.owner_uid = assignment.owner_uid;
  m.report.attempt = assignment.attempt;
  const uint64_t life = ++lives_[id];
  if (on_start) on_start(m);
  Reach(id, AgentPhase::kStarting);
  Beat(id, life);
  Duration at = Between(1, 50);
  const auto reach = [&](AgentPhase phase) { Later(id, life, at, [this, id, phase] { Reach(id, phase); }); };
  reach(AgentPhase::kDownloading);
  if (assignment.role == protocol::Role::kServing) {
    at += Between(5, 400);
    const bool loads = random_->Uniform() >= faults_.user_failure;
    Later(id, life, at, [this, id, loads] {
      if (loads) {
        Reach(id, AgentPhase::kReady);
      } else {
        Finish(id, OutcomeKind::kFailed);
      }
    });
    return;
  }
  at += Between(1, 300);
  if (assignment.hosts == 1) return Train(id, at);
  Later(id, life, at, [this, id] {
    Machine& waiting = machines_.at(id);
    waiting.report.group_address = "at " + id;
    ++waiting.report.sequence;
    Tell(id);
  });
}

void FakeCloud::Train(const std::string& id, Duration at) {
  const uint64_t life = lives_[id];
  const auto reach = [&](AgentPhase phase) { Later(id, life, at, [this, id, phase] { Reach(id, phase); }); };
  reach(AgentPhase::kTraining);
  Machine& machine = machines_.at(id);
  if (saved_progress) machine.progress = saved_progress(machine.assignment);
  const Duration end = at + Between(10, 6000);
  for (Duration save = at + Between(1, 1500); machine.assignment.host == 0 && save < end; save += Between(1, 1500)) {
    Later(id, life, save, [this, id] { Checkpoint(id); });
  }
  at = end;
  reach(AgentPhase::kUploading);
  at += Between(1, 200);
  const OutcomeKind kind = random_->Uniform() < faults_.user_failure ? OutcomeKind::kFailed : OutcomeKind::kSucceeded;
  Later(id, life, at, [this, id, kind] { Finish(id, kind); });
}

void FakeCloud::MeetGroup(const std::string& instance_id) {
  const auto it = machines_.find(instance_id);
  if (it == machines_.end() || !it->second.alive || std::exchange(it->second.group_met, true)) return;
  Train(instance_id, Duration::zero());
}

void FakeCloud::Reach(const std::string& id, AgentPhase phase) {
  Machine& m = machines_.at(id);
  m.report.phase = phase;
  m.report.phase_times.push_back({phase, queue_->Now()});
  if (phase == AgentPhase::kTraining) m.report.metrics = {{"train:objective_loss", 0.5, queue_->Now()}};
  ++m.report.sequence;
  m.report.heartbeat = queue_->Now();
  m.last_heartbeat = queue_->Now();
  Tell(id);
}

void FakeCloud::Checkpoint(const std::string& id) {
  Machine& m = machines_.at(id);
  if (m.report.outcome) return;
  ++m.progress;
  const uint64_t number = m.report.checkpoint ? m.report.checkpoint->number + 1 : 1;
  m.report.checkpoint = {number, id + "/checkpoint-" + std::to_string(m.progress), "state"};
  ++m.report.sequence;
  Tell(id);
}

void FakeCloud::Finish(const std::string& id, OutcomeKind kind) {
  Machine& m = machines_.at(id);
  if (m.report.outcome) return;
  protocol::AgentOutcome outcome;
  outcome.kind = kind;
  outcome.finished = queue_->Now();
  if (kind == OutcomeKind::kLostGroup) {
    outcome.failure_reason = "another host was lost";
  } else if (kind == OutcomeKind::kFailed) {
    outcome.exit_code = 1;
    outcome.failure_reason = "AlgorithmError: it was to be so, exit code: 1";
  } else if (m.assignment.role == protocol::Role::kTraining && m.assignment.host == 0) {
    outcome.staged_artifact = id + "/staging/model.tar.gz";
  }
  m.report.outcome = outcome;
  m.report.phase = AgentPhase::kFinished;
  ++m.report.sequence;
  m.last_heartbeat = queue_->Now();
  Tell(id);
  Later(id, lives_[id], Between(0, 20), [this, id] { Die(id); });
}

void FakeCloud::Beat(const std::string& id, uint64_t life) {
  Machine& m = machines_.at(id);
  m.last_heartbeat = queue_->Now();
  m.report.heartbeat = queue_->Now();
  ++m.report.sequence;
  Tell(id);
  if (random_->Uniform() < faults_.deaths_per_second) {
    Later(id, life, Between(0, 999), [this, id] { Die(id); });
  }
  Later(id, life, std::chrono::seconds(1), [this, id, life] { Beat(id, life); });
}

void FakeCloud::Stop(const std::string& instance_id) {
  const auto it = machines_.find(instance_id);
  if (it == machines_.end() || !it->second.alive || it->second.stop_asked) return;
  it->second.stop_asked = true;
  Later(instance_id, lives_[instance_id], Between(1, 500),
        [this, instance_id] { Finish(instance_id, OutcomeKind::kStopped); });
}

void FakeCloud::RemoveFiles(const std::function<bool(const std::string&)>& remove) {
  for (auto& [id, machine] : machines_) {
    if (!machine.alive && remove(id)) machine.files_removed = true;
  }
}

void FakeCloud::Kill(const std::string& instance_id) {
  const auto it = machines_.find(instance_id);
  if (it != machines_.end() && it->second.alive) Die(instance_id);
}

void FakeCloud::Fence(const std::string& instance_id) {
  Kill(instance_id);
  machines_[instance_id].fenced = true;
}

void FakeCloud::Die(const std::string& id) {
  Machine& dead = machines_.at(id);
  dead.alive = false;
  Tell(id);
  const bool well = dead.report.outcome && dead.report.outcome->kind == OutcomeKind::kSucceeded;
  if (well || dead.assignment.hosts == 1) return;
  // Whoever trains with it notices.
  for (const auto& [other, machine] : machines_) {
    const protocol::Assignment& a = machine.assignment;
    const bool peer = a.owner_uid == dead.assignment.owner_uid && a.attempt == dead.assignment.attempt;
    if (!peer || !machine.alive || !machine.group_met) continue;
    Later(other, lives_[other], Between(0, 20), [this, id = other] { Finish(id, OutcomeKind::kLostGroup); });
  }
}

void FakeCloud::Tell(const std::string& id) {
  Carry([this, id] {
    if (on_change) on_change(id);
  });
}

const Machine* FakeCloud::Find(const std::string& instance_id) const {
  const auto it = machines_.find(instance_id);
  return it == machines_.end() ? nullptr : &it->second;
}

}  // namespace argosy::compute
