// Matrix products in registers, for files that Highway compiles once per instruction set: include it between their
// HWY_BEFORE_NAMESPACE and after <hwy/highway.h>. Everything is row-major; widths are padded to kLane floats (kLane / 2
// doubles), so no loop has a tail.
#if defined(ARGOSY_ALGORITHMS_MATRIX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ARGOSY_ALGORITHMS_MATRIX_INL_H_
#undef ARGOSY_ALGORITHMS_MATRIX_INL_H_
#else
#define ARGOSY_ALGORITHMS_MATRIX_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "algorithms/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace argosy::algorithms::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The widest vector of T within kLane floats' bytes.
template <class T>
using Wide = hn::CappedTag<T, kLane * sizeof(float) / sizeof(T)>;

// Eight rows of a [8 × n] against one vector of columns of b.
template <class T>
HWY_INLINE void EightRows(const T* a, size_t n, const T* b, size_t stride, T* out) {
  const Wide<T> d;
  using V = hn::Vec<Wide<T>>;
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (size_t j = 0; j < n; ++j) {
    const V c = hn::LoadU(d, b + j * stride);
    const T* const p = a + j;
    s0 = hn::MulAdd(hn::Set(d, p[0]), c, s0);
    s1 = hn::MulAdd(hn::Set(d, p[n]), c, s1);
    s2 = hn::MulAdd(hn::Set(d, p[2 * n]), c, s2);
    s3 = hn::MulAdd(hn::Set(d, p[3 * n]), c, s3);
    s4 = hn::MulAdd(hn::Set(d, p[4 * n]), c, s4);
    s5 = hn::MulAdd(hn::Set(d, p[5 * n]), c, s5);
    s6 = hn::MulAdd(hn::Set(d, p[6 * n]), c, s6);
    s7 = hn::MulAdd(hn::Set(d, p[7 * n]), c, s7);
  }
  hn::StoreU(s0, d, out);
  hn::StoreU(s1, d, out + stride);
  hn::StoreU(s2, d, out + 2 * stride);
  hn::StoreU(s3, d, out + 3 * stride);
  hn::StoreU(s4, d, out + 4 * stride);
  hn::StoreU(s5, d, out + 5 * stride);
  hn::StoreU(s6, d, out + 6 * stride);
  hn::StoreU(s7, d, out + 7 * stride);
}

// Four rows against two vectors of columns: six loads for eight multiplications.
template <class T>
HWY_INLINE void FourRows(const T* a, size_t n, const T* b, size_t stride, T* out) {
  const Wide<T> d;
  using V = hn::Vec<Wide<T>>;
  const size_t lanes = hn::Lanes(d);
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  for (size_t j = 0; j < n; ++j) {
    const V c0 = hn::LoadU(d, b + j * stride);
    const V c1 = hn::LoadU(d, b + j * stride + lanes);
    const T* const p = a + j;
    const V x0 = hn::Set(d, p[0]);
    const V x1 = hn::Set(d, p[n]);
    const V x2 = hn::Set(d, p[2 * n]);
    const V x3 = hn::Set(d, p[3 * n]);
    s0 = hn::MulAdd(x0, c0, s0);
    t0 = hn::MulAdd(x0, c1, t0);
    s1 = hn::MulAdd(x1, c0, s1);
    t1 = hn::MulAdd(x1, c1, t1);
    s2 = hn::MulAdd(x2, c0, s2);
    t2 = hn::MulAdd(x2, c1, t2);
    s3 = hn::MulAdd(x3, c0, s3);
    t3 = hn::MulAdd(x3, c1, t3);
  }
  hn::StoreU(s0, d, out);
  hn::StoreU(t0, d, out + lanes);
  hn::StoreU(s1, d, out + stride);
  hn::StoreU(t1, d, out + stride + lanes);
  hn::StoreU(s2, d, out + 2 * stride);
  hn::StoreU(t2, d, out + 2 * stride + lanes);
  hn::StoreU(s3, d, out + 3 * stride);
  hn::StoreU(t3, d, out + 3 * stride + lanes);
}

template <class T>
HWY_INLINE void OneRow(const T* a, size_t n, const T* b, size_t stride, T* out) {
  const Wide<T> d;
  auto s = hn::Zero(d);
  for (size_t j = 0; j < n; ++j) s = hn::MulAdd(hn::Set(d, a[j]), hn::LoadU(d, b + j * stride), s);
  hn::StoreU(s, d, out);
}

// out [rows × stride] = a [rows × n] · b [n × stride]
template <class T>
HWY_INLINE void Product(const T* a, size_t rows, size_t n, const T* b, size_t stride, T* out) {
  const size_t lanes = hn::Lanes(Wide<T>());
  size_t v = 0;
  for (; v + 2 * lanes <= stride; v += 2 * lanes) {
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) FourRows(a + r * n, n, b + v, stride, out + r * stride + v);
    for (; r < rows; ++r) {
      OneRow(a + r * n, n, b + v, stride, out + r * stride + v);
      OneRow(a + r * n, n, b + v + lanes, stride, out + r * stride + v + lanes);
    }
  }
  for (; v < stride; v += lanes) {
    size_t r = 0;
    for (; r + 8 <= rows; r += 8) EightRows(a + r * n, n, b + v, stride, out + r * stride + v);
    for (; r < rows; ++r) OneRow(a + r * n, n, b + v, stride, out + r * stride + v);
  }
}

}  // namespace argosy::algorithms::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ARGOSY_ALGORITHMS_MATRIX_INL_H_
