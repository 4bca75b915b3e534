// SimulatePrincipalPolicy: what a user or a role may do, told by the very tables that are asked when it is done.
//
// SageMaker SDK v3 asks it of a role before it trains or builds anything. A role here is a name that work is given:
// what runs under it has a session of its job (auth/principal.h). So a role may do what such a session may, with the
// data of any job, since any may be given to one.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/iam/families.h"
#include "api/iam/key_feed.h"
#include "auth/credentials.h"
#include "base/bytes.h"
#include "catalog/json_fields.h"

namespace argosy::api::iam {
namespace {

using catalog::Kind;
using catalog::TextField;

constexpr int64_t kDecisionsMax = 1000;     // of a page; IAM's
constexpr int64_t kDecisionsDefault = 100;  // IAM's
constexpr int64_t kActionNameMax = 128;     // IAM's
constexpr int64_t kArnMax = 2048;           // IAM's
constexpr int64_t kMarkerMax = 8192;

// What SageMaker does for a job in the name of its role, and the SDK asks for: fetching images, reaching networks and
// keys, writing logs and metrics. The server does all that by itself here, or it is not needed; no role can lack it.
constexpr std::string_view kDoneForJobs[] = {
    "ecr:", "ec2:", "kms:", "logs:Create", "logs:Put", "cloudwatch:PutMetricData"};

bool IsDoneForJobs(std::string_view action) {
  return std::any_of(std::begin(kDoneForJobs), std::end(kDoneForJobs),
                     [&](std::string_view done) { return action.starts_with(done); });
}

ServiceError InvalidSimulation(std::string message) {
  return {400, "ValidationError", std::move(message)};
}

ServiceError NoSuchSource(const std::string& arn) {
  return {404, "NoSuchEntity", "The entity '" + arn + "' cannot be found."};
}

// Whose permissions are asked for.
struct Source {
  auth::Principal principal;
  bool is_role = false;
};

std::variant<Source, ServiceError> SourceOf(const Context& context, const std::string& arn) {
  if (!arn.starts_with("arn:")) return InvalidSimulation("Invalid Entity Arn: " + arn);
  const std::string account = "arn:aws:iam::" + std::string(auth::kAccountId) + ":";
  if (arn.starts_with(account + "role/")) {
    return Source{{.kind = auth::PrincipalKind::kJob, .name = "", .arn = arn}, true};
  }
  const auth::Principal owner = auth::OwnerPrincipal();
  if (arn == owner.arn) return Source{owner};
  if (!arn.starts_with(account + "user/")) return NoSuchSource(arn);
  const auto found = FindUser(context, arn.substr(arn.rfind('/') + 1));
  if (const auto* error = std::get_if<ServiceError>(&found)) {
    return error->code == "NoSuchEntity" ? NoSuchSource(arn) : *error;
  }
  Result<auth::Principal> user = PrincipalOf(std::get<catalog::Resource>(found));
  if (!user.ok()) return FromError(user.error());
  if (user->arn != arn) return NoSuchSource(arn);  // of another team
  return Source{std::move(*user)};
}

bool IsAllowed(const Context& context, const Source& source, const std::string& action, const std::string& resource) {
  if (!source.is_role) return context.deps.may_do(source.principal, action, resource).value_or(false);
  if (IsDoneForJobs(action)) return true;
  auth::Principal session = source.principal;
  if (const std::optional<auth::ObjectName> object = auth::ObjectOfArn(resource)) {
    session.grants = {{object->bucket, "", auth::DataGrant::Use::kReadWrite}};
  }
  return context.deps.may_do(session, action, resource).value_or(false);
}

Answer Simulate(const Context& context, const Call& call) {
  const Json& actions = catalog::ArrayField(call.input, "ActionNames");
  Json resources = catalog::ArrayField(call.input, "ResourceArns");
  if (resources.empty()) resources.push_back("*");
  for (const Json& action : actions) {
    if (action.get_ref<const std::string&>().find(':') == std::string::npos) {
      return InvalidSimulation("'" + action.get<std::string>() + "' is no action: it must be like s3:GetObject.");
    }
  }
  const std::variant<Source, ServiceError> found = SourceOf(context, TextField(call.input, "PolicySourceArn"));
  if (const auto* error = std::get_if<ServiceError>(&found)) return *error;
  const auto& source = std::get<Source>(found);

  // Results in order, the resources of an action after each other; a marker is the number of the next.
  const int64_t most = catalog::IntField(call.input, "MaxItems", kDecisionsDefault);
  const std::string marker = TextField(call.input, "Marker");
  const auto total = static_cast<int64_t>(actions.size() * resources.size());
  const std::optional<int64_t> begin = marker.empty() ? std::optional<int64_t>(0) : ParseInt(marker);
  if (!begin || *begin < 0 || *begin > total) return InvalidSimulation("Invalid Marker.");
  const int64_t end = std::min(total, *begin + most);

  Json results = Json::array();
  for (auto i = static_cast<size_t>(*begin); i < static_cast<size_t>(end); ++i) {
    const auto& action = actions[i / resources.size()].get_ref<const std::string&>();
    const auto& resource = resources[i % resources.size()].get_ref<const std::string&>();
    results.push_back({{"EvalActionName", action},
                       {"EvalResourceName", resource},
                       {"EvalDecision", IsAllowed(context, source, action, resource) ? "allowed" : "implicitDeny"},
                       {"MatchedStatements", Json::array()},
                       {"MissingContextValues", Json::array()}});
  }
  Json answer = {{"EvaluationResults", std::move(results)}, {"IsTruncated", end < total}};
  if (end < total) answer["Marker"] = std::to_string(end);
  return DumpJson(answer);
}

}  // namespace

Operation SimulatePrincipalPolicy(std::shared_ptr<const Context> context) {
  return {.name = "SimulatePrincipalPolicy",
          .summary = "What a user may do, or the work that is given a role: each action with each resource.",
          .access = auth::Access::kRead,
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
          .handle = [context = std::move(context)](const Call& call, const Reply& reply) {
            reply(Simulate(*context, call));
          }};
}

}  // namespace argosy::api::iam
