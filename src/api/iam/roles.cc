// GetRole, SimulatePrincipalPolicy, which SageMaker SDK v3 calls before it trains or builds anything: any error but
// AccessDenied or NoSuchEntity makes it give up, a decision other than "allowed" makes it warn.
//
// IAM's roles, as far as the SDKs ask of them. A role is a name here: a job or model may be given any, nobody takes it
// on, and no policies are attached to it. So every role exists, trusts SageMaker, and may do what is asked of it: what
// a job's program may reach is decided by its session, whatever its role is called.
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/iam/families.h"
#include "api/patterns.h"
#include "auth/principal.h"
#include "base/bytes.h"
#include "catalog/json_fields.h"

namespace argosy::api::iam {
namespace {

using catalog::TextField;

constexpr int64_t kDecisionsMax = 1000;     // of a page; IAM's
constexpr int64_t kDecisionsDefault = 100;  // IAM's
constexpr int64_t kActionNameMax = 128;     // IAM's
constexpr int64_t kArnMax = 2048;           // IAM's
constexpr int64_t kMarkerMax = 8192;
// A role that was never made has no time of its own; IAM itself began in September 2010.
constexpr std::string_view kRoleCreateDate = "2010-09-02T00:00:00Z";

constexpr std::string_view kTrustPolicy =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},)"
    R"("Action":"sts:AssumeRole"}]})";

ServiceError InvalidSimulation(std::string message) {
  return {400, "ValidationError", std::move(message)};
}

// As IAM's: a prefix that says what it is of, then what is unique. The same name has the same one always.
std::string RoleId(std::string_view name) {
  std::string id = "AROA" + Sha256Hex(name).substr(0, 17);
  std::transform(id.begin(), id.end(), id.begin(), [](unsigned char c) { return std::toupper(c); });
  return id;
}

Answer DescribeRole(const Call& call) {
  const std::string name = TextField(call.input, "RoleName");
  return DumpJson(Json{{"Role",
                        {{"Path", "/"},
                         {"RoleName", name},
                         {"RoleId", RoleId(name)},
                         {"Arn", "arn:aws:iam::" + std::string(auth::kAccountId) + ":role/" + name},
                         {"CreateDate", kRoleCreateDate},
                         {"AssumeRolePolicyDocument", PercentEncode(kTrustPolicy)},
                         {"MaxSessionDuration", 3600}}}});
}

std::optional<ServiceError> CheckSimulation(const std::string& source, const Json& actions) {
  const std::string account = "arn:aws:iam::" + std::string(auth::kAccountId) + ":";
  if (!source.starts_with(account + "role/") && !source.starts_with(account + "user/")) {
    if (!source.starts_with("arn:")) return InvalidSimulation("Invalid Entity Arn: " + source);
    return ServiceError{404, "NoSuchEntity", "The entity '" + source + "' cannot be found."};
  }
  for (const Json& action : actions) {
    if (action.get_ref<const std::string&>().find(':') == std::string::npos) {
      return InvalidSimulation("'" + action.get<std::string>() + "' is no action: it must be like s3:GetObject.");
    }
  }
  return std::nullopt;
}

Answer Simulate(const Call& call) {
  const Json& actions = catalog::ArrayField(call.input, "ActionNames");
  Json resources = catalog::ArrayField(call.input, "ResourceArns");
  if (auto error = CheckSimulation(TextField(call.input, "PolicySourceArn"), actions)) return *error;
  if (resources.empty()) resources.push_back("*");

  // Results in order, the resources of an action after each other; a marker is the number of the next.
  const int64_t most = catalog::IntField(call.input, "MaxItems", kDecisionsDefault);
  const std::string marker = TextField(call.input, "Marker");
  const auto total = static_cast<int64_t>(actions.size() * resources.size());
  const std::optional<int64_t> begin = marker.empty() ? std::optional<int64_t>(0) : ParseInt(marker);
  if (!begin || *begin < 0 || *begin > total) return InvalidSimulation("Invalid Marker.");
  const int64_t end = std::min(total, *begin + most);

  Json results = Json::array();
  for (auto i = static_cast<size_t>(*begin); i < static_cast<size_t>(end); ++i) {
    results.push_back({{"EvalActionName", actions[i / resources.size()]},
                       {"EvalResourceName", resources[i % resources.size()]},
                       {"EvalDecision", "allowed"},
                       {"MatchedStatements", Json::array()},
                       {"MissingContextValues", Json::array()}});
  }
  Json answer = {{"EvaluationResults", std::move(results)}, {"IsTruncated", end < total}};
  if (end < total) answer["Marker"] = std::to_string(end);
  return DumpJson(answer);
}

}  // namespace

Operation GetRole(std::shared_ptr<const Context> /*context*/) {
  return {.name = "GetRole",
          .summary = "A role of any name: SageMaker is trusted, and no policies are attached.",
          .access = auth::Access::kIdentify,
          .input = Structure({Required("RoleName", String().Length(1, 64).Matching(kIamNamePattern))}),
          .run_on = RunOn::kLoop,
          .handle = [](const Call& call, const Reply& reply) { reply(DescribeRole(call)); }};
}

Operation SimulatePrincipalPolicy(std::shared_ptr<const Context> /*context*/) {
  return {.name = "SimulatePrincipalPolicy",
          .summary = "Every action is allowed to a role: what a job reaches is decided by its session.",
          .access = auth::Access::kIdentify,
          .input = Structure({
              Required("PolicySourceArn", String().Length(1, kArnMax)),
              Required("ActionNames", List(String().Length(1, kActionNameMax)).AtLeast(1)),
              Optional("ResourceArns", List(String().Length(1, kArnMax))),
              Optional("MaxItems", Integer().Range(1, kDecisionsMax)),
              Optional("Marker", String().AtMost(kMarkerMax)),
              Optional("PolicyInputList", Document()).Refused("policies"),
              Optional("PermissionsBoundaryPolicyInputList", Document()).Refused("policies"),
              Optional("ResourcePolicy", Document()).Refused("policies"),
          }),
          .run_on = RunOn::kLoop,
          .handle = [](const Call& call, const Reply& reply) { reply(Simulate(call)); }};
}

}  // namespace argosy::api::iam
