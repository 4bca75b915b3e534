#include "serving/router.h"

namespace argosy::serving {

Router::Router(Scheduler& control, const std::vector<EventLoop*>& loops, const Clock& clock, CaptureSink* capture,
               uint64_t seed)
    : control_(control), loops_(loops) {
  Check(!loops.empty(), "a router without loops");
  const LoopEvents events{.front = {.demand =
                                        [this](const VariantName& name) {
                                          control_.Post([this, name] {
                                            if (events_.demand) events_.demand(name);
                                          });
                                        },
                                    .stuck =
                                        [this](const std::string& instance_id) {
                                          control_.Post([this, instance_id] {
                                            if (events_.stuck) events_.stuck(instance_id);
                                          });
                                        }},
                          .capture = capture,
                          .counts = [this](int64_t second, std::vector<std::pair<VariantName, VariantCounts>> counts) {
                            control_.Post([this, second, counts = std::move(counts)] {
                              for (const auto& [name, of_variant] : counts) load_.Add(name, second, of_variant);
                            });
                          }};
  for (EventLoop* loop : loops) routers_.push_back(std::make_unique<LoopRouter>(*loop, table_, clock, seed++, events));
}

void Router::SetRoute(const std::string& endpoint, std::optional<Route> route) {
  if (!route) load_.Forget(endpoint);
  table_.Set(endpoint, std::move(route));
  // So that connections to instances that have left are let go even when no request comes.
  for (size_t i = 0; i < loops_.size(); ++i) {
    loops_[i]->Post([router = routers_[i].get()] { router->Refresh(); });
  }
}

std::map<VariantName, size_t> Router::InstanceCounts() const {
  std::map<VariantName, size_t> out;
  const RouteTable::Snapshot snapshot = table_.Read();
  for (const auto& [endpoint, route] : *snapshot.routes) {
    for (const RouteVariant& variant : route.variants) out[{endpoint, variant.name}] += variant.instances.size();
  }
  return out;
}

size_t Router::InstanceCount(const VariantName& name) const {
  const RouteTable::Snapshot snapshot = table_.Read();
  const auto route = snapshot.routes->find(name.endpoint);
  if (route == snapshot.routes->end()) return 0;
  size_t count = 0;  // while an update goes on, of the old fleet and the new one
  for (const RouteVariant& variant : route->second.variants) {
    if (variant.name == name.variant) count += variant.instances.size();
  }
  return count;
}

void Router::Ping(const RouteInstance& instance, Callback<void> done) {
  loops_.front()->Post([this, instance, done = std::move(done)] {
    routers_.front()->Ping(
        instance, [this, done](Status status) { control_.Post([done, status = std::move(status)] { done(status); }); });
  });
}

void Router::Drain(const std::string& instance_id, Callback<void> done) {
  // Counted on the control thread.
  auto left = std::make_shared<size_t>(loops_.size());
  for (size_t i = 0; i < loops_.size(); ++i) {
    loops_[i]->Post([this, router = routers_[i].get(), instance_id, done, left] {
      router->Drain(instance_id, [this, done, left] {
        control_.Post([done, left] {
          if (--*left == 0) done(Status());
        });
      });
    });
  }
}

void Router::Invoke(const Scheduler& loop, std::unique_ptr<Invocation> invocation) {
  for (const auto& router : routers_) {
    if (&router->loop() == &loop) return router->Invoke(std::move(invocation));
  }
  Check(false, "an invocation on a loop that is not the router's");
}

}  // namespace argosy::serving
