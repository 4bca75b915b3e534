#include "serving/loop_router.h"

#include <algorithm>

namespace argosy::serving {

LoopRouter::LoopRouter(EventLoop& loop, const RouteTable& table, uint64_t seed)
    : loop_(loop), table_(table), random_(seed) {}

LoopRouter::~LoopRouter() {
  *alive_ = false;
  loop_.Cancel(expiry_);
}

InstanceChannel& LoopRouter::ChannelTo(const RouteInstance& instance) {
  Kept& kept = channels_[instance.instance_id];
  if (kept.channel == nullptr) {
    InstanceChannel::Owner& owner = *this;
    kept.channel = std::make_unique<InstanceChannel>(loop_, instance, owner);
  }
  return *kept.channel;
}

void LoopRouter::UseConnection(const RouteInstance& instance, UniqueFd connection) {
  ChannelTo(instance).UseConnection(std::move(connection));
}

void LoopRouter::Refresh() {
  if (table_.version() == snapshot_.version) return;
  snapshot_ = table_.Read();
  endpoints_.clear();
  for (auto& [id, kept] : channels_) kept.routed = false;
  for (const auto& [name, route] : *snapshot_.routes) {
    Endpoint& endpoint = endpoints_[name];
    for (const RouteVariant& variant : route.variants) {
      Variant out{*variant_names_.insert(variant.name).first, std::max(0.0, variant.weight), {}};
      for (const RouteInstance& instance : variant.instances) {
        out.channels.push_back(&ChannelTo(instance));
        channels_[instance.instance_id].routed = true;
      }
      endpoint.weight_total += out.weight;
      endpoint.variants.push_back(std::move(out));
    }
  }
  for (const auto& [id, kept] : channels_) {
    if (!kept.routed && kept.channel->idle()) ReleaseSoon(id);
  }
}

// The channel may be the one whose call we are in, so it is taken down later.
void LoopRouter::ReleaseSoon(const std::string& instance_id) {
  loop_.Post([this, alive = alive_, instance_id] {
    if (!*alive) return;
    const auto it = channels_.find(instance_id);
    if (it != channels_.end() && !it->second.routed && it->second.channel->idle() && it->second.drains.empty()) {
      channels_.erase(it);
    }
  });
}

void LoopRouter::Invoke(std::unique_ptr<Invocation> invocation) {
  if (table_.version() != snapshot_.version) [[unlikely]]
    Refresh();
  Pending pending;
  pending.invocation = std::move(invocation);
  pending.deadline = loop_.TurnTime() + kInvocationTimeout;
  Route(std::move(pending), nullptr);
}

void LoopRouter::Route(Pending pending, const InstanceChannel* avoid) {
  const InvocationView& view = pending.invocation->view();
  const auto endpoint = endpoints_.find(view.endpoint);
  if (endpoint == endpoints_.end()) return pending.invocation->OnFailure(InvocationFailure::kUnknownEndpoint);
  const Variant* variant = PickVariant(endpoint->second, view.target_variant);
  if (variant == nullptr) return pending.invocation->OnFailure(InvocationFailure::kUnknownVariant);
  InvocationFailure failure =
      variant->channels.empty() ? InvocationFailure::kNoInstance : InvocationFailure::kInstanceLost;
  // The least loaded one first; one that turns out to be unreachable is avoided next. A full one ends it: its equals
  // are as full.
  for (size_t tries = variant->channels.size(); tries > 0; --tries) {
    InstanceChannel* const channel = PickChannel(*variant, avoid);
    if (channel == nullptr) break;
    pending.variant = variant->name;
    switch (channel->Submit(pending)) {
      case InstanceChannel::Submission::kTaken:
        return WatchTime();
      case InstanceChannel::Submission::kBusy:
        failure = InvocationFailure::kBusy;
        tries = 1;
        break;
      case InstanceChannel::Submission::kUnreachable:
        break;  // reachable() knows now
    }
  }
  pending.invocation->OnFailure(failure);
}

const LoopRouter::Variant* LoopRouter::PickVariant(const Endpoint& endpoint, std::string_view target) {
  if (!target.empty()) {
    for (const Variant& variant : endpoint.variants) {
      if (variant.name == target) return &variant;
    }
    return nullptr;
  }
  if (endpoint.variants.empty()) return nullptr;
  if (endpoint.variants.size() == 1 || endpoint.weight_total <= 0) return &endpoint.variants.front();
  double at = random_.Uniform() * endpoint.weight_total;
  const Variant* last = nullptr;
  for (const Variant& variant : endpoint.variants) {
    if (variant.weight <= 0) continue;
    last = &variant;
    at -= variant.weight;
    if (at < 0) break;
  }
  return last;
}

InstanceChannel* LoopRouter::PickChannel(const Variant& variant, const InstanceChannel* avoid) {
  const size_t count = variant.channels.size();
  if (count == 1) {
    InstanceChannel* const only = variant.channels.front();
    return only != avoid && only->reachable() ? only : nullptr;
  }
  InstanceChannel* best = nullptr;
  for (size_t i = 0; i < count; ++i) {
    InstanceChannel* const channel = variant.channels[(next_instance_ + i) % count];
    if (channel == avoid || !channel->reachable()) continue;
    if (best == nullptr || channel->load() < best->load()) best = channel;
  }
  ++next_instance_;
  return best;
}

void LoopRouter::OnLost(InstanceChannel& channel, std::vector<Pending> requests) {
  for (Pending& pending : requests) {
    if (pending.invocation->abandoned() || loop_.TurnTime() >= pending.deadline) {
      pending.invocation->OnFailure(InvocationFailure::kTimedOut);
    } else if (pending.tried) {
      pending.invocation->OnFailure(InvocationFailure::kInstanceLost);
    } else {
      pending.tried = true;
      Route(std::move(pending), &channel);
    }
  }
  OnIdle(channel);
}

void LoopRouter::OnIdle(InstanceChannel& channel) {
  const auto it = channels_.find(channel.instance().instance_id);
  if (it == channels_.end()) return;
  for (const std::function<void()>& done : std::exchange(it->second.drains, {})) done();
  if (!it->second.routed) ReleaseSoon(it->first);
}

void LoopRouter::Ping(const RouteInstance& instance, Callback<void> done) {
  // Told once, by the pong or by the clock.
  auto once = std::make_shared<Callback<void>>(std::move(done));
  const auto tell = [once](Status status) {
    if (*once) std::exchange(*once, nullptr)(std::move(status));
  };
  const TimerId timer = loop_.After(kPingTimeout, [tell, id = instance.instance_id] {
    tell(Error(ErrorCode::kUnavailable, "instance " + id + " did not answer a ping in time"));
  });
  ChannelTo(instance).Ping([this, alive = alive_, timer, tell](Status status) {
    if (*alive) loop_.Cancel(timer);
    tell(std::move(status));
  });
}

void LoopRouter::Drain(const std::string& instance_id, std::function<void()> done) {
  Refresh();
  const auto it = channels_.find(instance_id);
  if (it == channels_.end() || it->second.channel->load() == 0) {
    if (it != channels_.end() && !it->second.routed) ReleaseSoon(instance_id);
    return done();
  }
  it->second.drains.push_back(std::move(done));
  loop_.After(kDrainTimeout, [this, alive = alive_, instance_id] {
    if (!*alive) return;
    const auto late = channels_.find(instance_id);
    if (late == channels_.end()) return;
    for (const std::function<void()>& tell : std::exchange(late->second.drains, {})) tell();
  });
}

void LoopRouter::WatchTime() {
  if (expiry_ != 0) return;
  expiry_ = loop_.After(kExpiryPeriod, [this] {
    expiry_ = 0;
    bool any_load = false;
    for (auto& [id, kept] : channels_) {
      kept.channel->Expire(loop_.TurnTime());
      any_load = any_load || kept.channel->load() > 0;
    }
    if (any_load) WatchTime();
  });
}

}  // namespace argosy::serving
