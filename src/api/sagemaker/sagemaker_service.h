// The SageMaker API: training jobs, models, endpoint configs, endpoints, tags, search. Writes and reads the catalog
// only; the controllers see what was written through its change feed and do the rest.
//
// A request that changes something is answered once the catalog has committed it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_service.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "catalog/catalog.h"
#include "catalog/training_job.h"

namespace argosy::api {

struct SageMakerOptions {
  std::string region;                       // named in ARNs
  std::vector<std::string> instance_types;  // with price and size: what jobs and endpoints may ask for
  uint32_t instances_max = 0;               // that can ever run at once; 0: nobody knows
  // Whether the image's repository is one of the built-in algorithms, and their names for the error that says it is
  // not.
  std::function<bool(std::string_view image)> is_builtin_image;
  std::vector<std::string> builtin_names;
  // What a built-in's training with these hyperparameters reports; none for other images.
  std::function<std::vector<catalog::MetricDefinition>(const std::string& image,
                                                       const std::map<std::string, std::string>& hyperparameters)>
      builtin_metrics;
};

// All outlive the service. `random` is called from several threads (SystemRandom).
struct SageMakerDeps {
  catalog::Catalog* catalog = nullptr;
  ThreadPool* pool = nullptr;
  const Clock* clock = nullptr;
  Random* random = nullptr;
};

std::vector<Operation> SageMakerOperations(SageMakerOptions options, SageMakerDeps deps);

std::unique_ptr<JsonService> MakeSageMakerService(SageMakerOptions options, SageMakerDeps deps);

}  // namespace argosy::api
