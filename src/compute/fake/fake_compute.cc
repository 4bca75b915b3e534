#include "compute/fake/fake_compute.h"

namespace argosy::compute {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(300);
constexpr auto kBelievedGoneAfter = std::chrono::milliseconds(1500);  // only with the fence broken on purpose

}  // namespace

FakeCompute::FakeCompute(FakeCloud* cloud, Scheduler* scheduler, const Clock* clock, Random* random, Capacity capacity)
    : cloud_(cloud), scheduler_(scheduler), clock_(clock), random_(random), capacity_(capacity) {
  cloud_->on_change = [this](const std::string& id) {
    if (known_.contains(id)) Ask(id);
  };
}

FakeCompute::~FakeCompute() {
  *alive_ = false;
  cloud_->on_change = nullptr;
}

void FakeCompute::Adopt(const std::vector<std::string>& open, const std::set<std::string>& wanted) {
  for (const std::string& id : open) {
    Known& known = known_[id];
    known.view.instance_id = id;
    known.heard = clock_->Now();
    Poll(id);
  }
  cloud_->RemoveFiles([this, &wanted](const std::string& id) { return !known_.contains(id) && !wanted.contains(id); });
}

Status FakeCompute::Start(const InstanceRequest& request) {
  const std::string& id = request.assignment.instance_id;
  if (known_.contains(id)) return {};
  if (random_->Uniform() < cloud_->faults().start_refused) {
    return Error(ErrorCode::kResourceExhausted, "no machine is free just now");
  }
  Known& known = known_[id];
  known.view.instance_id = id;
  known.view.owner_uid = request.assignment.owner_uid;
  known.view.attempt = request.assignment.attempt;
  known.view.memory_bytes = request.assignment.memory_bytes;
  known.to_start = request.assignment;
  known.heard = clock_->Now();
  Poll(id);
  return {};
}

void FakeCompute::Send(const std::string& instance_id, const protocol::Command& command) {
  const auto it = known_.find(instance_id);
  if (it == known_.end()) return;
  (command.kind == protocol::CommandKind::kStop ? it->second.stopping : it->second.group_known) = true;
}

void FakeCompute::Kill(const std::string& instance_id) {
  const auto it = known_.find(instance_id);
  if (it != known_.end()) it->second.killing = true;
}

void FakeCompute::Forget(const std::string& instance_id) {
  const auto it = known_.find(instance_id);
  if (it == known_.end()) return;
  Check(it->second.view.life == InstanceLife::kGone, "an instance is forgotten that is not proven gone");
  known_.erase(it);
  cloud_->RemoveFiles([&instance_id](const std::string& id) { return id == instance_id; });
}

std::optional<InstanceView> FakeCompute::View(const std::string& instance_id) const {
  const auto it = known_.find(instance_id);
  if (it == known_.end()) return std::nullopt;
  return it->second.view;
}

Capacity FakeCompute::GetCapacity() const {
  Capacity capacity = capacity_;
  for (const auto& [id, known] : known_) {
    if (known.view.life != InstanceLife::kGone && capacity.hosts_free > 0) --capacity.hosts_free;
  }
  return capacity;
}

void FakeCompute::Poll(const std::string& id) {
  const auto it = known_.find(id);
  if (it == known_.end() || it->second.view.life == InstanceLife::kGone) return;
  Known& known = it->second;
  const bool silent = clock_->Now() - known.heard > kBelievedGoneAfter;
  if (cloud_->faults().fence == FenceFault::kGoneUnproven && silent) {
    known.view.life = InstanceLife::kGone;
    if (known.view.started) known.view.ended = known.heard;
    known.view.gone_reason = "not heard of";
    listener_(id);
    return;
  }
  if (known.killing) {
    cloud_->Carry([cloud = cloud_, id] { cloud->Fence(id); });
  } else if (known.to_start && known.view.life == InstanceLife::kStarting) {
    cloud_->Carry([cloud = cloud_, a = *known.to_start] { cloud->Start(a); });
  } else if (!known.to_start && known.view.life == InstanceLife::kStarting) {
    // Adopted and not seen yet: when it does not live now, it must not begin to.
    cloud_->Carry([cloud = cloud_, id] {
      const Machine* machine = cloud->Find(id);
      if (machine == nullptr || !machine->alive) cloud->Fence(id);
    });
  }
  if (known.group_known) {
    cloud_->Carry([cloud = cloud_, id] { cloud->MeetGroup(id); });
  }
  if (known.stopping) {
    cloud_->Carry([cloud = cloud_, id] { cloud->Stop(id); });
  }
  Ask(id);
  scheduler_->After(kPollInterval, [this, id] { Poll(id); });
}

void FakeCompute::Ask(const std::string& id) {
  cloud_->Carry([this, cloud = cloud_, alive = alive_, id] {
    // The machine answers with what it knows now; the answer travels back.
    const Machine* found = cloud->Find(id);
    std::optional<Machine> machine = found != nullptr ? std::optional<Machine>(*found) : std::nullopt;
    cloud->Carry([this, alive, id, machine = std::move(machine)] {
      if (*alive) OnAnswer(id, machine);
    });
  });
}

void FakeCompute::OnAnswer(const std::string& id, std::optional<Machine> machine) {
  const auto it = known_.find(id);
  if (it == known_.end() || it->second.view.life == InstanceLife::kGone || !machine) return;
  Known& known = it->second;
  InstanceView& view = known.view;
  known.heard = clock_->Now();
  const bool older = view.report && machine->report.sequence < view.report->sequence;
  if (older) return;
  if (machine->started) {
    view.started = machine->started;
    view.report = machine->report;
    view.owner_uid = machine->report.owner_uid;
    view.attempt = machine->report.attempt;
    view.address = id;
  }
  if (machine->alive) {
    view.life = InstanceLife::kRunning;
  } else if (machine->started || machine->fenced) {
    view.life = InstanceLife::kGone;
    if (machine->started) view.ended = machine->BilledTo();
    view.gone_reason = machine->started ? "the machine was lost" : "it was never started";
    // A start that is still on its way must find the door shut. (Dead machines refuse to start again by themselves.)
  } else {
    return;
  }
  listener_(id);
}

}  // namespace argosy::compute
