// Decimal text to numbers, in place and without allocation: the inner loop of every text reader.
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace argosy::data {

// Larger values cannot be kept as floats.
inline constexpr double kFloatMax = std::numeric_limits<float>::max();

struct ParsedNumber {
  const char* end;  // behind the number; null when there is none at the start of the text
  double value;
};

namespace internal {
// Powers of ten that a double holds exactly: value * or / one of them is rounded once, hence correct, when value has at
// most 53 bits (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
inline constexpr std::array<double, 23> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                        1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
}  // namespace internal

// [+-] digits [. digits] [e [+-] digits], at least one digit before the exponent. No infinities, NaN or hexadecimal:
// they are not numbers here. Out of the range of double: null as well.
inline ParsedNumber ParseNumber(const char* begin, const char* end) {
  const char* p = begin;
  bool negative = false;
  if (p != end && (*p == '-' || *p == '+')) {
    negative = *p == '-';
    ++p;
  }
  const char* const digits_begin = p;
  uint64_t mantissa = 0;
  while (p != end && static_cast<unsigned char>(*p - '0') < 10) {
    mantissa = mantissa * 10 + static_cast<unsigned char>(*p - '0');
    ++p;
  }
  int64_t digits = p - digits_begin;
  int64_t exponent = 0;
  if (p != end && *p == '.') {
    const char* const fraction_begin = ++p;
    while (p != end && static_cast<unsigned char>(*p - '0') < 10) {
      mantissa = mantissa * 10 + static_cast<unsigned char>(*p - '0');
      ++p;
    }
    exponent = fraction_begin - p;
    digits += p - fraction_begin;
  }
  if (digits == 0) return {nullptr, 0};
  if (p != end && (*p == 'e' || *p == 'E')) {
    const char* q = p + 1;
    bool negative_exponent = false;
    if (q != end && (*q == '-' || *q == '+')) {
      negative_exponent = *q == '-';
      ++q;
    }
    if (q == end || static_cast<unsigned char>(*q - '0') >= 10) return {nullptr, 0};
    int64_t written = 0;
    for (; q != end && static_cast<unsigned char>(*q - '0') < 10; ++q) {
      if (written < 100000) written = written * 10 + (*q - '0');
    }
    exponent += negative_exponent ? -written : written;
    p = q;
  }
  // 19 digits cannot overflow 64 bits; whether they need more than 53 is seen below.
  if (digits <= 19 && mantissa <= (uint64_t{1} << 53) && exponent >= -22 && exponent <= 22) [[likely]] {
    auto value = static_cast<double>(mantissa);
    value = exponent < 0 ? value / internal::kPowersOfTen[static_cast<size_t>(-exponent)]
                         : value * internal::kPowersOfTen[static_cast<size_t>(exponent)];
    return {p, negative ? -value : value};
  }
  double value = 0;
  const auto [stop, code] = std::from_chars(digits_begin, p, value);
  // Too small to hold reads as zero, which is what it is to any use here; too large is no number.
  if (code == std::errc::result_out_of_range && exponent < 0) return {p, 0.0};
  if (code != std::errc() || stop != p) return {nullptr, 0};
  return {p, negative ? -value : value};
}

namespace internal {
inline constexpr uint64_t kOnes = 0x0101010101010101ULL;

// The last `length` (1 to 8) characters before `end`, digits as 0 … 9, the last one in the highest byte and zeros
// before the first. There must be 8 bytes before `end`.
inline uint64_t WordBefore(const char* end, size_t length) {
  uint64_t text = 0;
  std::memcpy(&text, end - 8, sizeof text);
  return (text ^ (kOnes * '0')) & (~uint64_t{0} << (64 - 8 * length));
}

inline bool AreDigits(uint64_t word) {
  return (((word + kOnes * 0x76) | word) & (kOnes * 0x80)) == 0;
}

// Multiplied by instead of divided by 10^k, which would take as long as all else. The product is off by less than 2^-51
// of itself. m / 10^k with m < 2^24 and k ≤ 7 is never half-way between two floats, and no nearer to that than 2^-49 of
// itself: so both round to the same float.
alignas(64) inline constexpr std::array<double, 8> kTenths = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7};

// Lemire, "Quickly parsing eight digits", 2018.
inline uint32_t NumberOfDigits(uint64_t word) {
  word = word * 10 + (word >> 8);
  return static_cast<uint32_t>(((word & 0x000000FF000000FFULL) * 0x000F424000000064ULL +
                                ((word >> 16) & 0x000000FF000000FFULL) * 0x0000271000000001ULL) >>
                               32);
}
}  // namespace internal

// Reads all of [begin, end) as a number when it is written plainly: perhaps a minus, then digits and perhaps a point,
// no more than eight characters. False when it is written otherwise (it may be a number all the same: ParseNumber
// knows). Eight bytes before `end` must be readable. The same as ParseNumber's, rounded to a float.
//
// All characters are looked at together in one 64-bit word. plain_numbers.h does the same to a vector of fields.
inline bool ParsePlainFloat(const char* begin, const char* end, float& value) {
  const bool negative = begin != end && *begin == '-';
  if (end - begin > 8) return false;
  const auto length = static_cast<size_t>(end - begin) - (negative ? 1 : 0);
  if (length == 0) return false;
  uint64_t text = internal::WordBefore(end, length);
  const uint64_t no_point = text ^ (internal::kOnes * ('.' ^ '0'));
  const uint64_t point = (no_point - internal::kOnes) & ~no_point & (internal::kOnes * 0x80);
  unsigned decimals = 0;
  if (point != 0) {
    const auto at = static_cast<unsigned>(std::countr_zero(point)) & ~7U;  // of the first one
    if (length == 1) return false;
    decimals = 7 - at / 8;
    const uint64_t before = (uint64_t{1} << at) - 1;
    const uint64_t behind = decimals == 0 ? 0 : ~uint64_t{0} << (at + 8);
    text = (text & before) << 8 | (text & behind);
  }
  if (!internal::AreDigits(text)) return false;
  const double magnitude = static_cast<double>(internal::NumberOfDigits(text)) * internal::kTenths[decimals];
  value = static_cast<float>(std::copysign(magnitude, negative ? -1.0 : 1.0));
  return true;
}

}  // namespace argosy::data
