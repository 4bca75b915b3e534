#include "serving/loop_router.h"

#include <algorithm>

namespace argosy::serving {

LoopRouter::LoopRouter(EventLoop& loop, const RouteTable& table, const Clock& clock, uint64_t seed, LoopEvents events,
                       Duration instance_wait)
    : loop_(loop),
      table_(table),
      random_(seed),
      clock_(clock),
      events_(std::move(events)),
      instance_wait_(instance_wait) {}

LoopRouter::~LoopRouter() {
  *alive_ = false;
  loop_.Cancel(second_timer_);
  loop_.Cancel(retry_timer_);
}

VariantTally& LoopRouter::TallyOf(const std::string& endpoint, const std::string& variant) {
  std::unique_ptr<VariantTally>& tally = tallies_[{endpoint, variant}];
  if (tally == nullptr) {
    tally = std::make_unique<VariantTally>();
    tally->name = {endpoint, variant};
    tally->capture_sink = events_.capture;
    tally->clock = &clock_;
    tally->sample = SeededRandom(random_.Next());
  }
  return *tally;
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
  for (auto& [variant, tally] : tallies_) tally->routed = false;
  for (const auto& [name, route] : *snapshot_.routes) {
    Endpoint& endpoint = endpoints_[name];
    for (const RouteVariant& variant : route.variants) {
      Variant out{&TallyOf(name, variant.name), std::max(0.0, variant.weight), {}};
      out.tally->routed = true;
      out.tally->capture = events_.capture == nullptr ? nullptr : variant.capture;
      for (const RouteInstance& instance : variant.instances) {
        out.channels.push_back(&ChannelTo(instance));
        channels_[instance.instance_id].routed = true;
      }
      endpoint.variants.push_back(std::move(out));
    }
  }
  for (const auto& [id, kept] : channels_) {
    if (!kept.routed && kept.channel->idle()) ReleaseSoon(id);
  }
  RetryWaiting();
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
  pending.received = loop_.TurnTime();
  pending.deadline = pending.received + kInvocationTimeout;
  Route(std::move(pending), nullptr);
}

void LoopRouter::Route(Pending pending, const InstanceChannel* avoid) {
  const auto endpoint = endpoints_.find(pending.invocation->view().endpoint);
  if (endpoint == endpoints_.end()) return pending.Fail(InvocationFailure::kUnknownEndpoint, loop_.TurnTime());
  const Variant* variant = PickVariant(endpoint->second, pending);
  if (variant == nullptr) return pending.Fail(InvocationFailure::kUnknownVariant, loop_.TurnTime());
  if (pending.tally != variant->tally) {
    if (pending.tally != nullptr) --pending.tally->open;  // its variant is no more
    pending.tally = variant->tally;
    pending.tally->Open();
  }
  if (second_timer_ == 0) [[unlikely]]
    WatchTime();
  // The least loaded one first; one that turns out to be unreachable is avoided next. A full one ends it: its equals
  // are as full.
  for (size_t tries = variant->channels.size(); tries > 0; --tries) {
    InstanceChannel* const channel = PickChannel(*variant, avoid);
    if (channel == nullptr) break;
    switch (channel->Submit(pending)) {
      case InstanceChannel::Submission::kTaken:
        return;
      case InstanceChannel::Submission::kBusy:
        return pending.Fail(InvocationFailure::kBusy, loop_.TurnTime());
      case InstanceChannel::Submission::kUnreachable:
        break;  // reachable() knows now
    }
  }
  Wait(*variant, std::move(pending));
}

void LoopRouter::Wait(const Variant& variant, Pending pending) {
  VariantTally& tally = *variant.tally;
  const size_t bytes = pending.invocation->view().body.size();
  if (tally.waiting.size() >= kQueuedRequestsMax || tally.waiting_bytes + bytes > kQueuedBytesMax) {
    return pending.Fail(InvocationFailure::kBusy, loop_.TurnTime());
  }
  tally.waiting_bytes += bytes;
  tally.waiting.push_back(std::move(pending));
  if (!variant.channels.empty()) return RetryWaitingLater();
  const Duration now = loop_.TurnTime();
  if (tally.demand_told != Duration::zero() && now - tally.demand_told < std::chrono::seconds(1)) return;
  tally.demand_told = now;
  if (events_.front.demand) events_.front.demand(tally.name);
}

void LoopRouter::RetryWaiting() {
  std::vector<Pending> all;
  for (auto& [name, tally] : tallies_) {
    std::ranges::move(tally->waiting, std::back_inserter(all));
    tally->waiting.clear();
    tally->waiting_bytes = 0;
  }
  for (Pending& pending : all) Route(std::move(pending), nullptr);
}

// A connection that was refused may be had in a moment.
void LoopRouter::RetryWaitingLater() {
  if (retry_timer_ != 0) return;
  retry_timer_ = loop_.After(kReconnectPause, [this] {
    retry_timer_ = 0;
    RetryWaiting();
  });
}

void LoopRouter::ExpireWaiting(Duration now) {
  std::vector<Pending> over;
  for (auto& [name, tally] : tallies_) {
    std::deque<Pending> kept;
    for (Pending& pending : tally->waiting) {
      const bool wanted =
          !pending.invocation->abandoned() && now < pending.deadline && now < pending.received + instance_wait_;
      if (!wanted) tally->waiting_bytes -= pending.invocation->view().body.size();
      (wanted ? static_cast<void>(kept.push_back(std::move(pending))) : over.push_back(std::move(pending)));
    }
    tally->waiting = std::move(kept);
  }
  for (Pending& pending : over) {
    pending.Fail(pending.tried ? InvocationFailure::kInstanceLost : InvocationFailure::kNoInstance, now);
  }
}

const LoopRouter::Variant* LoopRouter::PickVariant(const Endpoint& endpoint, const Pending& pending) {
  // One that was sent before stays with its variant, as long as that is there.
  const std::string_view target =
      pending.tally != nullptr ? pending.tally->name.variant : pending.invocation->view().target_variant;
  if (!target.empty()) {
    const Variant* const found = Draw(endpoint, target);
    if (found != nullptr || pending.tally == nullptr || !pending.invocation->view().target_variant.empty())
      return found;
  }
  return Draw(endpoint, {});
}

const LoopRouter::Variant* LoopRouter::Draw(const Endpoint& endpoint, std::string_view name) {
  if (endpoint.variants.size() == 1 && name.empty()) return &endpoint.variants.front();
  const auto eligible = [&](const Variant& variant) { return name.empty() || variant.tally->name.variant == name; };
  double total = 0;
  const Variant* first = nullptr;
  for (const Variant& variant : endpoint.variants) {
    if (!eligible(variant)) continue;
    total += variant.weight;
    if (first == nullptr) first = &variant;
  }
  if (total <= 0) return first;  // one that is only ever targeted
  double at = random_.Uniform() * total;
  const Variant* last = nullptr;
  for (const Variant& variant : endpoint.variants) {
    if (variant.weight <= 0 || !eligible(variant)) continue;
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
    // One that answers nothing only if all are so.
    if (best == nullptr || (best->suspect() && !channel->suspect()) ||
        (best->suspect() == channel->suspect() && channel->load() < best->load())) {
      best = channel;
    }
  }
  ++next_instance_;
  return best;
}

void LoopRouter::OnLost(InstanceChannel& channel, std::vector<Pending> requests) {
  for (Pending& pending : requests) {
    if (pending.invocation->abandoned() || loop_.TurnTime() >= pending.deadline) {
      pending.Fail(InvocationFailure::kTimedOut, loop_.TurnTime());
    } else if (pending.tried) {
      pending.Fail(InvocationFailure::kInstanceLost, loop_.TurnTime());
    } else {
      pending.tried = true;
      Route(std::move(pending), &channel);
    }
  }
  OnIdle(channel);
}

void LoopRouter::OnSuspect(InstanceChannel& channel, std::vector<Pending> unsent) {
  for (Pending& pending : unsent) Route(std::move(pending), &channel);
}

void LoopRouter::OnStuck(InstanceChannel& channel) {
  if (events_.front.stuck) events_.front.stuck(channel.instance().instance_id);
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
  if (second_timer_ != 0) return;
  const auto now = clock_.Now();
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  second_ = second.time_since_epoch().count();
  second_timer_ = loop_.After(second + std::chrono::seconds(1) - now, [this] {
    second_timer_ = 0;
    OnSecond();
  });
}

void LoopRouter::OnSecond() {
  const Duration now = loop_.TurnTime();
  // Told of below, a channel may be let go, but never at once.
  for (auto& [id, kept] : channels_) {
    kept.channel->Expire(now);
    kept.channel->CheckHealth(now);
  }
  ExpireWaiting(now);
  bool any = false;
  std::vector<std::pair<VariantName, VariantCounts>> counts;
  for (auto it = tallies_.begin(); it != tallies_.end();) {
    VariantTally& tally = *it->second;
    if (!tally.counts.empty()) counts.emplace_back(tally.name, std::exchange(tally.counts, {}));
    tally.counts.concurrent_max = tally.open;
    any = any || tally.open > 0;
    it = tally.routed || tally.open > 0 ? std::next(it) : tallies_.erase(it);
  }
  any = any || !counts.empty();
  if (!counts.empty() && events_.counts) events_.counts(second_, std::move(counts));
  if (any) WatchTime();
}

}  // namespace argosy::serving
