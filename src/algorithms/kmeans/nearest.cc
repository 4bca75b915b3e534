#include "algorithms/kmeans/nearest.h"

#include <algorithm>
#include <limits>

// Highway compiles what lies between its markers once per instruction set, by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "algorithms/kmeans/nearest.cc"
#include <hwy/foreach_target.h>
// foreach_target first
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace argosy::algorithms::kmeans::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kLane>;
using Vec = hn::Vec<Floats>;

// Eight rows against one vector of centres.
void EightRows(const float* x, size_t n, const float* columns, size_t stride, float* out) {
  const Floats d;
  Vec s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (size_t j = 0; j < n; ++j) {
    const Vec c = hn::LoadU(d, columns + j * stride);
    const float* const p = x + j;
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

// Four rows against two vectors of centres: six loads for eight multiplications.
void FourRows(const float* x, size_t n, const float* columns, size_t stride, float* out) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  Vec s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  for (size_t j = 0; j < n; ++j) {
    const Vec c0 = hn::LoadU(d, columns + j * stride);
    const Vec c1 = hn::LoadU(d, columns + j * stride + lanes);
    const float* const p = x + j;
    const Vec x0 = hn::Set(d, p[0]);
    const Vec x1 = hn::Set(d, p[n]);
    const Vec x2 = hn::Set(d, p[2 * n]);
    const Vec x3 = hn::Set(d, p[3 * n]);
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

void OneRow(const float* x, size_t n, const float* columns, size_t stride, float* out) {
  const Floats d;
  Vec s = hn::Zero(d);
  for (size_t j = 0; j < n; ++j) s = hn::MulAdd(hn::Set(d, x[j]), hn::LoadU(d, columns + j * stride), s);
  hn::StoreU(s, d, out);
}

void ProductsImpl(const float* x, size_t rows, size_t n, const float* columns, size_t stride, float* out) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  size_t v = 0;
  for (; v + 2 * lanes <= stride; v += 2 * lanes) {
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) FourRows(x + r * n, n, columns + v, stride, out + r * stride + v);
    for (; r < rows; ++r) {
      OneRow(x + r * n, n, columns + v, stride, out + r * stride + v);
      OneRow(x + r * n, n, columns + v + lanes, stride, out + r * stride + v + lanes);
    }
  }
  for (; v < stride; v += lanes) {
    size_t r = 0;
    for (; r + 8 <= rows; r += 8) EightRows(x + r * n, n, columns + v, stride, out + r * stride + v);
    for (; r < rows; ++r) OneRow(x + r * n, n, columns + v, stride, out + r * stride + v);
  }
}

// The least of norm - 2 · product of one row, and where it stands.
void LeastImpl(const float* products, const float* norms, size_t count, uint32_t* where, float* least) {
  const Floats d;
  const hn::RebindToUnsigned<Floats> du;
  const size_t lanes = hn::Lanes(d);
  const Vec minus_two = hn::Set(d, -2.0F);
  Vec best = hn::Set(d, std::numeric_limits<float>::infinity());
  auto best_at = hn::Zero(du);
  auto at = hn::Iota(du, 0);
  const auto step = hn::Set(du, static_cast<uint32_t>(lanes));
  for (size_t c = 0; c < count; c += lanes) {
    const Vec value = hn::MulAdd(minus_two, hn::LoadU(d, products + c), hn::LoadU(d, norms + c));
    const auto less = hn::Lt(value, best);
    best = hn::IfThenElse(less, value, best);
    best_at = hn::IfThenElse(hn::RebindMask(du, less), at, best_at);
    at = hn::Add(at, step);
  }
  HWY_ALIGN float values[kLane];
  HWY_ALIGN uint32_t places[kLane];
  hn::StoreU(best, d, values);
  hn::StoreU(best_at, du, places);
  size_t winner = 0;
  for (size_t i = 1; i < lanes; ++i) {
    if (values[i] < values[winner] || (values[i] == values[winner] && places[i] < places[winner])) winner = i;
  }
  *where = places[winner];
  *least = values[winner];
}

float SquareImpl(const float* x, size_t n) {
  const Floats d;
  Vec s = hn::Zero(d);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    const Vec v = hn::LoadU(d, x + j);
    s = hn::MulAdd(v, v, s);
  }
  return hn::GetLane(hn::SumOfLanes(d, s));
}

// All rows of a block: one dispatch for all of them.
void FindImpl(const float* x, size_t rows, size_t n, const float* columns, const float* norms, size_t stride,
              float* products, uint32_t* center, float* distance) {
  ProductsImpl(x, rows, n, columns, stride, products);
  for (size_t r = 0; r < rows; ++r) {
    float least = 0;
    LeastImpl(products + r * stride, norms, stride, center + r, &least);
    distance[r] = std::max(0.0F, SquareImpl(x + r * n, n) + least);
  }
}

}  // namespace argosy::algorithms::kmeans::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace argosy::algorithms::kmeans {

HWY_EXPORT(FindImpl);

PackedCenters::PackedCenters(std::span<const float> centers, size_t count, size_t n)
    : count_(count),
      n_(n),
      columns_(n * PadToLane(count)),
      norms_(PadToLane(count), std::numeric_limits<float>::infinity()) {
  const size_t stride = padded_count();
  for (size_t c = 0; c < count; ++c) {
    double norm = 0;
    for (size_t j = 0; j < n; ++j) {
      const float value = centers[c * n + j];
      columns_[j * stride + c] = value;
      norm += static_cast<double>(value) * value;
    }
    norms_[c] = static_cast<float>(norm);
  }
}

void FindNearest(const float* x, size_t rows, const PackedCenters& centers, Nearest& found) {
  constexpr size_t kRowsAtOnce = 64;  // their products stay in the nearest cache
  const size_t stride = centers.padded_count();
  found.center.resize(rows);
  found.distance.resize(rows);
  found.products.resize(kRowsAtOnce * stride);
  for (size_t r = 0; r < rows; r += kRowsAtOnce) {
    HWY_DYNAMIC_DISPATCH(FindImpl)
    (x + r * centers.n(), std::min(kRowsAtOnce, rows - r), centers.n(), centers.columns(), centers.norms(), stride,
     found.products.data(), found.center.data() + r, found.distance.data() + r);
  }
}

}  // namespace argosy::algorithms::kmeans
#endif  // HWY_ONCE
