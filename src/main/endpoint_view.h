// An endpoint as the verbs show it, read from a DescribeEndpoint answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"

namespace argosy::main {

struct EndpointView {
  std::string name;
  std::string status;
  std::string failure_reason;
  std::string config_name;
  int64_t instances = 0;
  std::optional<Time> created;

  bool settled() const { return status != "Creating" && status != "Updating" && status != "Deleting"; }
};

EndpointView ReadEndpoint(const Json& described);

// Two ways to ask the endpoint, to copy.
std::string HowToCall(const std::string& endpoint_name, const std::string& server);

}  // namespace argosy::main
