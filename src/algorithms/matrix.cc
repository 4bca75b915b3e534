#include "algorithms/matrix.h"

#include <algorithm>

#include "algorithms/vectors.h"

// Highway compiles what lies between its markers once per instruction set, by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "algorithms/matrix.cc"
#include <hwy/foreach_target.h>
// foreach_target first
#include <hwy/highway.h>

#include "algorithms/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace argosy::algorithms::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
void MultiplyImpl(const T* a, size_t rows, size_t n, const T* b, size_t stride, T* out) {
  constexpr size_t kRowsAtOnce = 64;
  RowProduct<T> some[kRowsAtOnce + kRowsTogether];
  for (size_t r = 0; r < rows; r += kRowsAtOnce) {
    const size_t count = std::min(kRowsAtOnce, rows - r);
    for (size_t i = 0; i < count; ++i) some[i] = {a + (r + i) * n, out + (r + i) * stride};
    Product(some, count, n, b, stride, stride);
  }
}
void MultiplyFloatsImpl(const float* a, size_t rows, size_t n, const float* b, size_t stride, float* out) {
  MultiplyImpl(a, rows, n, b, stride, out);
}
void MultiplyDoublesImpl(const double* a, size_t rows, size_t n, const double* b, size_t stride, double* out) {
  MultiplyImpl(a, rows, n, b, stride, out);
}

// Four columns of x against one or two vectors of columns of p, packed behind each other.
template <bool kTwo>
void FourColumns(const float* x, size_t rows, size_t n, const float* packed, float* out, size_t stride) {
  const Wide<float> d;
  using V = hn::Vec<Wide<float>>;
  const size_t lanes = hn::Lanes(d);
  const size_t step = kTwo ? 2 * lanes : lanes;
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  for (size_t r = 0; r < rows; ++r) {
    const float* const p = x + r * n;
    const V c0 = hn::LoadU(d, packed + r * step);
    const V x0 = hn::Set(d, p[0]);
    const V x1 = hn::Set(d, p[1]);
    const V x2 = hn::Set(d, p[2]);
    const V x3 = hn::Set(d, p[3]);
    s0 = hn::MulAdd(x0, c0, s0);
    s1 = hn::MulAdd(x1, c0, s1);
    s2 = hn::MulAdd(x2, c0, s2);
    s3 = hn::MulAdd(x3, c0, s3);
    if constexpr (kTwo) {
      const V c1 = hn::LoadU(d, packed + r * step + lanes);
      t0 = hn::MulAdd(x0, c1, t0);
      t1 = hn::MulAdd(x1, c1, t1);
      t2 = hn::MulAdd(x2, c1, t2);
      t3 = hn::MulAdd(x3, c1, t3);
    }
  }
  const auto add = [&](V sum, float* to) { hn::StoreU(hn::Add(hn::LoadU(d, to), sum), d, to); };
  add(s0, out);
  add(s1, out + stride);
  add(s2, out + 2 * stride);
  add(s3, out + 3 * stride);
  if constexpr (kTwo) {
    add(t0, out + lanes);
    add(t1, out + stride + lanes);
    add(t2, out + 2 * stride + lanes);
    add(t3, out + 3 * stride + lanes);
  }
}

void AddTransposedImpl(const float* x, size_t rows, size_t n, const float* p, size_t stride, bool upper, float* out) {
  const Wide<float> d;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN float packed[kTransposedRowsMax * 2 * kLane];
  for (size_t v = 0; v < stride;) {
    const bool two = v + 2 * lanes <= stride;
    const size_t width = two ? 2 * lanes : lanes;
    for (size_t r = 0; r < rows; ++r) std::copy_n(p + r * stride + v, width, packed + r * width);
    const size_t columns = upper ? std::min(n, v + width) : n;
    for (size_t i = 0; i < columns; i += 4) {
      if (two) {
        FourColumns<true>(x + i, rows, n, packed, out + i * stride + v, stride);
      } else {
        FourColumns<false>(x + i, rows, n, packed, out + i * stride + v, stride);
      }
    }
    v += width;
  }
}

}  // namespace argosy::algorithms::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace argosy::algorithms {

HWY_EXPORT(MultiplyFloatsImpl);
HWY_EXPORT(MultiplyDoublesImpl);
HWY_EXPORT(AddTransposedImpl);

void Multiply(const float* a, size_t rows, size_t n, const float* b, size_t stride, float* out) {
  HWY_DYNAMIC_DISPATCH(MultiplyFloatsImpl)(a, rows, n, b, stride, out);
}
void Multiply(const double* a, size_t rows, size_t n, const double* b, size_t stride, double* out) {
  HWY_DYNAMIC_DISPATCH(MultiplyDoublesImpl)(a, rows, n, b, stride, out);
}
void AddTransposedProduct(const float* x, size_t rows, size_t n, const float* p, size_t stride, float* out) {
  HWY_DYNAMIC_DISPATCH(AddTransposedImpl)(x, rows, n, p, stride, false, out);
}
void AddGram(const float* x, size_t rows, size_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(AddTransposedImpl)(x, rows, n, x, n, true, out);
}

}  // namespace argosy::algorithms
#endif  // HWY_ONCE
