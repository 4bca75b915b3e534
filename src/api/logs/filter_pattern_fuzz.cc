// Patterns from clients: parsing ends, matching ends.
#include <cstdint>
#include <string_view>

#include "api/logs/filter_pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t half = size / 2;
  const auto pattern = argosy::api::FilterPattern::Parse(text.substr(0, half));
  if (pattern.ok()) (void)pattern->Matches(text.substr(half));
  return 0;
}
