#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "objectstore/embedded/key_path.h"
#include "objectstore/object_store.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using argosy::Check;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (argosy::objectstore::ValidateKey(text).ok()) {
    Check(argosy::objectstore::PathToKey(argosy::objectstore::KeyToPath(text)) == text, "a key does not come back");
  }
  if (const std::optional<std::string> key = argosy::objectstore::PathToKey(text)) {
    Check(argosy::objectstore::KeyToPath(*key) == text, "a path does not come back");
  }
  return 0;
}
