// The front that sends each request to one instance of one variant of its endpoint.
//
// Lifecycle: constructed before the loops run, destroyed after they have stopped and before they are destroyed.
// Threads: the Front part belongs to the control thread; Invoke to whichever loop the request came in on. Between them
// stands the route table, and tasks posted both ways.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/event_loop.h"
#include "serving/front.h"
#include "serving/loop_router.h"
#include "serving/route_table.h"

namespace argosy::serving {

class Router final : public Front {
 public:
  // `loops` serve requests; there is at least one. `seed` decides between variants.
  // `capture` may be null: then nothing is kept whatever the routes say.
  Router(Scheduler& control, const std::vector<EventLoop*>& loops, const Clock& clock, CaptureSink* capture,
         uint64_t seed);

  void SetRoute(const std::string& endpoint, std::optional<Route> route) override;
  void Ping(const RouteInstance& instance, Callback<void> done) override;
  void Drain(const std::string& instance_id, Callback<void> done) override;
  void Watch(FrontEvents events) override { events_ = std::move(events); }

  // How many instances the routes have for each variant now. Any thread.
  std::map<VariantName, size_t> InstanceCounts() const;
  size_t InstanceCount(const VariantName& name) const;

  // What has been counted, on the control thread.
  LoadBook& load() { return load_; }

  // On the thread of `loop`, which is one of the router's.
  void Invoke(const Scheduler& loop, std::unique_ptr<Invocation> invocation);

  const std::vector<EventLoop*>& loops() const { return loops_; }

 private:
  Scheduler& control_;
  RouteTable table_;
  LoadBook load_;       // control thread
  FrontEvents events_;  // control thread
  std::vector<std::unique_ptr<LoopRouter>> routers_;
  std::vector<EventLoop*> loops_;
};

}  // namespace argosy::serving
