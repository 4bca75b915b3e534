#include "catalog/visit.h"

#include <utility>

namespace argosy::catalog {
namespace {

constexpr size_t kPage = 200;  // a job with its request is some 5 kB: a page is about a megabyte

}  // namespace

Status Visit(Catalog& catalog, Query query, const std::function<bool(const Resource&)>& visit) {
  query.max_results = kPage;
  do {
    Result<Page> page = catalog.List(query);
    if (!page.ok()) return page.error();
    for (const Resource& resource : page->resources) {
      if (!visit(resource)) return {};
    }
    query.page_token = std::move(page->next_token);
  } while (!query.page_token.empty());
  return {};
}

Status VisitAll(Catalog& catalog, Query query, const std::function<void(const Resource&)>& visit) {
  return Visit(catalog, std::move(query), [&](const Resource& resource) {
    visit(resource);
    return true;
  });
}

Result<size_t> CountUpTo(Catalog& catalog, Query query, size_t most) {
  size_t count = 0;
  const Status counted = Visit(catalog, std::move(query), [&](const Resource&) { return ++count < most; });
  if (!counted.ok()) return counted.error();
  return count;
}

}  // namespace argosy::catalog
