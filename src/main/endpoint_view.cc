#include "main/endpoint_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "main/json_access.h"

namespace argosy::main {

EndpointView ReadEndpoint(const Json& described) {
  EndpointView endpoint;
  endpoint.name = TextAt(described, "EndpointName");
  endpoint.status = TextAt(described, "EndpointStatus");
  endpoint.failure_reason = TextAt(described, "FailureReason");
  endpoint.config_name = TextAt(described, "EndpointConfigName");
  endpoint.created = TimeAt(described, "CreationTime");
  for (const Json& variant : ArrayAt(described, "ProductionVariants")) {
    endpoint.instances += static_cast<int64_t>(NumberAt(variant, "CurrentInstanceCount").value_or(0));
  }
  return endpoint;
}

std::string HowToCall(const std::string& endpoint_name, const std::string& server) {
  return fmt::format(
      "ask it:\n"
      "  argosy predict {0} ROW...\n"
      "  echo ROW | aws sagemaker-runtime invoke-endpoint --endpoint-url {1} --endpoint-name {0} \\\n"
      "    --content-type text/csv --body fileb:///dev/stdin /dev/stdout\n",
      endpoint_name, server);
}

}  // namespace argosy::main
