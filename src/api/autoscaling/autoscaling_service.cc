#include "api/autoscaling/autoscaling_service.h"

#include <iterator>
#include <utility>

#include "api/autoscaling/common.h"

namespace argosy::api {

std::vector<Operation> AutoscalingOperations(const AutoscalingDeps& deps, std::string region) {
  const auto common = std::make_shared<const autoscaling::Common>(autoscaling::Common{deps, std::move(region)});
  std::vector<Operation> all;
  for (auto* family : {autoscaling::TargetOperations, autoscaling::PolicyOperations, autoscaling::ScheduleOperations,
                       autoscaling::ActivityOperations, autoscaling::TagOperations}) {
    std::vector<Operation> operations = family(common);
    std::move(operations.begin(), operations.end(), std::back_inserter(all));
  }
  return all;
}

std::unique_ptr<JsonService> MakeAutoscalingService(const AutoscalingDeps& deps, std::string region) {
  return std::make_unique<JsonService>(JsonServiceOptions{.name = "Application Auto Scaling",
                                                          .target_prefix = "AnyScaleFrontendService",
                                                          .action_prefix = "application-autoscaling"},
                                       AutoscalingOperations(deps, std::move(region)), deps.pool);
}

}  // namespace argosy::api
