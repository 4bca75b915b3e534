// Requests of every operation that is decoded: whatever comes, validation answers, and what it lets through is a spec.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "api/sagemaker/sagemaker_service.h"
#include "api/validation.h"
#include "catalog/endpoint.h"
#include "catalog/training_job.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const operations = [] {
    argosy::api::SageMakerOptions options;
    options.instance_types = {"ml.m5.large"};
    return new std::vector<argosy::api::Operation>(argosy::api::SageMakerOperations(std::move(options), {}));
  }();
  if (size == 0) return 0;
  const argosy::api::Operation& operation = (*operations)[data[0] % operations->size()];
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const argosy::Result<argosy::Json> json = argosy::ParseJson(text);
  if (!json.ok()) return 0;
  const auto error = argosy::api::Validate(operation.input, *json, operation.name);
  if (error) {
    if (error->message.empty() || error->message.size() > 100'000) abort();
    return 0;
  }
  if (operation.name == "CreateTrainingJob" && !argosy::catalog::TrainingJobSpec::FromRequestJson(text).ok()) abort();
  if (operation.name == "CreateModel" && !argosy::catalog::ModelSpec::FromRequestJson(text).ok()) abort();
  if (operation.name == "CreateEndpointConfig" && !argosy::catalog::EndpointConfigSpec::FromRequestJson(text).ok())
    abort();
  return 0;
}
