#include "api/sts/sts_service.h"

#include <utility>

namespace argosy::api {
namespace {

using Outcome = std::variant<std::string, ServiceError>;

Outcome CallerIdentity(const Form& /*form*/, const auth::Principal& principal) {
  return "<Arn>" + EscapeXml(principal.arn) + "</Arn><UserId>" + EscapeXml(principal.name) + "</UserId><Account>" +
         std::string(auth::kAccountId) + "</Account>";
}

QueryAction Denied(std::string name) {
  return {.name = name,
          .summary = "Answered with AccessDenied.",
          .handle = [name](const Form& /*form*/, const auth::Principal& principal) -> Outcome {
            return ServiceError{403, "AccessDenied",
                                "User: " + principal.arn + " is not authorized to perform: iam:" + name +
                                    ". Argosy has no IAM policies to look at."};
          }};
}

}  // namespace

std::unique_ptr<QueryService> MakeStsService() {
  std::vector<QueryAction> actions;
  actions.push_back(
      {.name = "GetCallerIdentity", .summary = "The account and the principal of the key.", .handle = CallerIdentity});
  return std::make_unique<QueryService>("STS", "https://sts.amazonaws.com/doc/2011-06-15/", std::move(actions));
}

std::unique_ptr<QueryService> MakeIamService() {
  std::vector<QueryAction> actions;
  actions.push_back(Denied("SimulatePrincipalPolicy"));
  actions.push_back(Denied("GetRole"));
  return std::make_unique<QueryService>("IAM", "https://iam.amazonaws.com/doc/2010-05-08/", std::move(actions));
}

}  // namespace argosy::api
