#include "serving/router.h"

namespace argosy::serving {

Router::Router(Scheduler& control, const std::vector<EventLoop*>& loops, uint64_t seed)
    : control_(control), loops_(loops) {
  Check(!loops.empty(), "a router without loops");
  for (EventLoop* loop : loops) routers_.push_back(std::make_unique<LoopRouter>(*loop, table_, seed++));
}

void Router::SetRoute(const std::string& endpoint, std::optional<Route> route) {
  table_.Set(endpoint, std::move(route));
  // So that connections to instances that have left are let go even when no request comes.
  for (size_t i = 0; i < loops_.size(); ++i) {
    loops_[i]->Post([router = routers_[i].get()] { router->Refresh(); });
  }
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
