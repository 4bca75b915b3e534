// What a session reaches of the objects, as ledger entries and assignments write it.
#pragma once

#include <vector>

#include "auth/principal.h"
#include "base/json.h"

namespace argosy::catalog {

using Reach = std::vector<auth::DataGrant>;

// [{"bucket": …, "prefix": …, "write": true}, …]
Json ReachToJson(const Reach& reach);
// What is not understood grants nothing.
Reach ReachFromJson(const Json& json);

}  // namespace argosy::catalog
