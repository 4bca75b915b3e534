// STS: who is asking. And IAM as far as clients need it to go on: every action is denied, which the SDKs take as
// "policies cannot be looked at from here".
#pragma once

#include <memory>

#include "api/query_service.h"

namespace argosy::api {

std::unique_ptr<QueryService> MakeStsService();

// Answers each action it knows with AccessDenied. Any other error, an unknown action's among them, makes SageMaker SDK
// v3 give up before it has trained or built anything.
std::unique_ptr<QueryService> MakeIamService();

}  // namespace argosy::api
