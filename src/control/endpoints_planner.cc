#include "control/endpoints_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/capacity_change.h"
#include "control/rolling_update.h"
#include "control/session_reach.h"

namespace argosy::control {
namespace {

using catalog::EndpointInstance;
using catalog::EndpointState;
using catalog::Fleet;
using catalog::VariantPlan;
using compute::InstanceLife;
using protocol::OutcomeKind;

Duration RestartBackoff(uint32_t losses) {
  if (losses <= 1) return Duration::zero();
  return std::min<Duration>(kRestartBackoffMax, std::chrono::seconds(1LL << std::min(losses - 2, 10U)));
}

class EndpointPlanning {
 public:
  EndpointPlanning(const EndpointView& endpoint, const EndpointFacts& facts, const EndpointPolicy& policy, Time now)
      : endpoint_(endpoint),
        facts_(facts),
        policy_(policy),
        now_(now),
        state_(endpoint.state),
        capacity_(facts.capacity) {}

  std::vector<EndpointAction> Plan() {
    if (state_.delete_requested) {
      PlanDeletion();
    } else {
      TakeUpRequest();
      PlanNext();
      PlanCapacity();
      PlanCurrent();
      EndCapacityChange();
    }
    PlanRetired();
    // Effects follow from what is saved: a plan that changes the record has no other part but the shrinking of the
    // route, and the route of a fleet that is complete: who reads InService may ask at once.
    if (changed_) {
      actions_.clear();
      if (fleet_complete_) actions_.emplace_back(SetEndpointRoute{CurrentRoute()});
      if (route_must_go_) actions_.emplace_back(SetEndpointRoute{std::nullopt});
      actions_.emplace_back(SaveEndpoint{state_, open_, close_});
    } else if (!removed_) {
      // First, so that what retires has left the route before it is drained.
      actions_.insert(actions_.begin(), SetEndpointRoute{CurrentRoute()});
    }
    return std::move(actions_);
  }

 private:
  const EndpointInstanceFacts* FactsOf(const std::string& id) const {
    const auto it = facts_.instances.find(id);
    return it == facts_.instances.end() ? nullptr : &it->second;
  }

  const compute::InstanceView* ViewOf(const std::string& id) const {
    const EndpointInstanceFacts* facts = FactsOf(id);
    return facts != nullptr && facts->instance ? &*facts->instance : nullptr;
  }

  EndpointInstance NewInstance(const VariantPlan& plan) {
    Check(fresh_used_ < policy_.fresh_ids.size(), "more instances planned than ids were given");
    EndpointInstance instance{policy_.fresh_ids[fresh_used_++], plan.variant.variant_name, state_.next_attempt++};
    cost::LedgerEntry entry;
    entry.instance_id = instance.instance_id;
    entry.owner_uid = endpoint_.uid;
    entry.owner_kind = "endpoint";
    entry.owner_name = endpoint_.name;
    entry.variant = instance.variant_name;
    entry.principal = endpoint_.principal;
    entry.instance_type = plan.variant.instance_type;
    entry.attempt = instance.attempt;
    const auto type = cost::FindInstanceType(plan.variant.instance_type);
    entry.nano_dollars_per_hour = type ? type->nano_dollars_per_hour : 0;
    entry.allocated = now_;
    entry.reach = ReachOf(plan.model);
    open_.push_back(std::move(entry));
    changed_ = true;
    return instance;
  }

  // The instance has ended (or never began): its ledger entry is closed with this plan.
  void CloseLedger(const std::string& id) {
    const EndpointInstanceFacts* facts = FactsOf(id);
    if (facts == nullptr || !facts->ledger) return;
    LedgerClose close;
    if (facts->instance) close = {facts->instance->started, facts->instance->ended};
    close_[id] = close;
    changed_ = true;
  }

  void TakeUpRequest() {
    if (state_.requested_config.empty()) return;
    if (state_.next) Retire(&*state_.next);
    state_.deployment.reset();
    if (state_.current) state_.deployment = catalog::Deployment{.config = RequestedDeployment(), .began = now_};
    state_.next = Fleet{state_.requested_config, state_.requested_variants, {}, state_.requested_capture};
    state_.requested_capture.clear();
    state_.requested_config.clear();
    state_.requested_variants.clear();
    state_.starts_failed = 0;
    state_.failure_reason.clear();
    changed_ = true;
    if (Rolling()) {
      BeginRolling(*state_.current, *state_.deployment);
      return AddBatch();
    }
    for (const VariantPlan& plan : state_.next->variants) {
      for (uint32_t i = 0; i < plan.variant.initial_instance_count; ++i)
        state_.next->instances.push_back(NewInstance(plan));
    }
  }

