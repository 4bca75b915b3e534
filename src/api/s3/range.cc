#include "api/s3/range.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/bytes.h"

namespace argosy::api::s3 {
namespace {

// Digits alone; what does not fit is past any object's end.
std::optional<uint64_t> ParsePosition(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return UINT64_MAX;
  return value;
}

}  // namespace

Range ParseRange(std::string_view header, uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  header = Trim(header);
  if (header.size() < kUnit.size() || !EqualsIgnoreCase(header.substr(0, kUnit.size()), kUnit)) return WholeObject{};
  const std::string_view range = Trim(header.substr(kUnit.size()));
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) return WholeObject{};
  const std::string_view before = Trim(range.substr(0, dash));
  const std::string_view after = Trim(range.substr(dash + 1));
  const std::optional<uint64_t> last = ParsePosition(after);
  if (before.empty()) {
    if (!last) return WholeObject{};
    const uint64_t length = std::min(*last, size);
    if (length == 0) return NotSatisfiable{};
    return ByteRange{size - length, length};
  }
  const std::optional<uint64_t> first = ParsePosition(before);
  if (!first || (!last && !after.empty())) return WholeObject{};
  if (last && *last < *first) return WholeObject{};
  if (*first >= size) return NotSatisfiable{};
  const uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return ByteRange{*first, end - *first + 1};
}

}  // namespace argosy::api::s3
