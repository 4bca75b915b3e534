// GetRole, which SageMaker SDK v3 calls before it trains or builds anything: any error but AccessDenied or NoSuchEntity
// makes it give up.
//
// IAM's roles, as far as the SDKs ask of them. A role is a name here: a job or model may be given any, nobody takes it
// on, and no policies are attached to it. So every role exists and trusts SageMaker; what it may do: simulation.cc.
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

// A role that was never made has no time of its own; IAM itself began in September 2010.
constexpr std::string_view kRoleCreateDate = "2010-09-02T00:00:00Z";

constexpr std::string_view kTrustPolicy =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},)"
    R"("Action":"sts:AssumeRole"}]})";

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

}  // namespace

Operation GetRole(std::shared_ptr<const Context> /*context*/) {
  return {.name = "GetRole",
          .summary = "A role of any name: SageMaker is trusted, and no policies are attached.",
          .access = auth::Access::kIdentify,
          .input = Structure({Required("RoleName", String().Length(1, 64).Matching(kIamNamePattern))}),
          .run_on = RunOn::kLoop,
          .handle = [](const Call& call, const Reply& reply) { reply(DescribeRole(call)); }};
}

}  // namespace argosy::api::iam