  bool Rolling() const {
    return state_.deployment && state_.deployment->config.routing == catalog::TrafficRouting::kRolling;
  }

  void AddBatch() {
    for (const VariantPlan* plan : NextBatch(*state_.next, state_.deployment->config)) {
      state_.next->instances.push_back(NewInstance(*plan));
    }
    changed_ = true;
  }

  // It was looked at when it was sent.
  catalog::DeploymentConfig RequestedDeployment() const {
    if (state_.deployment_request.empty()) return {};
    const Result<Json> json = ParseJson(state_.deployment_request);
    Result<catalog::DeploymentConfig> config = json.ok() ? catalog::DeploymentConfig::FromRequest(*json) : json.error();
    return config.ok() ? std::move(*config) : catalog::DeploymentConfig();
  }

  void Retire(Fleet* fleet) {
    for (EndpointInstance& instance : fleet->instances) state_.retired.push_back(std::move(instance));
    fleet->instances.clear();
    changed_ = true;
  }

  const VariantPlan* PlanOf(const Fleet& fleet, const std::string& variant) const {
    const auto it = std::find_if(fleet.variants.begin(), fleet.variants.end(),
                                 [&](const VariantPlan& plan) { return plan.variant.variant_name == variant; });
    return it == fleet.variants.end() ? nullptr : &*it;
  }

  protocol::Assignment MakeAssignment(const EndpointInstance& instance, const VariantPlan& plan,
                                      const Allocation& allocation) const {
    protocol::Assignment a;
    a.role = protocol::Role::kServing;
    a.instance_id = instance.instance_id;
    a.owner_uid = endpoint_.uid;
    a.attempt = instance.attempt;
    a.name = endpoint_.name;
    a.arn = ResourceArn(policy_.common, "endpoint", endpoint_.name);
    a.variant = instance.variant_name;
    a.instance_type = plan.variant.instance_type;
    a.memory_bytes = allocation.memory_bytes;
    a.cpus = allocation.cpus;
    a.note = allocation.note;
    a.region = policy_.common.region;
    a.objects_dir = policy_.common.objects_dir;
    a.log_group = "/aws/sagemaker/Endpoints/" + endpoint_.name;
    a.log_stream = instance.variant_name + "/" + instance.instance_id;
    a.model = plan.model;
    return a;
  }

  // Brings one instance of `fleet` nearer to answering. Gives a sentence when the fleet cannot be had at all.
  std::optional<std::string> Advance(const Fleet& fleet, EndpointInstance& instance) {
    const VariantPlan* plan = PlanOf(fleet, instance.variant_name);
    const EndpointInstanceFacts* facts = FactsOf(instance.instance_id);
    if (plan == nullptr) return "the variant '" + instance.variant_name + "' is not in its configuration";
    if (facts != nullptr && facts->answered_at && !instance.ready_at) {
      instance.ready_at = facts->answered_at;
      changed_ = true;
      return std::nullopt;
    }
    const compute::InstanceView* view = ViewOf(instance.instance_id);
    if (view == nullptr) return Start(*plan, instance, facts);
    if (instance.ready_at) return std::nullopt;
    const bool loaded = view->report && view->report->phase == protocol::AgentPhase::kReady;
    if (loaded && (facts == nullptr || !facts->pinging)) {
      actions_.emplace_back(PingInstance{{instance.instance_id, view->address}});
    }
    const Time limit = (facts != nullptr && facts->ledger ? facts->ledger->allocated : now_) + kReadyTimeout;
    if (view->started) {
      if (now_ >= *view->started + kReadyTimeout) {
        actions_.emplace_back(KillInstance{instance.instance_id});
      } else {
        actions_.emplace_back(WakeAt{*view->started + kReadyTimeout});
      }
    } else if (now_ < limit) {
      actions_.emplace_back(WakeAt{limit});
    } else {
      actions_.emplace_back(KillInstance{instance.instance_id});
    }
    return std::nullopt;
  }

