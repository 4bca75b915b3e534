// The operations by what they are about.
#pragma once

#include <memory>

#include "api/iam/context.h"

namespace argosy::api::iam {

// roles.cc
Operation GetRole(std::shared_ptr<const Context> context);
Operation SimulatePrincipalPolicy(std::shared_ptr<const Context> context);

}  // namespace argosy::api::iam
