// Only for fuzz targets: bytes that are nearly right, as damage and malice leave them. A stream that has a checksum or
// unpacks is hit upon by no chance; what is an edit of a good one goes far.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace argosy {

inline constexpr size_t kFuzzEditBytes = 4;
inline constexpr size_t kFuzzEditsMax = 16;

// Of `edits` each four bytes are one: what is done, a place (two of them), with what number. Bytes that the last one
// lacks are 0. What lies before `from` stays.
inline std::string Edited(std::string bytes, size_t from, std::string_view edits) {
  constexpr uint64_t kNumbers[] = {0,
                                   1,
                                   std::numeric_limits<uint64_t>::max(),
                                   uint64_t{1} << 16,
                                   uint64_t{1} << 31,
                                   uint64_t{1} << 32,
                                   uint64_t{1} << 63,
                                   std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN()),
                                   std::bit_cast<uint64_t>(-std::numeric_limits<double>::infinity()),
                                   std::bit_cast<uint64_t>(1e300)};
  edits = edits.substr(0, kFuzzEditBytes * kFuzzEditsMax);
  for (size_t i = 0; i < edits.size(); i += kFuzzEditBytes) {
    const auto byte = [&](size_t at) {
      return i + at < edits.size() ? static_cast<uint8_t>(edits[i + at]) : uint8_t{0};
    };
    const size_t at = from + (byte(1) + size_t{256} * byte(2)) % (bytes.size() - from + 1);
    const size_t count = size_t{1} << (byte(0) / 4 % 4);
    const uint64_t number = byte(3) < 200 ? byte(3) : kNumbers[byte(3) % std::size(kNumbers)];
    const std::string value = std::string(reinterpret_cast<const char*>(&number), sizeof number).substr(0, count);
    switch (byte(0) % 4) {
      case 0:  // written over
        bytes.replace(at, std::min(count, bytes.size() - at), value);
        break;
      case 1:
        bytes.insert(at, value);
        break;
      case 2:
        bytes.erase(at, count);
        break;
      case 3:  // cut off
        bytes.resize(at);
        break;
    }
  }
  return bytes;
}

}  // namespace argosy