  std::optional<std::string> Start(const VariantPlan& plan, const EndpointInstance& instance,
                                   const EndpointInstanceFacts* facts) {
    if (facts != nullptr && facts->start_error) return "CapacityError: " + facts->start_error->message();
    if (instance.not_before && now_ < *instance.not_before) {
      actions_.emplace_back(WakeAt{*instance.not_before});
      return std::nullopt;
    }
    const auto type = cost::FindInstanceType(plan.variant.instance_type);
    if (!type) return "CapacityError: there is no instance type '" + plan.variant.instance_type + "'";
    const Allocation allocation = Allocate(capacity_, *type, facts_.type_policy);
    switch (allocation.verdict) {
      case Allocation::Verdict::kRefused:
        return "CapacityError: " + allocation.note;
      case Allocation::Verdict::kWait:
        if (facts != nullptr && facts->ledger && now_ >= facts->ledger->allocated + kCapacityWaitMax) {
          return "CapacityError: " + allocation.note;
        }
        waits_for_ = allocation.note;
        actions_.emplace_back(WakeAt{now_ + kStartRetry});
        break;
      case Allocation::Verdict::kGranted:
        capacity_ = Without(capacity_, allocation);
        actions_.emplace_back(StartServing{MakeAssignment(instance, plan, allocation)});
        break;
    }
    return std::nullopt;
  }

  // Why an instance that ended before it answered makes no sense to start again: the model's own fault.
  static std::optional<std::string> ModelsFault(const compute::InstanceView& view) {
    if (!view.report || !view.report->outcome) return std::nullopt;
    if (view.report->outcome->kind != OutcomeKind::kFailed) return std::nullopt;
    return view.report->outcome->failure_reason;
  }

  static std::string NoPing(const EndpointInstance& instance, const compute::InstanceView& view) {
    return "The production variant " + instance.variant_name +
           " did not pass the ping health check: " + view.gone_reason;
  }

  // A sentence when the machine could not hold the fleet, beside the one that serves until it does, even if it held
  // nothing else.
  std::optional<std::string> NeverFits(const Fleet& next) const {
    const size_t present = state_.current ? state_.current->instances.size() : 0;
    const size_t wanted = next.instances.size() + present;
    const std::string fleet =
        fmt::format("{} instance{} are needed{}", next.instances.size(), next.instances.size() == 1 ? "" : "s",
                    present > 0 ? fmt::format(" beside the {} that serve until they answer", present) : "");
    return MoreThanMachine(wanted, fleet, facts_.capacity);
  }

  void PlanNext() {
    if (!state_.next) return;
    Fleet& next = *state_.next;
    if (state_.deployment && state_.deployment->rolling_back) return PlanRollback();
    if (const std::optional<std::string> impossible = NeverFits(next)) return FailNext(*impossible);
    if (const std::optional<std::string> reason = RollbackReason()) return FailNext(*reason);
    for (EndpointInstance& instance : next.instances) {
      const compute::InstanceView* view = ViewOf(instance.instance_id);
      if (view != nullptr && view->life == InstanceLife::kGone) {
        const std::optional<std::string> fault = ModelsFault(*view);
        // One that never began (the server ended between the commit and the start) says nothing of the model.
        if (view->started) ++state_.starts_failed;
        changed_ = true;
        if (fault || state_.starts_failed >= kFleetStartsMax * next.instances.size()) {
          return FailNext(fault ? *fault : NoPing(instance, *view));
        }
        CloseLedger(instance.instance_id);
        instance = NewInstance(*PlanOf(next, instance.variant_name));
        continue;
      }
      if (const std::optional<std::string> impossible = Advance(next, instance)) return FailNext(*impossible);
    }
    const bool all_ready = std::all_of(next.instances.begin(), next.instances.end(),
                                       [](const EndpointInstance& instance) { return instance.ready_at.has_value(); });
    if (!all_ready) {
      // Said once: what is free meanwhile changes all the time.
      if (state_.failure_reason.empty() != waits_for_.empty()) {
        state_.failure_reason = waits_for_.empty() ? "" : waits_for_ + "; other jobs and endpoints hold them";
        changed_ = true;
      }
      return;
    }
    if (state_.current) {
      if (!AdvanceTraffic()) return;
      Retire(&*state_.current);
    } else {
      fleet_complete_ = true;
    }
    state_.deployment.reset();
    state_.current = std::move(state_.next);
    state_.next.reset();
    state_.status = "InService";
    state_.failure_reason.clear();
    changed_ = true;
  }

