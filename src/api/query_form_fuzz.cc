// The form body of the query protocol.
#include <cstdlib>

#include "api/query_service.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::optional<argosy::api::Form> form = argosy::api::ParseForm(text);
  if (!form) return 0;
  for (const auto& [key, value] : *form) {
    if (argosy::api::EscapeXml(value).size() < value.size()) abort();
  }
  return 0;
}
