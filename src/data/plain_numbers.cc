#include "data/plain_numbers.h"

#include <algorithm>

#include "data/number.h"

// Highway compiles what lies between its markers once per instruction set, by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/plain_numbers.cc"
#include <hwy/foreach_target.h>
// foreach_target first
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace argosy::data::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

size_t ParseImpl(const char* base, const uint32_t* at, size_t count, float* out) {
  for (size_t k = 0; k < count; ++k) {
    if (!ParsePlainFloat(base + static_cast<uint32_t>(at[k - 1] + 1), base + at[k], out[k])) return k;
  }
  return count;
}

#else

// One field in each 64-bit word, its last character in the highest byte: where a field begins costs a shift, and no
// branch depends on its length. ParsePlainFloat says why what is done here is right.
using Words = hn::CappedTag<uint64_t, kPlainFieldsAhead>;
using Floats = hn::Rebind<float, Words>;
using Lengths = hn::Rebind<uint32_t, Words>;
using Bytes = hn::Repartition<uint8_t, Words>;
using V = hn::Vec<Words>;
constexpr Words d;

constexpr uint64_t Each(uint64_t pattern, unsigned bits) {
  return bits >= 64 ? pattern : Each(pattern | pattern << bits, 2 * bits);
}

// Which words have no byte above 9.
HWY_INLINE hn::Mask<Words> AreDigits(V text) {
  const auto above = hn::SaturatedSub(hn::BitCast(Bytes(), text), hn::Set(Bytes(), 9));
  return hn::Eq(hn::BitCast(d, above), hn::Zero(d));
}

// Of eight digits in each word the number, as a double.
HWY_INLINE hn::Vec<hn::Rebind<double, Words> > NumbersOf(V text) {
  const hn::Repartition<uint16_t, Words> d16;
  const hn::Repartition<uint32_t, Words> d32;
  const hn::Rebind<double, Words> df;
  // Neighbours together: two digits, four, eight.
  const V low = hn::Set(d, Each(0xFF, 16));
  const V tens = hn::BitCast(d, hn::Mul(hn::BitCast(d16, hn::And(text, low)), hn::Set(d16, 10)));
  const V twos = hn::Add(tens, hn::BitCast(d, hn::ShiftRight<8>(hn::BitCast(d16, text))));
  const V hundreds = hn::BitCast(d, hn::Mul(hn::BitCast(d16, twos), hn::Set(d16, 100)));
  const V fours = hn::Add(hundreds, hn::BitCast(d, hn::ShiftRight<16>(hn::BitCast(d32, twos))));
  const V high = hn::And(fours, hn::Set(d, 0xFFFF));
  const V eights = hn::Add(hn::MulEven(hn::BitCast(d32, high), hn::Set(d32, 10000)),
                           hn::And(hn::ShiftRight<32>(fours), hn::Set(d, 0xFFFF)));
  // To a double by its bits: 2^52 has room for the number behind it.
  const V two_to_52 = hn::Set(d, 0x4330000000000000);
  return hn::Sub(hn::BitCast(df, hn::Or(eights, two_to_52)), hn::BitCast(df, two_to_52));
}

// The same of words with signs and points, whose `length` characters are those of `keep`; `plain` says which are
// numbers.
HWY_INLINE hn::Vec<hn::Rebind<double, Words> > SignedNumbersOf(V text, V length, V keep, hn::Mask<Words>& plain) {
  const hn::Rebind<double, Words> df;
  const V zero = hn::Zero(d);
  const auto bytes_that_are = [](V word, char c) {
    const auto wanted = hn::Set(Bytes(), static_cast<uint8_t>(c ^ '0'));
    return hn::BitCast(d, hn::VecFromMask(Bytes(), hn::Eq(hn::BitCast(Bytes(), word), wanted)));
  };
  const V first = hn::AndNot(hn::ShiftLeft<8>(keep), keep);
  const V minus = hn::And(bytes_that_are(text, '-'), first);
  text = hn::AndNot(minus, text);
  const V points = bytes_that_are(text, '.');
  const V point = hn::And(points, hn::Sub(zero, points));  // lowest bit of the first one; another is no digit
  const V ahead = hn::Sub(point, hn::Set(d, 1));           // all bits where there is none
  const V behind = hn::Not(hn::Sub(hn::ShiftLeft<8>(point), hn::Set(d, 1)));
  const auto has_minus = hn::Ne(minus, zero);
  const auto has_point = hn::Ne(point, zero);
  const V whole = hn::And(text, ahead);
  text = hn::Or(hn::IfThenElse(has_point, hn::ShiftLeft<8>(whole), whole), hn::And(text, behind));
  const V marks = hn::Add(hn::VecFromMask(d, has_minus), hn::VecFromMask(d, has_point));  // -1 for each
  plain = hn::And(AreDigits(text), hn::Ne(hn::Add(length, marks), zero));
  const V decimals = hn::SumsOf8(hn::BitCast(Bytes(), hn::And(behind, hn::Set(d, Each(1, 8)))));
  // Times 10^-1, 10^-2 and 10^-4 as the bits of `decimals` say.
  const auto one = hn::Set(df, 1.0);
  const auto by = [&](uint64_t bit, double tenths) {
    return hn::IfThenElse(hn::RebindMask(df, hn::TestBit(decimals, hn::Set(d, bit))), hn::Set(df, tenths), one);
  };
  const auto number = hn::Mul(hn::Mul(NumbersOf(text), by(4, 1e-4)), hn::Mul(by(1, 1e-1), by(2, 1e-2)));
  const V sign = hn::And(hn::VecFromMask(d, has_minus), hn::Set(d, uint64_t{1} << 63));
  return hn::Xor(number, hn::BitCast(df, sign));
}

