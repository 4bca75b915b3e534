// argosy endpoints [ENDPOINT]
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cost/instance_types.h"
#include "main/api_client.h"
#include "main/endpoint_view.h"
#include "main/format.h"
#include "main/json_access.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

constexpr size_t kEndpointsShownMax = 1000;

// Dollars an hour of all variants; nothing when a type has no price.
std::optional<int64_t> HourlyCost(ApiClient& client, const Json& endpoint) {
  const Result<Json> config =
      client.SageMaker("DescribeEndpointConfig", {{"EndpointConfigName", TextAt(endpoint, "EndpointConfigName")}});
  if (!config.ok()) return std::nullopt;  // an endpoint outlives its configuration
  std::map<std::string, std::string> types;
  for (const Json& variant : ArrayAt(*config, "ProductionVariants")) {
    types[TextAt(variant, "VariantName")] = TextAt(variant, "InstanceType");
  }
  int64_t sum = 0;
  for (const Json& variant : ArrayAt(endpoint, "ProductionVariants")) {
    const std::optional<cost::InstanceType> type = cost::FindInstanceType(types[TextAt(variant, "VariantName")]);
    if (!type) return std::nullopt;
    sum += type->nano_dollars_per_hour * static_cast<int64_t>(NumberAt(variant, "CurrentInstanceCount").value_or(0));
  }
  return sum;
}

Result<Json> DescribeAll(ApiClient& client, const std::string& only) {
  Json all = Json::array();
  std::vector<std::string> names;
  if (!only.empty()) {
    names.push_back(only);
  } else {
    std::string token;
    do {
      Json request = {{"MaxResults", 100}};
      if (!token.empty()) request["NextToken"] = token;
      const Result<Json> page = client.SageMaker("ListEndpoints", request);
      if (!page.ok()) return page.error();
      for (const Json& endpoint : ArrayAt(*page, "Endpoints")) names.push_back(TextAt(endpoint, "EndpointName"));
      token = TextAt(*page, "NextToken");
    } while (!token.empty() && names.size() < kEndpointsShownMax);
  }
  for (const std::string& name : names) {
    Result<Json> described = client.SageMaker("DescribeEndpoint", {{"EndpointName", name}});
    if (described.ok()) {
      all.push_back(std::move(*described));
    } else if (!only.empty() || described.error().code() != ErrorCode::kNotFound) {
      return described.error();
    }
  }
  return all;
}

}  // namespace

int RunEndpoints(const Settings& settings, const EndpointsArgs& args) {
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return Fail(client.error());
  const Result<Json> all = DescribeAll(*client, args.name);
  if (!all.ok()) return Fail(args.name.empty() ? all.error() : all.error().Wrap(args.name));
  if (args.form == OutputForm::kJson) {
    PrintJson(args.name.empty() ? *all : all->front());
    return kExitOk;
  }
  if (all->empty()) {
    Note("no endpoints; make one with `argosy deploy JOB`");
    return kExitOk;
  }
  const Time now = SystemClock().Now();
  Table table({{"ENDPOINT"},
               {"STATUS"},
               {"INSTANCES", Align::kRight},
               {"MADE BY"},
               {"CREATED"},
               {"COST/H", Align::kRight},
               {"REASON", Align::kLeft, TooLong::kWrap}});
  for (const Json& one : *all) {
    const EndpointView endpoint = ReadEndpoint(one);
    const std::optional<int64_t> cost = HourlyCost(*client, one);
    table.Add({endpoint.name, endpoint.status, std::to_string(endpoint.instances), MakerAt(one),
               endpoint.created ? FormatAge(now - *endpoint.created) : "", cost ? FormatNanoDollars(*cost) : "",
               endpoint.failure_reason});
  }
  Print(table.Render(OutputWidth()));
  if (!args.name.empty()) Print("\n" + HowToCall(args.name, client->endpoint()));
  return kExitOk;
}

}  // namespace argosy::main
