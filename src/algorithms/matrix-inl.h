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

// Where a row is read, and where its products with all columns go.
template <class T>
struct RowProduct {
  const T* row;
  T* out;
};

// Eight rows against one vector of columns of b.
template <class T>
HWY_INLINE void EightRows(const RowProduct<T>* rows, size_t n, const T* b, size_t stride, size_t column) {
  const Wide<T> d;
  using V = hn::Vec<Wide<T>>;
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const T *const p0 = rows[0].row, *const p1 = rows[1].row, *const p2 = rows[2].row, *const p3 = rows[3].row;
  const T *const p4 = rows[4].row, *const p5 = rows[5].row, *const p6 = rows[6].row, *const p7 = rows[7].row;
  for (size_t j = 0; j < n; ++j) {
    const V c = hn::LoadU(d, b + j * stride);
    s0 = hn::MulAdd(hn::Set(d, p0[j]), c, s0);
    s1 = hn::MulAdd(hn::Set(d, p1[j]), c, s1);
    s2 = hn::MulAdd(hn::Set(d, p2[j]), c, s2);
    s3 = hn::MulAdd(hn::Set(d, p3[j]), c, s3);
    s4 = hn::MulAdd(hn::Set(d, p4[j]), c, s4);
    s5 = hn::MulAdd(hn::Set(d, p5[j]), c, s5);
    s6 = hn::MulAdd(hn::Set(d, p6[j]), c, s6);
    s7 = hn::MulAdd(hn::Set(d, p7[j]), c, s7);
  }
  hn::StoreU(s0, d, rows[0].out + column);
  hn::StoreU(s1, d, rows[1].out + column);
  hn::StoreU(s2, d, rows[2].out + column);
  hn::StoreU(s3, d, rows[3].out + column);
  hn::StoreU(s4, d, rows[4].out + column);
  hn::StoreU(s5, d, rows[5].out + column);
  hn::StoreU(s6, d, rows[6].out + column);
  hn::StoreU(s7, d, rows[7].out + column);
}

// Four rows against two vectors of columns: six loads for eight multiplications.
template <class T>
HWY_INLINE void FourRows(const RowProduct<T>* rows, size_t n, const T* b, size_t stride, size_t column) {
  const Wide<T> d;
  using V = hn::Vec<Wide<T>>;
  const size_t lanes = hn::Lanes(d);
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  const T *const p0 = rows[0].row, *const p1 = rows[1].row, *const p2 = rows[2].row, *const p3 = rows[3].row;
  for (size_t j = 0; j < n; ++j) {
    const V c0 = hn::LoadU(d, b + j * stride);
    const V c1 = hn::LoadU(d, b + j * stride + lanes);
    const V x0 = hn::Set(d, p0[j]);
    const V x1 = hn::Set(d, p1[j]);
    const V x2 = hn::Set(d, p2[j]);
    const V x3 = hn::Set(d, p3[j]);
    s0 = hn::MulAdd(x0, c0, s0);
    t0 = hn::MulAdd(x0, c1, t0);
    s1 = hn::MulAdd(x1, c0, s1);
    t1 = hn::MulAdd(x1, c1, t1);
    s2 = hn::MulAdd(x2, c0, s2);
    t2 = hn::MulAdd(x2, c1, t2);
    s3 = hn::MulAdd(x3, c0, s3);
    t3 = hn::MulAdd(x3, c1, t3);
  }
  hn::StoreU(s0, d, rows[0].out + column);
  hn::StoreU(t0, d, rows[0].out + column + lanes);
  hn::StoreU(s1, d, rows[1].out + column);
  hn::StoreU(t1, d, rows[1].out + column + lanes);
  hn::StoreU(s2, d, rows[2].out + column);
  hn::StoreU(t2, d, rows[2].out + column + lanes);
  hn::StoreU(s3, d, rows[3].out + column);
  hn::StoreU(t3, d, rows[3].out + column + lanes);
}

inline constexpr size_t kRowsTogether = 8;

// The products of `count` rows of n numbers with b [n × width], whose rows are `stride` apart. Behind the last of
// `rows` there is room for kRowsTogether - 1 more: the last is repeated there, since a few rows alone would take as
// long as all together.
template <class T>
HWY_INLINE void Product(RowProduct<T>* rows, size_t count, size_t n, const T* b, size_t width, size_t stride) {
  if (count == 0) return;
  for (size_t k = 1; k < kRowsTogether; ++k) rows[count - 1 + k] = rows[count - 1];
  const size_t lanes = hn::Lanes(Wide<T>());
  size_t v = 0;
  for (; v + 2 * lanes <= width; v += 2 * lanes) {
    for (size_t r = 0; r < count; r += 4) FourRows(rows + r, n, b + v, stride, v);
  }
  for (; v < width; v += lanes) {
    for (size_t r = 0; r < count; r += 8) EightRows(rows + r, n, b + v, stride, v);
  }
}

}  // namespace argosy::algorithms::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ARGOSY_ALGORITHMS_MATRIX_INL_H_