// The eight bytes before each of `ends`. Gathering instructions take longer.
template <size_t kCount>
HWY_INLINE hn::Vec<hn::CappedTag<uint64_t, kCount> > LoadWords(const char* base, const uint32_t* ends) {
  if constexpr (kCount == 1) {
    return hn::LoadU(hn::CappedTag<uint64_t, 1>(),
                     reinterpret_cast<const uint64_t*>(base + ends[0] - sizeof(uint64_t)));
  } else {
    return hn::Combine(hn::CappedTag<uint64_t, kCount>(), LoadWords<kCount / 2>(base, ends + kCount / 2),
                       LoadWords<kCount / 2>(base, ends));
  }
}

// The numbers of as many fields as a vector has words; `plain` says which are written plainly.
HWY_INLINE hn::Vec<Floats> ParseFields(const char* base, const uint32_t* at, hn::Mask<Words>& plain) {
  const auto ends = hn::LoadU(Lengths(), at);
  const auto lengths = hn::Sub(hn::Sub(ends, hn::LoadU(Lengths(), at - 1)), hn::Set(Lengths(), 1));
  const V length = hn::PromoteTo(d, lengths);
  const V word = LoadWords<hn::MaxLanes(d)>(base, at);
  const V outside = hn::And(hn::Sub(hn::Set(d, 8), length), hn::Set(d, 7));  // bytes, of fields that fit
  const V keep = hn::Shl(hn::Set(d, ~uint64_t{0}), hn::ShiftLeft<3>(outside));
  const V text = hn::And(hn::Xor(word, hn::Set(d, Each('0', 8))), keep);  // digits are 0 … 9, nothing is 0
  const auto fits = hn::Eq(hn::AndNot(hn::Set(d, 7), hn::Sub(length, hn::Set(d, 1))), hn::Zero(d));
  plain = AreDigits(text);
  const auto numbers = HWY_LIKELY(hn::AllTrue(d, plain)) ? NumbersOf(text) : SignedNumbersOf(text, length, keep, plain);
  plain = hn::And(plain, fits);
  return hn::DemoteTo(Floats(), numbers);
}

// Eight fields of one digit each, with the delimiters behind them, at `text`: in tables of counts, flags and pixels
// most are. False when they are not.
HWY_INLINE bool ParseSingleDigits(const char* text, float* out) {
  const hn::CappedTag<uint16_t, kPlainFieldsAhead> d16;
  const hn::Half<decltype(d16)> half;
  const hn::Rebind<int32_t, decltype(half)> di;
  const hn::Rebind<float, decltype(half)> df;
  const auto pairs = hn::Xor(hn::LoadU(d16, reinterpret_cast<const uint16_t*>(text)), hn::Set(d16, ',' << 8 | '0'));
  if (!hn::AllTrue(d16, hn::Eq(hn::SaturatedSub(pairs, hn::Set(d16, 9)), hn::Zero(d16)))) return false;
  hn::StoreU(hn::ConvertTo(df, hn::PromoteTo(di, hn::LowerHalf(half, pairs))), df, out);
  hn::StoreU(hn::ConvertTo(df, hn::PromoteTo(di, hn::UpperHalf(half, pairs))), df, out + hn::Lanes(half));
  return true;
}

size_t ParseImpl(const char* base, const uint32_t* at, size_t count, float* out) {
  const size_t lanes = hn::Lanes(d);
  for (size_t k = 0; k < count; k += lanes) {
    while (count - k >= 8 && at[k + 7] - at[k - 1] == 16) {
      const uint32_t begin = at[k - 1] + 1;  // 0 behind the -1 before the first byte
      if (!ParseSingleDigits(base + begin, out + k)) break;
      k += 8;
    }
    if (k == count) break;
    hn::Mask<Words> plain;
    const auto numbers = ParseFields(base, at + k, plain);
    const size_t some = std::min(lanes, count - k);
    if (some == lanes) {
      hn::StoreU(numbers, Floats(), out + k);
    } else {
      float last[kPlainFieldsAhead];
      hn::StoreU(numbers, Floats(), last);
      std::copy_n(last, some, out + k);
    }
    if (HWY_UNLIKELY(!hn::AllTrue(d, plain))) {
      const auto good = static_cast<size_t>(hn::FindFirstTrue(d, hn::Not(plain)));
      if (good < some) return k + good;
    }
  }
  return count;
}

#endif

}  // namespace argosy::data::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace argosy::data {

HWY_EXPORT(ParseImpl);

size_t ParsePlainFields(const char* base, const uint32_t* at, size_t count, float* out) {
  return HWY_DYNAMIC_DISPATCH(ParseImpl)(base, at, count, out);
}

}  // namespace argosy::data
#endif  // HWY_ONCE
