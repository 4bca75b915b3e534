#include "api/sagemaker/sagemaker_service.h"

#include <iterator>
#include <utility>

#include "api/sagemaker/context.h"
#include "api/sagemaker/families.h"

namespace argosy::api {

std::vector<Operation> SageMakerOperations(SageMakerOptions options, SageMakerDeps deps) {
  const auto context = std::make_shared<const sagemaker::Context>(sagemaker::Context{std::move(options), deps});
  std::vector<Operation> all;
  for (auto* family :
       {sagemaker::TrainingJobOperations, sagemaker::ModelOperations, sagemaker::EndpointConfigOperations,
        sagemaker::EndpointOperations, sagemaker::TagOperations, sagemaker::SearchOperations}) {
    std::vector<Operation> operations = family(context);
    std::move(operations.begin(), operations.end(), std::back_inserter(all));
  }
  return all;
}

std::unique_ptr<JsonService> MakeSageMakerService(SageMakerOptions options, SageMakerDeps deps) {
  ThreadPool* pool = deps.pool;
  return std::make_unique<JsonService>(
      JsonServiceOptions{.name = "SageMaker", .target_prefix = "SageMaker", .action_prefix = "sagemaker"},
      SageMakerOperations(std::move(options), deps), pool);
}

}  // namespace argosy::api
