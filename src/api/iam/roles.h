// IAM's roles, as far as the SDKs ask of them. A role is a name here: a job or model may be given any, nobody takes it
// on, and no policies are attached to it. So every role exists, trusts SageMaker, and may do what is asked of it: what
// a job's program may reach is decided by its session, whatever its role is called.
#pragma once

#include <vector>

#include "api/query_service.h"

namespace argosy::api::iam {

// GetRole and SimulatePrincipalPolicy, which SageMaker SDK v3 calls before it trains or builds anything: any error but
// AccessDenied or NoSuchEntity makes it give up, a decision other than "allowed" makes it warn.
std::vector<QueryAction> RoleActions();

}  // namespace argosy::api::iam
