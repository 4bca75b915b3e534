#include "algorithms/kmeans/nearest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

// Highway compiles what lies between its markers once per instruction set, by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "algorithms/kmeans/nearest.cc"
#include <hwy/foreach_target.h>
// foreach_target first
#include <hwy/highway.h>

#include "algorithms/matrix-inl.h"

#ifndef ARGOSY_ALGORITHMS_KMEANS_NEAREST_ONCE
#define ARGOSY_ALGORITHMS_KMEANS_NEAREST_ONCE
namespace argosy::algorithms::kmeans {

// Of one call: their products stay in the nearest cache, and a word has a bit for each.
inline constexpr size_t kRowsAtOnce = 64;
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Some of FindNearest's rows.
struct NearestBlock {
  const float* x;  // [rows × n]
  size_t rows;
  const PackedCenters* centers;
  float* products;    // [rows × padded_count]
  uint64_t* asked;    // [padded_count / kLane]: rows whose products with these centres are taken
  RowBounds* bounds;  // null: there are none
  size_t first;       // of the rows, among those of `bounds`
  uint32_t* center;   // [rows]
  float* distance;    // [rows]
  uint64_t* compared;
};

}  // namespace argosy::algorithms::kmeans
#endif

HWY_BEFORE_NAMESPACE();
namespace argosy::algorithms::kmeans::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using algorithms::HWY_NAMESPACE::kRowsTogether;
using algorithms::HWY_NAMESPACE::Product;
using algorithms::HWY_NAMESPACE::RowProduct;

using Floats = hn::CappedTag<float, kLane>;
using Vec = hn::Vec<Floats>;

float SquareImpl(const float* x, size_t n) {
  const Floats d;
  Vec s = hn::Zero(d);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    const Vec v = hn::LoadU(d, x + j);
    s = hn::MulAdd(v, v, s);
  }
  return hn::GetLane(hn::SumOfLanes(d, s));
}

float DistanceImpl(const float* a, const float* b, size_t n) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  Vec s = hn::Zero(d);
  Vec t = hn::Zero(d);
  size_t j = 0;
  for (; j + 2 * lanes <= n; j += 2 * lanes) {
    const Vec u = hn::Sub(hn::LoadU(d, a + j), hn::LoadU(d, b + j));
    const Vec v = hn::Sub(hn::LoadU(d, a + j + lanes), hn::LoadU(d, b + j + lanes));
    s = hn::MulAdd(u, u, s);
    t = hn::MulAdd(v, v, t);
  }
  for (; j < n; j += lanes) {
    const Vec u = hn::Sub(hn::LoadU(d, a + j), hn::LoadU(d, b + j));
    s = hn::MulAdd(u, u, s);
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(s, t)));
}

// The least of |c|² - 2 x·c over kLane centres.
HWY_INLINE float LeastOf(const float* products, const float* norms) {
  const Floats d;
  const Vec minus_two = hn::Set(d, -2.0F);
  Vec least = hn::Set(d, kInfinity);
  for (size_t i = 0; i < kLane; i += hn::Lanes(d)) {
    least = hn::Min(least, hn::MulAdd(minus_two, hn::LoadU(d, products + i), hn::LoadU(d, norms + i)));
  }
  return hn::GetLane(hn::MinOfLanes(d, least));
}

// Which of them are not above `limit`, by bits.
HWY_INLINE uint32_t NotAbove(const float* products, const float* norms, float limit) {
  const Floats d;
  const Vec minus_two = hn::Set(d, -2.0F);
  const Vec most = hn::Set(d, limit);
  uint32_t found = 0;
  for (size_t i = 0; i < kLane; i += hn::Lanes(d)) {
    const Vec value = hn::MulAdd(minus_two, hn::LoadU(d, products + i), hn::LoadU(d, norms + i));
    uint8_t bits[8] = {};
    hn::StoreMaskBits(d, hn::Le(value, most), bits);
    found |= (static_cast<uint32_t>(bits[0]) | static_cast<uint32_t>(bits[1]) << 8) << i;
  }
  return found;
}

