// argosy delete ENDPOINT
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

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

// All names in a List operation's answer that have `part` in them.
Result<std::vector<std::string>> ListNames(ApiClient& client, const std::string& operation, const std::string& list,
                                           const std::string& name_key, const std::string& part) {
  std::vector<std::string> names;
  std::string token;
  do {
    Json request = {{"MaxResults", 100}};
    if (!part.empty()) request["NameContains"] = part;
    if (!token.empty()) request["NextToken"] = token;
    const Result<Json> page = client.SageMaker(operation, request);
    if (!page.ok()) return page.error();
    for (const Json& one : ArrayAt(*page, list)) names.push_back(TextAt(one, name_key));
    token = TextAt(*page, "NextToken");
  } while (!token.empty());
  return names;
}

// Adds the names in a List operation's answer that `deploy` makes for the endpoint: one for each time it was switched.
Status AddMadeByDeploy(ApiClient& client, const std::string& operation, const std::string& list,
                       const std::string& name_key, const std::string& endpoint, std::set<std::string>& names) {
  const Result<std::vector<std::string>> listed = ListNames(client, operation, list, name_key, endpoint);
  if (!listed.ok()) return listed.error();
  for (const std::string& name : *listed) {
    if (IsNameOf(endpoint, name)) names.insert(name);
  }
  return {};
}

// Takes out of `configs` those that another endpoint has or is moving to, and says so.
Status KeepConfigsInUse(ApiClient& client, const std::string& endpoint, std::set<std::string>& configs) {
  const Result<std::vector<std::string>> others = ListNames(client, "ListEndpoints", "Endpoints", "EndpointName", "");
  if (!others.ok()) return others.error();
  for (const std::string& other : *others) {
    if (other == endpoint) continue;
    const Result<Json> described = client.SageMaker("DescribeEndpoint", {{"EndpointName", other}});
    if (!described.ok() && described.error().code() == ErrorCode::kNotFound) continue;
    if (!described.ok()) return described.error();
    for (const std::string& used : {ReadEndpoint(*described).config_name,
                                    TextAt(ObjectAt(*described, "PendingDeploymentSummary"), "EndpointConfigName")}) {
      if (configs.erase(used) > 0) Note(fmt::format("endpoint config {} is kept: endpoint {} uses it", used, other));
    }
  }
  return {};
}

// Takes out of `models` those that a config names which is not among `configs`, and says so.
Status KeepModelsInUse(ApiClient& client, const std::set<std::string>& configs, std::set<std::string>& models) {
  const Result<std::vector<std::string>> others =
      ListNames(client, "ListEndpointConfigs", "EndpointConfigs", "EndpointConfigName", "");
  if (!others.ok()) return others.error();
  for (const std::string& other : *others) {
    if (configs.contains(other)) continue;
    const Result<Json> described = client.SageMaker("DescribeEndpointConfig", {{"EndpointConfigName", other}});
    if (!described.ok() && described.error().code() == ErrorCode::kNotFound) continue;
    if (!described.ok()) return described.error();
    for (const Json& variant : ArrayAt(*described, "ProductionVariants")) {
      const std::string used = TextAt(variant, "ModelName");
      if (models.erase(used) > 0) Note(fmt::format("model {} is kept: endpoint config {} names it", used, other));
    }
  }
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
  if (rest.ok()) rest = KeepConfigsInUse(*client, args.name, configs);
  if (rest.ok() && args.model == ModelFate::kDelete) rest = KeepModelsInUse(*client, configs, models);
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