  // Why all traffic must go back to the old fleet.
  std::optional<std::string> RollbackReason() {
    if (!state_.deployment || !state_.current) return std::nullopt;
    const catalog::DeploymentConfig& config = state_.deployment->config;
    for (const std::string& alarm : config.alarms) {
      if (facts_.alarms.contains(alarm)) {
        return fmt::format("The update was rolled back: the alarm '{}' is in state ALARM.", alarm);
      }
    }
    if (config.timeout_seconds == 0) return std::nullopt;
    const Time limit = state_.deployment->began + std::chrono::seconds(config.timeout_seconds);
    if (now_ >= limit) {
      return fmt::format("The update was rolled back: it took longer than the {} seconds it may.",
                         config.timeout_seconds);
    }
    actions_.emplace_back(WakeAt{limit});
    return std::nullopt;
  }

  // Moves traffic by one step to the new fleet, all of which answers, when that is due. True once all of it has moved
  // and the times after that are over.
  bool AdvanceTraffic() {
    if (!state_.deployment) return true;
    if (Rolling()) return AdvanceRolling();
    catalog::Deployment& deployment = *state_.deployment;
    const catalog::DeploymentConfig& config = deployment.config;
    const Duration after_last = std::chrono::seconds(config.wait_seconds + config.termination_wait_seconds);
    if (deployment.stepped_at) {
      const Duration pause = deployment.share == 100 ? after_last : std::chrono::seconds(config.wait_seconds);
      if (now_ < *deployment.stepped_at + pause) {
        actions_.emplace_back(WakeAt{*deployment.stepped_at + pause});
        return false;
      }
      if (deployment.share == 100) return true;
    }
    const uint32_t step = config.step.Percent(static_cast<uint32_t>(state_.next->instances.size()));
    switch (config.routing) {
      case catalog::TrafficRouting::kCanary:
        deployment.share = deployment.share == 0 ? step : 100;
        break;
      case catalog::TrafficRouting::kLinear:
        deployment.share = std::min(100U, deployment.share + step);
        break;
      default:
        deployment.share = 100;
    }
    deployment.stepped_at = now_;
    changed_ = true;
    return deployment.share == 100 && after_last == Duration::zero();
  }

  // The batch answers: as many old instances go; after the wait the next batch comes. True once the last has waited.
  bool AdvanceRolling() {
    catalog::Deployment& deployment = *state_.deployment;
    const Duration wait = std::chrono::seconds(deployment.config.wait_seconds);
    const uint32_t progress = RollingProgress(*state_.next);
    if (deployment.share != progress) {
      deployment.share = progress;
      deployment.stepped_at = now_;
      SetOldCounts(deployment, progress, *state_.current);
      changed_ = true;
    } else if (now_ >= *deployment.stepped_at + wait) {
      if (progress < 100) AddBatch();
      return progress == 100;
    }
    actions_.emplace_back(WakeAt{*deployment.stepped_at + wait});
    return progress == 100 && wait == Duration::zero();
  }

  // Old instances come back; once they are all there, the new ones go.
  void PlanRollback() {
    const Fleet& current = *state_.current;
    const bool whole = std::all_of(current.variants.begin(), current.variants.end(),
                                   [&](const VariantPlan& plan) { return MissingOf(current, plan) == 0; }) &&
                       std::all_of(current.instances.begin(), current.instances.end(),
                                   [](const EndpointInstance& instance) { return instance.ready_at.has_value(); });
    if (whole) EndNext(state_.failure_reason);
  }

  void FailNext(const std::string& reason) {
    if (Rolling() && state_.deployment->share > 0) {
      state_.deployment->rolling_back = true;
      SetOldCounts(*state_.deployment, 0, *state_.current);
      state_.status = "RollingBack";
      state_.failure_reason = reason.substr(0, kFailureReasonMax);
      changed_ = true;
      return;
    }
    EndNext(reason);
  }

  void EndNext(const std::string& reason) {
    Retire(&*state_.next);
    state_.deployment.reset();
    state_.next.reset();
    state_.failure_reason = reason.substr(0, kFailureReasonMax);
    state_.status = state_.current ? "InService" : "Failed";
    changed_ = true;
  }

