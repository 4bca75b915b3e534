#include "algorithms/kmeans/nearest.h"

#include <algorithm>
#include <limits>

// Highway compiles what lies between its markers once per instruction set, by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "algorithms/kmeans/nearest.cc"
#include <hwy/foreach_target.h>
// foreach_target first
#include <hwy/highway.h>

#include "algorithms/matrix-inl.h"

HWY_BEFORE_NAMESPACE();
namespace argosy::algorithms::kmeans::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using algorithms::HWY_NAMESPACE::Product;

using Floats = hn::CappedTag<float, kLane>;
using Vec = hn::Vec<Floats>;

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
  Product(x, rows, n, columns, stride, products);
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
