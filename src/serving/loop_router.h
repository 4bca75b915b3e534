// The router on one event loop: picks a variant by weight and an instance by load, and follows each request to its end.
//
// It keeps a copy of the routes of its own, refreshed when the table's version has changed, and a channel to each
// instance that a route names. A request for which no instance is there at present waits for one, a bounded time.
// Nothing here locks or blocks. On the loop's thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "serving/instance_channel.h"
#include "serving/route_table.h"

namespace argosy::serving {

inline constexpr Duration kInstanceWait = std::chrono::seconds(30);  // of a request, for an instance to be there
inline constexpr Duration kPingTimeout = std::chrono::seconds(2);    // as a container has for GET /ping
inline constexpr Duration kDrainTimeout = kInvocationTimeout + std::chrono::seconds(2);

// Told on the loop's thread.
struct LoopEvents {
  FrontEvents front;
  CaptureSink* capture = nullptr;  // outlives the router; may be called from any loop
  // The counts of the second that has passed, of each variant that had any.
  std::function<void(int64_t second, std::vector<std::pair<VariantName, VariantCounts>> counts)> counts;
};

class LoopRouter final : private InstanceChannel::Owner {
 public:
  // `clock` outlives the router.
  LoopRouter(EventLoop& loop, const RouteTable& table, const Clock& clock, uint64_t seed, LoopEvents events,
             Duration instance_wait = kInstanceWait);
  ~LoopRouter();
  LoopRouter(const LoopRouter&) = delete;
  LoopRouter& operator=(const LoopRouter&) = delete;

  const EventLoop& loop() const { return loop_; }

  void Invoke(std::unique_ptr<Invocation> invocation);
  void Ping(const RouteInstance& instance, Callback<void> done);
  void Drain(const std::string& instance_id, std::function<void()> done);
  void Refresh();

  // In place of connecting: the channel to `instance` speaks over `connection`. For tests.
  void UseConnection(const RouteInstance& instance, UniqueFd connection);

 private:
  struct Variant {
    VariantTally* tally = nullptr;  // in tallies_
    double weight = 0;
    std::vector<InstanceChannel*> channels;
  };
  struct Endpoint {
    std::vector<Variant> variants;  // while an update moves traffic, one of a name for each of the two fleets
  };
  struct Kept {
    std::unique_ptr<InstanceChannel> channel;
    bool routed = false;
    std::vector<std::function<void()>> drains;
  };

  void OnLost(InstanceChannel& channel, std::vector<Pending> requests) override;
  void OnIdle(InstanceChannel& channel) override;
  void OnSuspect(InstanceChannel& channel, std::vector<Pending> unsent) override;
  void OnStuck(InstanceChannel& channel) override;

  void Route(Pending pending, const InstanceChannel* avoid);
  const Variant* PickVariant(const Endpoint& endpoint, const Pending& pending);
  // By weight among those of the name, or among all.
  const Variant* Draw(const Endpoint& endpoint, std::string_view name);
  InstanceChannel* PickChannel(const Variant& variant, const InstanceChannel* avoid);
  InstanceChannel& ChannelTo(const RouteInstance& instance);
  void ReleaseSoon(const std::string& instance_id);
  VariantTally& TallyOf(const std::string& endpoint, const std::string& variant);
  void Wait(const Variant& variant, Pending pending);
  void RetryWaiting();
  void RetryWaitingLater();
  void ExpireWaiting(Duration now);
  // Once each second, as long as there is anything to look at.
  void WatchTime();
  void OnSecond();

  EventLoop& loop_;
  const RouteTable& table_;
  SeededRandom random_;
  RouteTable::Snapshot snapshot_;
  std::map<VariantName, std::unique_ptr<VariantTally>> tallies_;  // of routed variants and those with open requests
  std::map<std::string, Endpoint, std::less<>> endpoints_;
  std::map<std::string, Kept> channels_;  // by instance id
  size_t next_instance_ = 0;              // among equally loaded ones
  const Clock& clock_;
  const LoopEvents events_;
  const Duration instance_wait_;
  TimerId second_timer_ = 0;
  int64_t second_ = 0;  // whose counts are being taken
  TimerId retry_timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace argosy::serving