  // Told to end by somebody (`argosy down --all`, the machine shutting down): nobody's failure.
  static bool EndedInOrder(const compute::InstanceView& view) {
    return view.report && view.report->outcome && view.report->outcome->kind == OutcomeKind::kStopped;
  }

  // Instances lost in a row in the place of this one, which is gone. One that served for long was not lost by itself.
  static uint32_t LossesWith(const EndpointInstance& instance, const compute::InstanceView& view) {
    if (EndedInOrder(view)) return instance.losses;
    const bool lived = instance.ready_at && view.ended && *view.ended - *instance.ready_at > kRestartBackoffMax;
    return lived ? 1 : instance.losses + 1;
  }

  // As many instances of each variant as are desired: new ones are begun, the newest go first.
  void PlanCapacity() {
    if (!state_.current || (state_.next && !Rolling())) return;
    Fleet& fleet = *state_.current;
    if (const std::optional<std::string> cut = CutToMachine(fleet, facts_.capacity)) {
      state_.failure_reason = *cut;
      changed_ = true;
    }
    const auto serves = [this](const EndpointInstance& instance) {
      const compute::InstanceView* view = ViewOf(instance.instance_id);
      return instance.ready_at && view != nullptr && view->life == InstanceLife::kRunning;
    };
    for (EndpointInstance& instance : TakeSurplus(fleet, serves)) {
      state_.retired.push_back(std::move(instance));
      changed_ = true;
    }
    for (const VariantPlan& plan : fleet.variants) {
      for (uint32_t missing = MissingOf(fleet, plan); missing > 0; --missing) {
        fleet.instances.push_back(NewInstance(plan));
      }
    }
  }

  void EndCapacityChange() {
    if (!state_.capacity_changing() || state_.next) return;
    Fleet& fleet = *state_.current;
    const bool complete = std::all_of(fleet.instances.begin(), fleet.instances.end(),
                                      [](const EndpointInstance& instance) { return instance.ready_at.has_value(); });
    if (!complete && !capacity_lacks_) return;
    if (!complete) {
      GiveUpChange(fleet);
      state_.failure_reason = capacity_lacks_->substr(0, kFailureReasonMax);
    }
    for (VariantPlan& plan : fleet.variants) plan.before.reset();
    state_.status = "InService";
    fleet_complete_ = true;
    changed_ = true;
  }

  void PlanCurrent() {
    if (!state_.current) return;
    for (EndpointInstance& instance : state_.current->instances) {
      const compute::InstanceView* view = ViewOf(instance.instance_id);
      if (view != nullptr && view->life == InstanceLife::kGone) {
        CloseLedger(instance.instance_id);
        const uint32_t losses = LossesWith(instance, *view);
        const std::optional<std::string> fault = ModelsFault(*view);
        if (!instance.ready_at && view->started && (fault || losses >= kFleetStartsMax)) {
          capacity_lacks_ = fault ? *fault : NoPing(instance, *view);
        }
        const Duration backoff = EndedInOrder(*view) ? Duration::zero() : RestartBackoff(losses);
        instance = NewInstance(*PlanOf(*state_.current, instance.variant_name));
        instance.losses = losses;
        if (backoff > Duration::zero()) instance.not_before = now_ + backoff;
        changed_ = true;
        continue;
      }
      // The configuration was served before, so what keeps an instance from starting now is waited out; only a change
      // of capacity ends by it.
      if (std::optional<std::string> lacks = Advance(*state_.current, instance)) capacity_lacks_ = std::move(lacks);
    }
  }

  void PlanRetired() {
    std::vector<EndpointInstance> left;
    for (EndpointInstance& instance : state_.retired) {
      const EndpointInstanceFacts* facts = FactsOf(instance.instance_id);
      const compute::InstanceView* view = ViewOf(instance.instance_id);
      if (view == nullptr || view->life == InstanceLife::kGone) {
        CloseLedger(instance.instance_id);
        changed_ = true;
        continue;
      }
      if (instance.ready_at && (facts == nullptr || !facts->drained)) {
        actions_.emplace_back(DrainInstance{instance.instance_id});
      } else {
        actions_.emplace_back(KillInstance{instance.instance_id});
      }
      left.push_back(std::move(instance));
    }
    state_.retired = std::move(left);
  }

