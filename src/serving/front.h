// What the endpoint controller asks of the router: which instances answer for an endpoint.
//
// Threads: called on the control thread; callbacks come on the control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "serving/capture.h"
#include "serving/load.h"

namespace argosy::serving {

struct RouteInstance {
  std::string instance_id;
  std::string address;
};

struct RouteVariant {
  std::string name;
  double weight = 1.0;
  std::vector<RouteInstance> instances;
  std::shared_ptr<const CapturePlan> capture;  // null: nothing is kept
};

struct Route {
  std::string endpoint_uid;
  std::vector<RouteVariant> variants;
};

// What the router sees first. Told again, about once a second, for as long as it is so.
struct FrontEvents {
  // A request waits for a variant of which no instance is there: an endpoint that was scaled to zero is wanted.
  std::function<void(const VariantName&)> demand;
  // The instance takes requests and answers nothing, not even pings.
  std::function<void(const std::string& instance_id)> stuck;
};

class Front {
 public:
  virtual ~Front() = default;

  // From now on requests for `endpoint` go by `route`; nothing = the endpoint is unknown to callers.
  virtual void SetRoute(const std::string& endpoint, std::optional<Route> route) = 0;

  // Asks the instance for a sign of life by the same frames that carry requests. kUnavailable when it does not answer
  // within a bound.
  virtual void Ping(const RouteInstance& instance, Callback<void> done) = 0;

  // Answers when no request that was sent to the instance is unanswered any more, or a bounded time has passed. Call it
  // after the instance has left all routes.
  virtual void Drain(const std::string& instance_id, Callback<void> done) = 0;

  // Set once.
  virtual void Watch(FrontEvents events) = 0;
};

}  // namespace argosy::serving
