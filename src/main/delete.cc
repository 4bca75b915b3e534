// argosy delete ENDPOINT
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "main/api_client.h"
#include "main/endpoint_view.h"
#include "main/json_access.h"
#include "main/sources.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

// Gone already is as good as deleted.
Status DeleteIfThere(ApiClient& client, std::string_view operation, const Json& request) {
  const Result<Json> deleted = client.SageMaker(operation, request);
  if (deleted.ok() || deleted.error().code() == ErrorCode::kNotFound) return {};
  return deleted.error();
}

// Adds the names in a List operation's answer that `deploy` makes for the endpoint: one for each time it was switched.
Status AddMadeByDeploy(ApiClient& client, const std::string& operation, const std::string& list,
                       const std::string& name_key, const std::string& endpoint, std::set<std::string>& names) {
  std::string token;
  do {
    Json request = {{"NameContains", endpoint}, {"MaxResults", 100}};
    if (!token.empty()) request["NextToken"] = token;
    const Result<Json> page = client.SageMaker(operation, request);
    if (!page.ok()) return page.error();
    for (const Json& one : ArrayAt(*page, list)) {
      if (const std::string name = TextAt(one, name_key); IsNameOf(endpoint, name)) names.insert(name);
    }
    token = TextAt(*page, "NextToken");
  } while (!token.empty());
  return {};
}

}  // namespace

int RunDelete(const Settings& settings, const DeleteArgs& args) {
  constexpr auto kPause = std::chrono::milliseconds(50);
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return Fail(client.error());
  const Json by_name = {{"EndpointName", args.name}};
  const Result<Json> described = client->SageMaker("DescribeEndpoint", by_name);
  if (!described.ok()) return Fail(described.error().Wrap(args.name));
  const std::string config = ReadEndpoint(*described).config_name;
  std::set<std::string> configs{config};
  std::set<std::string> models;
  const Result<Json> config_described = client->SageMaker("DescribeEndpointConfig", {{"EndpointConfigName", config}});
  if (config_described.ok()) {
    for (const Json& variant : ArrayAt(*config_described, "ProductionVariants"))
      models.insert(TextAt(variant, "ModelName"));
  }
  Status rest =
      AddMadeByDeploy(*client, "ListEndpointConfigs", "EndpointConfigs", "EndpointConfigName", args.name, configs);
  if (rest.ok()) rest = AddMadeByDeploy(*client, "ListModels", "Models", "ModelName", args.name, models);
  if (!rest.ok()) return Fail(rest.error());
  const Result<Json> deleted = client->SageMaker("DeleteEndpoint", by_name);
  if (!deleted.ok()) return Fail(deleted.error());
  for (const std::string& one : configs) {
    if (rest.ok()) rest = DeleteIfThere(*client, "DeleteEndpointConfig", {{"EndpointConfigName", one}});
  }
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
