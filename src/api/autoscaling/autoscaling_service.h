// Application Auto Scaling, for the instance counts of endpoint variants: scalable targets, scaling policies, scheduled
// actions, activities. It reads and writes the catalog; control/scaling_executor.h acts on it.
#pragma once

#include <memory>
#include <string>

#include "api/json_service.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "catalog/catalog.h"

namespace argosy::api {

struct AutoscalingDeps {
  catalog::Catalog* catalog = nullptr;
  ThreadPool* pool = nullptr;
  const Clock* clock = nullptr;
  Random* random = nullptr;
};

// All of `deps` outlive the service; `region` is named in ARNs.
std::vector<Operation> AutoscalingOperations(const AutoscalingDeps& deps, std::string region);
std::unique_ptr<JsonService> MakeAutoscalingService(const AutoscalingDeps& deps, std::string region);

}  // namespace argosy::api
