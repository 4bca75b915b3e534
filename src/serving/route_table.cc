#include "serving/route_table.h"

namespace argosy::serving {

void RouteTable::Set(const std::string& endpoint, std::optional<Route> route) {
  auto next = std::make_shared<Routes>(*Read().routes);
  if (route) {
    (*next)[endpoint] = std::move(*route);
  } else {
    next->erase(endpoint);
  }
  std::lock_guard lock(mutex_);
  routes_ = std::move(next);
  version_.fetch_add(1, std::memory_order_release);
}

RouteTable::Snapshot RouteTable::Read() const {
  std::lock_guard lock(mutex_);
  return {routes_, version_.load(std::memory_order_relaxed)};
}

}  // namespace argosy::serving
