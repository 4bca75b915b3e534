// The router on one event loop: picks a variant by weight and an instance by load, and follows each request to its end.
//
// It keeps a copy of the routes of its own, refreshed when the table's version has changed, and a channel to each
// instance that a route names. Nothing here locks or waits. On the loop's thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "serving/instance_channel.h"
#include "serving/route_table.h"

namespace argosy::serving {

inline constexpr Duration kExpiryPeriod = std::chrono::seconds(1);
inline constexpr Duration kPingTimeout = std::chrono::seconds(2);  // as a container has for GET /ping
inline constexpr Duration kDrainTimeout = kInvocationTimeout + std::chrono::seconds(2);

class LoopRouter final : private InstanceChannel::Owner {
 public:
  LoopRouter(EventLoop& loop, const RouteTable& table, uint64_t seed);
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
    std::string_view name;  // in variant_names_
    double weight = 0;
    std::vector<InstanceChannel*> channels;
  };
  struct Endpoint {
    std::vector<Variant> variants;
    double weight_total = 0;
  };
  struct Kept {
    std::unique_ptr<InstanceChannel> channel;
    bool routed = false;
    std::vector<std::function<void()>> drains;
  };

  void OnLost(InstanceChannel& channel, std::vector<Pending> requests) override;
  void OnIdle(InstanceChannel& channel) override;

  void Route(Pending pending, const InstanceChannel* avoid);
  const Variant* PickVariant(const Endpoint& endpoint, std::string_view target);
  InstanceChannel* PickChannel(const Variant& variant, const InstanceChannel* avoid);
  InstanceChannel& ChannelTo(const RouteInstance& instance);
  void ReleaseSoon(const std::string& instance_id);
  void WatchTime();

  EventLoop& loop_;
  const RouteTable& table_;
  SeededRandom random_;
  RouteTable::Snapshot snapshot_;
  // Names that requests in flight point to, whatever became of their routes. They are few and come again.
  std::set<std::string, std::less<>> variant_names_;
  std::map<std::string, Endpoint, std::less<>> endpoints_;
  std::map<std::string, Kept> channels_;  // by instance id
  size_t next_instance_ = 0;              // among equally loaded ones
  TimerId expiry_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace argosy::serving
