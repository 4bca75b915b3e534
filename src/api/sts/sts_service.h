// STS: who is asking. And IAM as far as clients need it to go on.
#pragma once

#include <memory>

#include "api/query_service.h"

namespace argosy::api {

std::unique_ptr<QueryService> MakeStsService();

std::unique_ptr<QueryService> MakeIamService();

}  // namespace argosy::api