// Which rows must be compared with which centres.
void Ask(const NearestBlock& block, const uint32_t* own, const float* own_distance) {
  const size_t lane_groups = block.centers->padded_count() / kLane;
  const uint64_t all = block.rows == 64 ? ~uint64_t{0} : (uint64_t{1} << block.rows) - 1;
  if (block.bounds == nullptr) {
    std::fill_n(block.asked, lane_groups, all);
    return;
  }
  std::fill_n(block.asked, lane_groups, 0);
  const size_t groups = block.bounds->groups();
  const size_t lanes_per_group = block.bounds->lanes_per_group();
  const float* const moved = block.bounds->moved();
  const float rounding = RoundingOf(block.centers->n());
  for (size_t r = 0; r < block.rows; ++r) {
    float* const lower = block.bounds->lower(block.first + r);
    const float upper = std::sqrt(own_distance[r]) * (1 + rounding);
    for (size_t g = 0; g < groups; ++g) {
      lower[g] = (lower[g] - moved[g]) * (1 - rounding);
      if (own[r] != RowBounds::kUnknown && upper < lower[g]) continue;
      const size_t end = std::min(lane_groups, (g + 1) * lanes_per_group);
      for (size_t l = g * lanes_per_group; l < end; ++l) block.asked[l] |= uint64_t{1} << r;
    }
  }
}

// The nearest centre of a row that was compared with some.
void Decide(const NearestBlock& block, size_t r, uint32_t own, float own_distance) {
  const PackedCenters& centers = *block.centers;
  const size_t n = centers.n();
  const size_t lane_groups = centers.padded_count() / kLane;
  const float* const x = block.x + r * n;
  float* const products = block.products + r * centers.padded_count();
  const float square = SquareImpl(x, n);
  // By how much |x|² - 2 x·c + |c|² can differ from Σ (x - c)²: the one's three sums, and the other.
  const float margin = 4 * RoundingOf(n) * (square + centers.norm_max());
  float least = kInfinity;
  for (size_t l = 0; l < lane_groups; ++l) {
    if ((block.asked[l] >> r & 1) != 0)
      least = std::min(least, LeastOf(products + l * kLane, centers.norms() + l * kLane));
  }
  const float limit = std::min(own_distance, square + least) + margin - square;
  uint32_t winner = own;
  float distance = own_distance;
  for (size_t l = 0; l < lane_groups; ++l) {
    if ((block.asked[l] >> r & 1) == 0) continue;
    for (uint32_t left = NotAbove(products + l * kLane, centers.norms() + l * kLane, limit); left != 0;
         left &= left - 1) {
      const auto c = static_cast<uint32_t>(l * kLane + static_cast<size_t>(std::countr_zero(left)));
      if (c == own || c >= centers.count()) continue;
      const float d = DistanceImpl(x, centers.rows() + c * n, n);
      if (d < distance || (d == distance && c < winner) || winner == RowBounds::kUnknown) {
        winner = c;
        distance = d;
      }
    }
  }
  if (winner == RowBounds::kUnknown) {  // numbers too large for any to be compared
    winner = 0;
    distance = DistanceImpl(x, centers.rows(), n);
  }
  block.center[r] = winner;
  block.distance[r] = distance;
  if (block.bounds == nullptr) return;

  // How near the others can be: asked anew, or as before, but that the former own centre is now another.
  products[winner] = -kInfinity;
  const size_t lanes_per_group = block.bounds->lanes_per_group();
  const float rounding = RoundingOf(n);
  float* const lower = block.bounds->lower(block.first + r);
  for (size_t g = 0; g < block.bounds->groups(); ++g) {
    const size_t begin = g * lanes_per_group;
    if ((block.asked[begin] >> r & 1) != 0) {
      float second = kInfinity;
      for (size_t l = begin; l < std::min(lane_groups, begin + lanes_per_group); ++l) {
        second = std::min(second, LeastOf(products + l * kLane, centers.norms() + l * kLane));
      }
      lower[g] = std::sqrt(std::max(0.0F, square + second - margin)) * (1 - rounding);
    } else if (own != winner && own / kLane / lanes_per_group == g) {
      lower[g] = std::min(lower[g], std::sqrt(own_distance) * (1 - rounding));
    }
  }
}

