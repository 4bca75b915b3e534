#include "api/iam/iam_service.h"

#include <utility>

#include "api/iam/families.h"
#include "api/query_operations.h"

namespace argosy::api {

std::vector<Operation> IamOperations(IamDeps deps) {
  const auto context = std::make_shared<const iam::Context>(iam::Context{deps});
  std::vector<Operation> operations;
  for (auto* declare : {
           iam::CreateUser,
           iam::GetUser,
           iam::ListUsers,
           iam::DeleteUser,
           iam::AttachUserPolicy,
           iam::ListAttachedUserPolicies,
           iam::CreateAccessKey,
           iam::ListAccessKeys,
           iam::UpdateAccessKey,
           iam::DeleteAccessKey,
           iam::CreateGroup,
           iam::GetGroup,
           iam::ListGroups,
           iam::DeleteGroup,
           iam::AddUserToGroup,
           iam::RemoveUserFromGroup,
           iam::ListGroupsForUser,
           iam::GetRole,
           iam::SimulatePrincipalPolicy,
       }) {
    operations.push_back(declare(context));
  }
  return operations;
}

std::unique_ptr<Service> MakeIamService(IamDeps deps) {
  return std::make_unique<QueryOperations>(
      FormProtocol{.name = "IAM", .xml_namespace = "https://iam.amazonaws.com/doc/2010-05-08/", .action_prefix = "iam"},
      IamOperations(deps), deps.pool);
}

}  // namespace argosy::api
