#include "main/byte_size.h"

#include "base/bytes.h"

namespace argosy::main {

std::optional<uint64_t> ParseByteSize(std::string_view text) {
  uint64_t unit = 1;
  if (text.ends_with('B') || text.ends_with('b')) text.remove_suffix(1);
  if (text.ends_with('i')) text.remove_suffix(1);
  if (!text.empty()) {
    switch (text.back()) {
      case 'k':
      case 'K':
        unit = 1ull << 10;
        break;
      case 'm':
      case 'M':
        unit = 1ull << 20;
        break;
      case 'g':
      case 'G':
        unit = 1ull << 30;
        break;
      case 't':
      case 'T':
        unit = 1ull << 40;
        break;
      default:
        break;
    }
    if (unit != 1) text.remove_suffix(1);
  }
  const std::optional<double> n = ParseDouble(text);
  if (!n || !(*n >= 0) || *n * static_cast<double>(unit) >= 0x1.0p63) return std::nullopt;
  return static_cast<uint64_t>(*n * static_cast<double>(unit));
}

}  // namespace argosy::main
