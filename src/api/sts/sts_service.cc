#include "api/sts/sts_service.h"

#include <utility>

namespace argosy::api {
namespace {

using Outcome = std::variant<std::string, ServiceError>;

Outcome CallerIdentity(const Form& /*form*/, const auth::Principal& principal) {
  return "<Arn>" + EscapeXml(principal.arn) + "</Arn><UserId>" +
         EscapeXml(principal.id.empty() ? principal.name : principal.id) + "</UserId><Account>" +
         std::string(auth::kAccountId) + "</Account>";
}

}  // namespace

std::unique_ptr<QueryService> MakeStsService() {
  std::vector<QueryAction> actions;
  actions.push_back(
      {.name = "GetCallerIdentity", .summary = "The account and the principal of the key.", .handle = CallerIdentity});
  return std::make_unique<QueryService>("STS", "https://sts.amazonaws.com/doc/2011-06-15/", std::move(actions));
}

}  // namespace argosy::api
