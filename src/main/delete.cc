// argosy delete ENDPOINT
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "main/api_client.h"
#include "main/endpoint_view.h"
#include "main/json_access.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

constexpr auto kPause = std::chrono::milliseconds(50);

// Gone already is as good as deleted.
Status DeleteIfThere(ApiClient& client, std::string_view operation, const Json& request) {
  const Result<Json> deleted = client.SageMaker(operation, request);
  if (deleted.ok() || deleted.error().code() == ErrorCode::kNotFound) return {};
  return deleted.error();
}

}  // namespace

int RunDelete(const Settings& settings, const DeleteArgs& args) {
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return Fail(client.error());
  const Json by_name = {{"EndpointName", args.name}};
  const Result<Json> described = client->SageMaker("DescribeEndpoint", by_name);
  if (!described.ok()) return Fail(described.error().Wrap(args.name));
  const std::string config = ReadEndpoint(*described).config_name;

  std::set<std::string> models;
  const Result<Json> config_described = client->SageMaker("DescribeEndpointConfig", {{"EndpointConfigName", config}});
  if (config_described.ok()) {
    for (const Json& variant : ArrayAt(*config_described, "ProductionVariants"))
      models.insert(TextAt(variant, "ModelName"));
  }
  const Result<Json> deleted = client->SageMaker("DeleteEndpoint", by_name);
  if (!deleted.ok()) return Fail(deleted.error());
  Status rest = DeleteIfThere(*client, "DeleteEndpointConfig", {{"EndpointConfigName", config}});
  if (args.model == ModelFate::kDelete) {
    for (const std::string& model : models) {
      if (rest.ok()) rest = DeleteIfThere(*client, "DeleteModel", {{"ModelName", model}});
    }
  }
  if (!rest.ok()) return Fail(rest.error());

  InterruptGuard interrupt;
  while (args.waiting == Waiting::kWait) {
    const Result<Json> now = client->SageMaker("DescribeEndpoint", by_name);
    if (!now.ok() && now.error().code() == ErrorCode::kNotFound) break;
    if (!now.ok()) return Fail(now.error());
    interrupt.Sleep(kPause);
    if (interrupt.interrupted()) {
      Note(fmt::format("{} goes on being deleted", args.name));
      return kExitInterrupted;
    }
  }
  if (args.form == OutputForm::kJson) {
    PrintJson({{"EndpointName", args.name}, {"Deleted", true}});
  } else {
    Print(fmt::format("{} is {}; artifacts in S3 are kept\n", args.name,
                      args.waiting == Waiting::kWait ? "deleted" : "being deleted"));
  }
  return kExitOk;
}

}  // namespace argosy::main
