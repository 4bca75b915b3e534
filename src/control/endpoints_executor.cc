#include "control/endpoints_executor.h"

#include <algorithm>

#include "base/log.h"

namespace argosy::control {
namespace {

constexpr auto kPingRetry = std::chrono::milliseconds(50);  // loaded but not answering yet

bool SameRoute(const std::optional<serving::Route>& a, const std::optional<serving::Route>& b) {
  if (a.has_value() != b.has_value()) return false;
  if (!a) return true;
  const auto same_instance = [](const serving::RouteInstance& x, const serving::RouteInstance& y) {
    return x.instance_id == y.instance_id && x.address == y.address;
  };
  const auto same_variant = [&](const serving::RouteVariant& x, const serving::RouteVariant& y) {
    const bool same_capture =
        (x.capture == nullptr) == (y.capture == nullptr) && (x.capture == nullptr || *x.capture == *y.capture);
    return x.name == y.name && x.weight == y.weight && same_capture &&
           std::equal(x.instances.begin(), x.instances.end(), y.instances.begin(), y.instances.end(), same_instance);
  };
  return a->endpoint_uid == b->endpoint_uid &&
         std::equal(a->variants.begin(), a->variants.end(), b->variants.begin(), b->variants.end(), same_variant);
}

}  // namespace

EndpointsExecutor::EndpointsExecutor(catalog::Catalog* catalog, compute::Compute* compute, serving::Front* front,
                                     Scheduler* scheduler, const Clock* clock, Random* random, ControlOptions options)
    : catalog_(catalog),
      compute_(compute),
      front_(front),
      scheduler_(scheduler),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      worklist_(scheduler, clock, [this](const std::string& uid) { Plan(uid); }) {}

void EndpointsExecutor::OnResource(const catalog::Resource& resource) {
  const auto known = endpoints_.find(resource.uid);
  if (known != endpoints_.end() && resource.version <= known->second.view.version) return;
  Result<catalog::EndpointState> state = catalog::EndpointState::FromJson(resource.state);
  if (!state.ok()) {
    Log(LogLevel::kError, "endpoint cannot be read", {{"endpoint", resource.name}, {"error", state.error().message()}});
    return;
  }
  Endpoint& endpoint = endpoints_[resource.uid];
  endpoint.view = {.uid = resource.uid,
                   .name = resource.name,
                   .principal = resource.principal,
                   .version = resource.version,
                   .created = resource.created,
                   .state = std::move(*state)};
  worklist_.Add(resource.uid);
}

void EndpointsExecutor::OnRemoved(const catalog::Resource& resource) {
  const auto it = endpoints_.find(resource.uid);
  if (it == endpoints_.end()) return;
  SetRoute(it->second, std::nullopt);
  worklist_.Remove(resource.uid);
  endpoints_.erase(it);
}

void EndpointsExecutor::OnLedger(const cost::LedgerEntry& entry) {
  const auto it = endpoints_.find(entry.owner_uid);
  if (it != endpoints_.end()) it->second.instances[entry.instance_id].ledger = entry;
}

void EndpointsExecutor::OnInstance(const std::string& endpoint_uid) {
  if (endpoints_.contains(endpoint_uid)) worklist_.Add(endpoint_uid);
}

void EndpointsExecutor::OnStuck(const std::string& instance_id) {
  const std::optional<compute::InstanceView> view = compute_->View(instance_id);
  if (!view || view->life != compute::InstanceLife::kRunning || !endpoints_.contains(view->owner_uid)) return;
  Log(LogLevel::kWarning, "an instance answers nothing any more and is replaced", {{"instance", instance_id}});
  compute_->Kill(instance_id);
}

void EndpointsExecutor::OnAlarms(std::set<std::string, std::less<>> in_alarm) {
  alarms_ = std::move(in_alarm);
  for (const auto& [uid, endpoint] : endpoints_) {
    if (endpoint.view.state.deployment) worklist_.Add(uid);
  }
}

bool EndpointsExecutor::AllAnswer() const {
  for (const auto& [uid, endpoint] : endpoints_) {
    if (!endpoint.view.state.current) continue;
    std::set<std::string> answering;
    if (endpoint.route) {
      for (const serving::RouteVariant& variant : endpoint.route->variants) {
        for (const serving::RouteInstance& instance : variant.instances) answering.insert(instance.instance_id);
      }
    }
    for (const catalog::EndpointInstance& instance : endpoint.view.state.current->instances) {
      const std::optional<compute::InstanceView> view = compute_->View(instance.instance_id);
      const bool expected = view && view->life == compute::InstanceLife::kRunning;
      const bool unknown = view && view->life == compute::InstanceLife::kStarting;
      if (unknown || (expected && !answering.contains(instance.instance_id))) return false;
    }
  }
  return true;
}

EndpointFacts EndpointsExecutor::FactsOf(const Endpoint& endpoint) const {
  EndpointFacts facts;
  facts.capacity = compute_->GetCapacity();
  facts.type_policy = options_.type_policy;
  facts.alarms = alarms_;
  const auto add = [&](const catalog::EndpointInstance& instance) {
    EndpointInstanceFacts& f = facts.instances[instance.instance_id];
    f.instance = compute_->View(instance.instance_id);
    const auto memory = endpoint.instances.find(instance.instance_id);
    if (memory == endpoint.instances.end()) return;
    f.ledger = memory->second.ledger;
    f.start_error = memory->second.start_error;
    f.answered_at = memory->second.answered_at;
    f.pinging = memory->second.pinging;
    f.drained = memory->second.drained;
  };
  const catalog::EndpointState& state = endpoint.view.state;
  if (state.current) std::for_each(state.current->instances.begin(), state.current->instances.end(), add);
  if (state.next) std::for_each(state.next->instances.begin(), state.next->instances.end(), add);
  std::for_each(state.retired.begin(), state.retired.end(), add);
  return facts;
}

void EndpointsExecutor::Plan(const std::string& uid) {
  const auto it = endpoints_.find(uid);
  if (it == endpoints_.end() || it->second.saving) return;
  Endpoint& endpoint = it->second;
  EndpointPolicy policy{{options_.region, options_.account, "", options_.objects_dir}, {}};
  for (size_t i = FreshIdsNeeded(endpoint.view.state); i > 0; --i) {
    policy.fresh_ids.push_back("i-" + NewUid(*random_).substr(0, 17));
  }
  for (const EndpointAction& action : PlanEndpoint(endpoint.view, FactsOf(endpoint), policy, clock_->Now())) {
    Carry(endpoint, action);
  }
}

void EndpointsExecutor::Carry(Endpoint& endpoint, const EndpointAction& action) {
  const std::string uid = endpoint.view.uid;
  if (const auto* save = std::get_if<SaveEndpoint>(&action)) {
    Save(endpoint, *save);
  } else if (const auto* start = std::get_if<StartServing>(&action)) {
    InstanceMemory& memory = endpoint.instances[start->assignment.instance_id];
    memory.start_error.reset();
    protocol::Assignment assignment = start->assignment;
    if (options_.sign_in) assignment.session = options_.sign_in(assignment);
    if (Status started = compute_->Start({std::move(assignment)}); !started.ok()) {
      if (started.error().code() == ErrorCode::kInvalidArgument) memory.start_error = started.error();
      worklist_.AddAt(uid, clock_->Now() + kStartRetry);
    }
  } else if (const auto* ping = std::get_if<PingInstance>(&action)) {
    Ping(endpoint, ping->instance);
  } else if (const auto* drain = std::get_if<DrainInstance>(&action)) {
    Drain(endpoint, drain->instance_id);
  } else if (const auto* route = std::get_if<SetEndpointRoute>(&action)) {
    SetRoute(endpoint, route->route);
  } else if (const auto* stop = std::get_if<StopInstance>(&action)) {
    compute_->Send(stop->instance_id, {protocol::CommandKind::kStop});
  } else if (const auto* kill = std::get_if<KillInstance>(&action)) {
    compute_->Kill(kill->instance_id);
  } else if (std::holds_alternative<RemoveEndpoint>(action)) {
    Remove(endpoint);
  } else if (const auto* wake = std::get_if<WakeAt>(&action)) {
    worklist_.AddAt(uid, wake->at);
  }
}

void EndpointsExecutor::SetRoute(Endpoint& endpoint, const std::optional<serving::Route>& route) {
  if (SameRoute(endpoint.route, route)) return;
  endpoint.route = route;
  front_->SetRoute(endpoint.view.name, route);
}

EndpointsExecutor::InstanceMemory* EndpointsExecutor::MemoryOf(const std::string& uid, const std::string& instance_id) {
  const auto endpoint = endpoints_.find(uid);
  if (endpoint == endpoints_.end()) return nullptr;
  const auto memory = endpoint->second.instances.find(instance_id);
  return memory == endpoint->second.instances.end() ? nullptr : &memory->second;
}

void EndpointsExecutor::Ping(Endpoint& endpoint, const serving::RouteInstance& instance) {
  InstanceMemory& memory = endpoint.instances[instance.instance_id];
  if (memory.pinging || memory.answered_at) return;
  memory.pinging = true;
  front_->Ping(instance, [this, uid = endpoint.view.uid, id = instance.instance_id](Status status) {
    InstanceMemory* m = MemoryOf(uid, id);
    if (m == nullptr) return;
    m->pinging = false;
    if (status.ok()) {
      m->answered_at = clock_->Now();
      worklist_.Add(uid);
    } else {
      worklist_.AddAt(uid, clock_->Now() + kPingRetry);
    }
  });
}

void EndpointsExecutor::Drain(Endpoint& endpoint, const std::string& instance_id) {
  InstanceMemory& memory = endpoint.instances[instance_id];
  if (memory.draining || memory.drained) return;
  memory.draining = true;
  front_->Drain(instance_id, [this, uid = endpoint.view.uid, instance_id](Status) {
    InstanceMemory* m = MemoryOf(uid, instance_id);
    if (m == nullptr) return;
    m->draining = false;
    m->drained = true;
    worklist_.Add(uid);
  });
}

void EndpointsExecutor::Save(Endpoint& endpoint, const SaveEndpoint& save) {
  const Time now = clock_->Now();
  catalog::Transaction transaction;
  transaction.updates.push_back({.uid = endpoint.view.uid,
                                 .version = endpoint.view.version,
                                 .status = save.state.status,
                                 .state = save.state.ToJson(),
                                 .modified = now});
  for (const cost::LedgerEntry& entry : save.open) transaction.inserts.push_back({cost::ToResource(entry)});
  for (const auto& [id, close] : save.close) {
    const auto memory = endpoint.instances.find(id);
    if (memory == endpoint.instances.end() || !memory->second.ledger) continue;
    transaction.updates.push_back(cost::CloseEntry(*memory->second.ledger, close.started, close.ended, now));
  }
  endpoint.saving = true;
  catalog_->Commit(std::move(transaction), [this, uid = endpoint.view.uid, save](Result<catalog::Change> result) {
    scheduler_->Post(
        [this, uid, save, result = std::move(result)]() mutable { OnSaved(uid, save, std::move(result)); });
  });
}

void EndpointsExecutor::OnSaved(const std::string& uid, const SaveEndpoint& save, Result<catalog::Change> result) {
  const auto it = endpoints_.find(uid);
  if (it == endpoints_.end()) return;
  Endpoint& endpoint = it->second;
  endpoint.saving = false;
  if (!result.ok()) {
    if (result.error().code() == ErrorCode::kConflict) {
      worklist_.Add(uid);  // the feed has brought, or will bring, the newer version
    } else {
      Log(LogLevel::kError, "endpoint cannot be saved",
          {{"endpoint", endpoint.view.name}, {"error", result.error().message()}});
      worklist_.AddAt(uid, clock_->Now() + kSaveRetry);
    }
    return;
  }
  for (const catalog::Resource& written : result->written) {
    if (written.uid == uid) OnResource(written);
  }
  for (const cost::LedgerEntry& entry : save.open) endpoint.instances[entry.instance_id].ledger = entry;
  for (const auto& [id, close] : save.close) {
    compute_->Forget(id);
    endpoint.instances.erase(id);
  }
  if (!save.close.empty() || !save.open.empty()) {
    Log(LogLevel::kInfo, "endpoint changed",
        {{"endpoint", endpoint.view.name}, {"status", save.state.status}, {"reason", save.state.failure_reason}});
  }
  worklist_.Add(uid);
}

void EndpointsExecutor::Remove(Endpoint& endpoint) {
  endpoint.saving = true;
  catalog::Transaction transaction;
  transaction.removes.push_back({endpoint.view.uid, endpoint.view.version});
  catalog_->Commit(std::move(transaction), [this, uid = endpoint.view.uid](Result<catalog::Change> result) {
    scheduler_->Post([this, uid, result = std::move(result)]() {
      const auto it = endpoints_.find(uid);
      if (it == endpoints_.end()) return;
      it->second.saving = false;
      if (result.ok()) {
        OnRemoved(result->removed.front());
      } else {
        worklist_.AddAt(uid, clock_->Now() + kSaveRetry);
      }
    });
  });
}

}  // namespace argosy::control
