#include <cstddef>
#include <cstdint>
#include <cstring>

#include "api/s3/conditions.h"
#include "api/s3/range.h"
#include "base/result.h"
#include "http/http_date.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy::api::s3;
  uint64_t object_size = 0;
  if (size < sizeof object_size) return 0;
  std::memcpy(&object_size, data, sizeof object_size);
  const std::string_view text(reinterpret_cast<const char*>(data) + sizeof object_size, size - sizeof object_size);
  const Range range = ParseRange(text, object_size);
  if (const auto* bytes = std::get_if<ByteRange>(&range)) {
    argosy::Check(bytes->length > 0 && bytes->length <= object_size && bytes->first <= object_size - bytes->length,
                  "a range leaves its object");
  }
  (void)argosy::http::ParseHttpDate(text);
  (void)NamesEtag(text, "etag");
  return 0;
}
