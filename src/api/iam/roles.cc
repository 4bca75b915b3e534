#include "api/iam/roles.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "auth/principal.h"
#include "base/bytes.h"

namespace argosy::api::iam {
namespace {

using Outcome = std::variant<std::string, ServiceError>;

constexpr size_t kRoleNameMax = 64;
constexpr size_t kResultsMax = 1000;      // of a page; IAM's
constexpr size_t kResultsDefault = 100;   // IAM's
constexpr size_t kActionNameMax = 128;    // IAM's
constexpr size_t kResourceArnMax = 2048;  // IAM's
// A role that was never made has no time of its own; IAM itself began in September 2010.
constexpr std::string_view kCreateDate = "2010-09-02T00:00:00Z";

constexpr std::string_view kTrustPolicy =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},)"
    R"("Action":"sts:AssumeRole"}]})";

ServiceError Invalid(std::string message) {
  return {400, "ValidationError", std::move(message)};
}

std::string_view Field(const Form& form, std::string_view name) {
  const auto found = form.find(name);
  return found == form.end() ? std::string_view() : std::string_view(found->second);
}

// The values of `name.member.1`, `name.member.2`, … up to the first that is not there.
std::vector<std::string> ListField(const Form& form, std::string_view name) {
  std::vector<std::string> values;
  for (size_t i = 1;; ++i) {
    const auto found = form.find(std::string(name) + ".member." + std::to_string(i));
    if (found == form.end()) return values;
    values.push_back(found->second);
  }
}

bool IsRoleName(std::string_view name) {
  return !name.empty() && name.size() <= kRoleNameMax && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("_+=,.@-").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// As IAM's: a prefix that says what it is of, then what is unique. The same name has the same one always.
std::string RoleId(std::string_view name) {
  std::string id = "AROA" + Sha256Hex(name).substr(0, 17);
  std::transform(id.begin(), id.end(), id.begin(), [](unsigned char c) { return std::toupper(c); });
  return id;
}

Outcome GetRole(const Form& form, const auth::Principal& /*principal*/) {
  const std::string name(Field(form, "RoleName"));
  if (!IsRoleName(name)) {
    return Invalid("The specified value for roleName is invalid. It must have 1 to " + std::to_string(kRoleNameMax) +
                   " letters, digits and characters of +=,.@-_");
  }
  return "<Role><Path>/</Path><RoleName>" + EscapeXml(name) + "</RoleName><RoleId>" + RoleId(name) +
         "</RoleId><Arn>arn:aws:iam::" + std::string(auth::kAccountId) + ":role/" + EscapeXml(name) +
         "</Arn><CreateDate>" + std::string(kCreateDate) + "</CreateDate><AssumeRolePolicyDocument>" +
         PercentEncode(kTrustPolicy) +
         "</AssumeRolePolicyDocument><MaxSessionDuration>3600</MaxSessionDuration></Role>";
}

std::string EvaluationXml(const std::string& action, const std::string& resource) {
  return "<member><EvalActionName>" + EscapeXml(action) + "</EvalActionName><EvalResourceName>" + EscapeXml(resource) +
         "</EvalResourceName><EvalDecision>allowed</EvalDecision><MatchedStatements/><MissingContextValues/></member>";
}

std::optional<ServiceError> CheckSimulation(const std::string& source, const std::vector<std::string>& actions,
                                            const std::vector<std::string>& resources) {
  const std::string account = "arn:aws:iam::" + std::string(auth::kAccountId) + ":";
  if (!source.starts_with(account + "role/") && !source.starts_with(account + "user/")) {
    if (!source.starts_with("arn:")) return Invalid("Invalid Entity Arn: " + source.substr(0, kResourceArnMax));
    return ServiceError{404, "NoSuchEntity", "The entity '" + source.substr(0, kResourceArnMax) + "' cannot be found."};
  }
  if (actions.empty()) return Invalid("ActionNames must have at least one member, such as s3:GetObject.");
  for (const std::string& action : actions) {
    if (action.size() > kActionNameMax || action.find(':') == std::string::npos) {
      return Invalid("'" + action.substr(0, kActionNameMax) + "' is no action: it must be like s3:GetObject.");
    }
  }
  for (const std::string& resource : resources) {
    if (resource.empty() || resource.size() > kResourceArnMax) {
      return Invalid("Each of ResourceArns must have 1 to " + std::to_string(kResourceArnMax) + " characters.");
    }
  }
  return std::nullopt;
}

Outcome SimulatePrincipalPolicy(const Form& form, const auth::Principal& /*principal*/) {
  const std::vector<std::string> actions = ListField(form, "ActionNames");
  std::vector<std::string> resources = ListField(form, "ResourceArns");
  if (auto error = CheckSimulation(std::string(Field(form, "PolicySourceArn")), actions, resources)) return *error;
  if (resources.empty()) resources.emplace_back("*");

  // Results in order, the resources of an action after each other; a marker is the number of the next.
  const std::string_view limit = Field(form, "MaxItems");
  const std::string_view marker = Field(form, "Marker");
  const std::optional<int64_t> most = limit.empty() ? std::optional<int64_t>(kResultsDefault) : ParseInt(limit);
  if (!most || *most < 1 || *most > static_cast<int64_t>(kResultsMax)) {
    return Invalid("MaxItems must be a number from 1 to " + std::to_string(kResultsMax) + ".");
  }
  const size_t total = actions.size() * resources.size();
  const std::optional<int64_t> begin = marker.empty() ? std::optional<int64_t>(0) : ParseInt(marker);
  if (!begin || *begin < 0 || *begin > static_cast<int64_t>(total)) return Invalid("Invalid Marker.");
  const size_t end = std::min(total, static_cast<size_t>(*begin + *most));

  std::string xml = "<EvaluationResults>";
  for (auto i = static_cast<size_t>(*begin); i < end; ++i) {
    xml += EvaluationXml(actions[i / resources.size()], resources[i % resources.size()]);
  }
  xml += "</EvaluationResults><IsTruncated>";
  return xml + (end < total ? "true</IsTruncated><Marker>" + std::to_string(end) + "</Marker>" : "false</IsTruncated>");
}

}  // namespace

std::vector<QueryAction> RoleActions() {
  return {
      {.name = "GetRole",
       .summary = "A role of any name: SageMaker is trusted, and no policies are attached.",
       .handle = GetRole},
      {.name = "SimulatePrincipalPolicy",
       .summary = "Every action is allowed to a role: what a job reaches is decided by its session.",
       .handle = SimulatePrincipalPolicy},
  };
}

}  // namespace argosy::api::iam