void FindImpl(const NearestBlock& block) {
  const PackedCenters& centers = *block.centers;
  const size_t n = centers.n();
  const size_t stride = centers.padded_count();
  uint32_t own[kRowsAtOnce];
  float own_distance[kRowsAtOnce];
  for (size_t r = 0; r < block.rows; ++r) {
    own[r] = block.bounds == nullptr ? RowBounds::kUnknown : *block.bounds->centers(block.first + r);
    own_distance[r] =
        own[r] == RowBounds::kUnknown ? kInfinity : DistanceImpl(block.x + r * n, centers.rows() + own[r] * n, n);
  }
  Ask(block, own, own_distance);
  uint64_t any = 0;
  for (size_t l = 0; l < stride / kLane; ++l) {
    RowProduct<float> rows[kRowsAtOnce + kRowsTogether];
    size_t count = 0;
    for (uint64_t left = block.asked[l]; left != 0; left &= left - 1) {
      const auto r = static_cast<size_t>(std::countr_zero(left));
      rows[count++] = {block.x + r * n, block.products + r * stride + l * kLane};
    }
    Product(rows, count, n, centers.columns() + l * n * kLane, kLane, kLane);
    *block.compared += count * std::min(kLane, centers.count() - l * kLane);
    any |= block.asked[l];
  }
  for (size_t r = 0; r < block.rows; ++r) {
    if ((any >> r & 1) != 0) {
      Decide(block, r, own[r], own_distance[r]);
    } else {
      block.center[r] = own[r];
      block.distance[r] = own_distance[r];
    }
    if (block.bounds != nullptr) *block.bounds->centers(block.first + r) = block.center[r];
  }
}

}  // namespace argosy::algorithms::kmeans::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace argosy::algorithms::kmeans {

HWY_EXPORT(FindImpl);
HWY_EXPORT(DistanceImpl);

PackedCenters::PackedCenters(std::span<const float> centers, size_t count, size_t n)
    : count_(count),
      n_(n),
      rows_(centers.begin(), centers.begin() + static_cast<ptrdiff_t>(count * n)),
      columns_(n * PadToLane(count)),
      norms_(PadToLane(count), kInfinity) {
  for (size_t c = 0; c < count; ++c) {
    double norm = 0;
    float* const column = columns_.data() + c / kLane * n * kLane + c % kLane;
    for (size_t j = 0; j < n; ++j) {
      const float value = centers[c * n + j];
      column[j * kLane] = value;
      norm += static_cast<double>(value) * value;
    }
    norms_[c] = static_cast<float>(norm);
    norm_max_ = std::max(norm_max_, norms_[c]);
  }
}

void FindNearest(const float* x, size_t rows, const PackedCenters& centers, Nearest& found, RowBounds* bounds,
                 size_t first) {
  const size_t stride = centers.padded_count();
  found.center.resize(rows);
  found.distance.resize(rows);
  found.products.resize(kRowsAtOnce * stride);
  found.asked.resize(stride / kLane);
  if (bounds != nullptr && bounds->groups() == 0) bounds = nullptr;
  for (size_t r = 0; r < rows; r += kRowsAtOnce) {
    HWY_DYNAMIC_DISPATCH(FindImpl)
    (NearestBlock{.x = x + r * centers.n(),
                  .rows = std::min(kRowsAtOnce, rows - r),
                  .centers = &centers,
                  .products = found.products.data(),
                  .asked = found.asked.data(),
                  .bounds = bounds,
                  .first = first + r,
                  .center = found.center.data() + r,
                  .distance = found.distance.data() + r,
                  .compared = &found.compared});
  }
}

float SquaredDistance(const float* a, const float* b, size_t n) {
  return HWY_DYNAMIC_DISPATCH(DistanceImpl)(a, b, n);
}

}  // namespace argosy::algorithms::kmeans
#endif  // HWY_ONCE
