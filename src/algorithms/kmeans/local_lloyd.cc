#include "algorithms/kmeans/local_lloyd.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "algorithms/kmeans/nearest.h"

namespace argosy::algorithms::kmeans {
namespace {

double WeightOf(const WeightedPoints& points, size_t i) {
  return points.weights.empty() ? 1.0 : points.weights[i];
}

// A place drawn in proportion to `chances`; uniform when they are all zero.
size_t DrawPlace(const std::vector<double>& chances, Random& random) {
  const double total = std::accumulate(chances.begin(), chances.end(), 0.0);
  if (!(total > 0)) return static_cast<size_t>(random.Below(chances.size()));
  double left = random.Uniform() * total;
  for (size_t i = 0; i < chances.size(); ++i) {
    left -= chances[i];
    if (left < 0) return i;
  }
  return chances.size() - 1;
}

struct Fit {
  std::vector<float> centers;
  double squared_distance = std::numeric_limits<double>::infinity();
};

Fit RunLloyd(const WeightedPoints& points, std::vector<float> centers, size_t k, size_t iterations_max,
             double tolerance) {
  const size_t n = points.n;
  Fit fit{std::move(centers)};
  Nearest nearest;
  std::vector<double> sums(k * n);
  std::vector<double> weights(k);
  for (size_t iteration = 0; iteration <= iterations_max; ++iteration) {
    const PackedCenters packed(fit.centers, k, n);
    FindNearest(points.points.data(), points.count, packed, nearest);
    double squared = 0;
    for (size_t i = 0; i < points.count; ++i) squared += WeightOf(points, i) * nearest.distance[i];
    const double before = fit.squared_distance;
    fit.squared_distance = squared;
    if (iteration == iterations_max || (std::isfinite(before) && before - squared <= tolerance * before)) break;
    std::fill(sums.begin(), sums.end(), 0.0);
    std::fill(weights.begin(), weights.end(), 0.0);
    for (size_t i = 0; i < points.count; ++i) {
      const double weight = WeightOf(points, i);
      double* const sum = sums.data() + nearest.center[i] * n;
      const float* const x = points.points.data() + i * n;
      for (size_t j = 0; j < n; ++j) sum[j] += weight * x[j];
      weights[nearest.center[i]] += weight;
    }
    for (size_t c = 0; c < k; ++c) {
      if (weights[c] > 0) {
        for (size_t j = 0; j < n; ++j) fit.centers[c * n + j] = static_cast<float>(sums[c * n + j] / weights[c]);
        continue;
      }
      // A centre without points takes the one that is farthest from its own; that one is then no longer far.
      const auto far = std::max_element(nearest.distance.begin(), nearest.distance.end());
      const auto at = static_cast<size_t>(far - nearest.distance.begin());
      std::copy_n(points.points.begin() + static_cast<ptrdiff_t>(at * n), n,
                  fit.centers.begin() + static_cast<ptrdiff_t>(c * n));
      *far = 0;
    }
  }
  return fit;
}

}  // namespace

std::vector<float> DrawCenters(const WeightedPoints& points, size_t k, Init init, Random& random) {
  const size_t n = points.n;
  std::vector<float> centers;
  centers.reserve(k * n);
  std::vector<double> chances(points.count);
  for (size_t i = 0; i < points.count; ++i) chances[i] = WeightOf(points, i);
  std::vector<float> distances(points.count, std::numeric_limits<float>::infinity());
  for (size_t c = 0; c < k; ++c) {
    const size_t chosen = DrawPlace(chances, random);
    const std::span<const float> point = points.points.subspan(chosen * n, n);
    centers.insert(centers.end(), point.begin(), point.end());
    if (init == Init::kRandom) {
      chances[chosen] = 0;  // none twice
      continue;
    }
    for (size_t i = 0; i < points.count; ++i) {
      distances[i] = std::min(distances[i], SquaredDistance(points.points.data() + i * n, point.data(), n));
      chances[i] = WeightOf(points, i) * distances[i];
    }
    chances[chosen] = 0;
  }
  return centers;
}

std::vector<float> LocalLloyd(const WeightedPoints& points, const KMeansSettings& settings, size_t trials,
                              Random& random) {
  Fit best;
  for (size_t trial = 0; trial < trials; ++trial) {
    Fit fit = RunLloyd(points, DrawCenters(points, settings.k, settings.local_init, random), settings.k,
                       settings.local_iterations_max, settings.local_tolerance);
    if (fit.squared_distance < best.squared_distance || best.centers.empty()) best = std::move(fit);
  }
  return std::move(best.centers);
}

}  // namespace argosy::algorithms::kmeans
