// Requests of every operation that is decoded: whatever comes, validation answers, and what it lets through is a spec.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "api/sagemaker/sagemaker_service.h"
#include "api/sagemaker/search_expression.h"
#include "api/sagemaker/search_record.h"
#include "api/validation.h"
#include "catalog/endpoint.h"
#include "catalog/training_job.h"

namespace {

argosy::api::SageMakerOptions Options() {
  argosy::api::SageMakerOptions options;
  options.instance_types = {"ml.m5.large"};
  return options;
}

// What is read of an expression can be held against a job.
void Search(const argosy::Json& request) {
  using argosy::Json;
  using namespace argosy::api::sagemaker;
  static const auto* const kinds = new std::vector<RecordKind>(RecordKinds(Context{Options(), {}}));
  static const Json* const job =
      new Json{{"TrainingJobName", "job"},
               {"CreationTime", 1714567890.5},
               {"HyperParameters", {{"epochs", "12"}, {"rate", "0.9"}}},
               {"InputDataConfig", Json::array({{{"ChannelName", "train"}}, {{"ChannelName", "test"}}})},
               {"FinalMetricDataList", Json::array({{{"MetricName", "m"}, {"Value", 0.25}}})},
               {"Tags", Json::array({{{"Key", "team"}, {"Value", "blue"}}})}};
  const auto found = request.find("SearchExpression");
  if (found == request.end() || !found->is_object()) return;
  const auto read = ReadSearchExpression(kinds->front().shape, *found);
  if (const auto* expression = std::get_if<SearchExpression>(&read)) (void)Matches(*expression, *job);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const operations = [] {
    return new std::vector<argosy::api::Operation>(argosy::api::SageMakerOperations(Options(), {}));
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
  if (operation.name == "Search") Search(*json);
  if (operation.name == "CreateTrainingJob" && !argosy::catalog::TrainingJobSpec::FromRequestJson(text).ok()) abort();
  if (operation.name == "CreateModel" && !argosy::catalog::ModelSpec::FromRequestJson(text).ok()) abort();
  if (operation.name == "CreateEndpointConfig" && !argosy::catalog::EndpointConfigSpec::FromRequestJson(text).ok())
    abort();
  return 0;
}