  void PlanDeletion() {
    route_must_go_ = true;
    if (state_.next) {
      Retire(&*state_.next);
      state_.next.reset();
    }
    if (state_.current) {
      Retire(&*state_.current);
      state_.current.reset();
    }
    if (state_.status != "Deleting") {
      state_.status = "Deleting";
      changed_ = true;
    }
    if (!changed_ && state_.retired.empty()) {
      removed_ = true;
      actions_.emplace_back(SetEndpointRoute{std::nullopt});
      actions_.emplace_back(RemoveEndpoint{});
    }
  }

  std::optional<serving::Route> CurrentRoute() const {
    if (!state_.current) return std::nullopt;
    serving::Route route{endpoint_.uid, {}};
    const uint32_t share = state_.next && state_.deployment ? state_.deployment->share : 0;
    if (share < 100) AddVariants(*state_.current, 100 - share, route);
    if (share > 0) AddVariants(*state_.next, share, route);
    return route;
  }

  static std::shared_ptr<const serving::CapturePlan> CaptureOf(const Fleet& fleet) {
    if (fleet.capture_request.empty()) return nullptr;
    const Result<Json> json = ParseJson(fleet.capture_request);
    Result<catalog::DataCapture> capture = json.ok() ? catalog::DataCapture::FromRequest(*json) : json.error();
    if (!capture.ok() || !capture->on()) return nullptr;
    return std::make_shared<serving::CapturePlan>(
        serving::CapturePlan{capture->percent, capture->input, capture->output, std::move(capture->destination),
                             std::move(capture->csv_types), std::move(capture->json_types)});
  }

  // The fleet's variants, which together get `percent` of the traffic.
  void AddVariants(const Fleet& fleet, uint32_t percent, serving::Route& route) const {
    double total = 0;
    for (const VariantPlan& plan : fleet.variants) total += plan.weight_in_force();
    const std::shared_ptr<const serving::CapturePlan> capture = CaptureOf(fleet);
    const double scale = percent == 100 || total <= 0 ? 1 : percent / total;
    for (const VariantPlan& plan : fleet.variants) {
      serving::RouteVariant variant{plan.variant.variant_name, plan.weight_in_force() * scale, {}, capture};
      for (const EndpointInstance& instance : fleet.instances) {
        const compute::InstanceView* view = ViewOf(instance.instance_id);
        if (instance.variant_name != variant.name || !instance.ready_at) continue;
        if (view == nullptr || view->life != InstanceLife::kRunning) continue;
        variant.instances.push_back({instance.instance_id, view->address});
      }
      route.variants.push_back(std::move(variant));
    }
  }

  const EndpointView& endpoint_;
  const EndpointFacts& facts_;
  const EndpointPolicy& policy_;
  const Time now_;
  EndpointState state_;
  compute::Capacity capacity_;
  std::vector<EndpointAction> actions_;
  std::vector<cost::LedgerEntry> open_;
  std::map<std::string, LedgerClose> close_;
  size_t fresh_used_ = 0;
  bool changed_ = false;
  bool removed_ = false;
  bool route_must_go_ = false;
  bool fleet_complete_ = false;
  std::string waits_for_;                      // why an instance was not started now
  std::optional<std::string> capacity_lacks_;  // why an instance of the fleet that serves cannot be had
};

size_t CountOf(const std::optional<Fleet>& fleet) {
  return fleet ? fleet->instances.size() : 0;
}

}  // namespace

size_t FreshIdsNeeded(const EndpointState& state) {
  size_t needed = CountOf(state.current) + CountOf(state.next);
  if (state.current) {
    for (const VariantPlan& plan : state.current->variants) needed += MissingOf(*state.current, plan);
  }
  if (state.next) {
    for (const VariantPlan& plan : state.next->variants) needed += MissingOf(*state.next, plan);
  }
  if (state.deployment) {
    for (const auto& [variant, count] : state.deployment->old_counts) needed += count;
  }
  for (const VariantPlan& plan : state.requested_variants) needed += plan.variant.initial_instance_count;
  return needed;
}

std::vector<EndpointAction> PlanEndpoint(const EndpointView& endpoint, const EndpointFacts& facts,
                                         const EndpointPolicy& policy, Time now) {
  return EndpointPlanning(endpoint, facts, policy, now).Plan();
}

}  // namespace argosy::control
