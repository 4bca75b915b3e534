// The operations by what they are about.
#pragma once

#include <memory>

#include "api/iam/context.h"

namespace argosy::api::iam {

// users.cc
Operation CreateUser(std::shared_ptr<const Context> context);
Operation GetUser(std::shared_ptr<const Context> context);
Operation ListUsers(std::shared_ptr<const Context> context);
Operation DeleteUser(std::shared_ptr<const Context> context);
Operation AttachUserPolicy(std::shared_ptr<const Context> context);
Operation ListAttachedUserPolicies(std::shared_ptr<const Context> context);
// access_keys.cc
Operation CreateAccessKey(std::shared_ptr<const Context> context);
Operation ListAccessKeys(std::shared_ptr<const Context> context);
Operation UpdateAccessKey(std::shared_ptr<const Context> context);
Operation DeleteAccessKey(std::shared_ptr<const Context> context);
// teams.cc
Operation CreateGroup(std::shared_ptr<const Context> context);
Operation GetGroup(std::shared_ptr<const Context> context);
Operation ListGroups(std::shared_ptr<const Context> context);
Operation DeleteGroup(std::shared_ptr<const Context> context);
Operation AddUserToGroup(std::shared_ptr<const Context> context);
Operation RemoveUserFromGroup(std::shared_ptr<const Context> context);
Operation ListGroupsForUser(std::shared_ptr<const Context> context);
// roles.cc
Operation GetRole(std::shared_ptr<const Context> context);
// simulation.cc
Operation SimulatePrincipalPolicy(std::shared_ptr<const Context> context);

}  // namespace argosy::api::iam
