#include "data/delimiters.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "data/plain_numbers.h"

// Highway compiles what lies between its markers once per instruction set, by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/delimiters.cc"
#include <hwy/foreach_target.h>
// foreach_target first
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace argosy::data::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Bytes of one vector: its mask fits in a word.
using Bytes = hn::CappedTag<uint8_t, 64>;

size_t FindImpl(const char* text, size_t size, uint32_t* out) {
  const Bytes d;
  const size_t lanes = hn::Lanes(d);
  const auto comma = hn::Set(d, ',');
  const auto newline = hn::Set(d, '\n');
  const uint32_t* const begin = out;
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto v = hn::LoadU(d, reinterpret_cast<const uint8_t*>(text) + i);
    uint8_t bytes[8] = {};
    hn::StoreMaskBits(d, hn::Or(hn::Eq(v, comma), hn::Eq(v, newline)), bytes);
    uint64_t mask = 0;
    std::memcpy(&mask, bytes, sizeof mask);
    // Eight at a time without asking whether there are so many: a branch for each would be guessed wrong at each end.
    const auto count = static_cast<size_t>(std::popcount(mask));
    for (size_t written = 0; written < count; written += 8) {
      for (size_t k = 0; k < 8; ++k) {
        out[written + k] = static_cast<uint32_t>(i) + static_cast<uint32_t>(std::countr_zero(mask));
        mask &= mask - 1;
      }
    }
    out += count;
  }
  for (; i < size; ++i) {
    if (text[i] == ',' || text[i] == '\n') *out++ = static_cast<uint32_t>(i);
  }
  return static_cast<size_t>(out - begin);
}

size_t CountImpl(const char* text, size_t size, uint8_t byte) {
  const Bytes d;
  const size_t lanes = hn::Lanes(d);
  const auto wanted = hn::Set(d, byte);
  size_t count = 0;
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    count += hn::CountTrue(d, hn::Eq(hn::LoadU(d, reinterpret_cast<const uint8_t*>(text) + i), wanted));
  }
  for (; i < size; ++i) count += static_cast<uint8_t>(text[i]) == byte ? 1 : 0;
  return count;
}

}  // namespace argosy::data::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace argosy::data {

HWY_EXPORT(FindImpl);

void Delimiters::Find(std::string_view text) {
  constexpr size_t kWrittenBeyond = 8;  // by FindImpl
  constexpr size_t kBehind = 1 + std::max(kWrittenBeyond, kPlainFieldsAhead);
  if (places_.size() < 1 + text.size() + kBehind) places_.resize(1 + text.size() + kBehind);
  uint32_t* const first = places_.data() + 1;
  first[-1] = ~uint32_t{0};
  count_ = HWY_DYNAMIC_DISPATCH(FindImpl)(text.data(), text.size(), first);
  std::fill_n(first + count_, kBehind, static_cast<uint32_t>(text.size()));
  if (!text.ends_with('\n')) ++count_;
}

HWY_EXPORT(CountImpl);

size_t CountByte(std::string_view text, char byte) {
  return HWY_DYNAMIC_DISPATCH(CountImpl)(text.data(), text.size(), static_cast<uint8_t>(byte));
}

}  // namespace argosy::data
#endif  // HWY_ONCE
