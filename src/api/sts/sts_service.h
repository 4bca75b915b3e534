// STS: who is asking.
#pragma once

#include <memory>

#include "api/query_service.h"

namespace argosy::api {

std::unique_ptr<QueryService> MakeStsService();

}  // namespace argosy::api
