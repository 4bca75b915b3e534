// k-means over points that fit in memory: first centres, and Lloyd's algorithm over weighted points.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "algorithms/kmeans/settings.h"
#include "base/random.h"

namespace argosy::algorithms::kmeans {

// Points of n numbers each, n a multiple of kLane, and how much each counts (empty: all alike).
struct WeightedPoints {
  std::span<const float> points;  // [count × n]
  std::span<const double> weights;
  size_t count = 0;
  size_t n = 0;
};

// k of the points (all of them, some twice, when there are fewer): drawn by weight, or each by its weighted squared
// distance to those before it (Arthur and Vassilvitskii, "k-means++", 2007). [k × n]
std::vector<float> DrawCenters(const WeightedPoints& points, size_t k, Init init, Random& random);

// Lloyd's algorithm from the best of several draws. [k × n]
std::vector<float> LocalLloyd(const WeightedPoints& points, const KMeansSettings& settings, size_t trials,
                              Random& random);

}  // namespace argosy::algorithms::kmeans
