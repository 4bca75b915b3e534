#include "objectstore/attach.h"

#include "objectstore/embedded/embedded_store.h"
#include "objectstore/outside/outside_store.h"

namespace argosy::objectstore {

Result<std::unique_ptr<ObjectReader>> AttachStore(const std::filesystem::path& dir, const Clock* clock,
                                                  Random* random) {
  Result<std::unique_ptr<ObjectReader>> outside = OutsideStore::Attach(dir, clock, random);
  if (outside.ok() || outside.error().code() != ErrorCode::kNotFound) return outside;
  return EmbeddedStore::Attach(dir);
}

}  // namespace argosy::objectstore
