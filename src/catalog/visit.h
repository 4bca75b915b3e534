// All resources of a query, however many pages they fill.
#pragma once

#include <functional>

#include "catalog/catalog.h"

namespace argosy::catalog {

// Calls `visit` for each, in the query's order, until it gives false. Pages are of a size of their own.
Status Visit(Catalog& catalog, Query query, const std::function<bool(const Resource&)>& visit);
// The same to the end.
Status VisitAll(Catalog& catalog, Query query, const std::function<void(const Resource&)>& visit);

// How many there are, counted up to `most`.
Result<size_t> CountUpTo(Catalog& catalog, Query query, size_t most);

}  // namespace argosy::catalog
