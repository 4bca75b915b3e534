// The routes as one snapshot: written by the control thread, read by every loop.
//
// A reader compares a version (one atomic load) and takes the lock only when it has changed, so that a request never
// waits for it, and a route set before an endpoint is seen InService is the one a client's next request goes by.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "serving/front.h"

namespace argosy::serving {

using Routes = std::map<std::string, Route, std::less<>>;  // by endpoint name

class RouteTable {
 public:
  // Control thread.
  void Set(const std::string& endpoint, std::optional<Route> route);

  // Any thread.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  struct Snapshot {
    std::shared_ptr<const Routes> routes;
    uint64_t version = 0;
  };
  Snapshot Read() const;

 private:
  std::atomic<uint64_t> version_{1};
  mutable std::mutex mutex_;
  std::shared_ptr<const Routes> routes_ = std::make_shared<Routes>();  // guarded by mutex_
};

}  // namespace argosy::serving
