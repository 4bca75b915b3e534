#include "algorithms/kmeans/nearest.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace argosy::algorithms::kmeans {
namespace {

struct Case {
  size_t rows;
  size_t columns;
  size_t centers;
};

class NearestTest : public testing::TestWithParam<Case> {};

TEST_P(NearestTest, AsAPlainLoopFinds) {
  const auto [rows, columns, count] = GetParam();
  const size_t n = PadToLane(columns);
  SeededRandom random(rows * 1000 + columns * 10 + count);
  std::vector<float> x(rows * n), centers(count * n);
  for (size_t i = 0; i < x.size(); ++i) x[i] = i % n < columns ? static_cast<float>(random.Normal()) : 0;
  for (size_t i = 0; i < centers.size(); ++i) centers[i] = i % n < columns ? static_cast<float>(random.Normal()) : 0;
  Nearest found;
  FindNearest(x.data(), rows, PackedCenters(centers, count, n), found);
  for (size_t r = 0; r < rows; ++r) {
    double best = std::numeric_limits<double>::infinity();
    double at_found = 0;
    for (size_t c = 0; c < count; ++c) {
      double distance = 0;
      for (size_t j = 0; j < n; ++j) {
        const double difference = static_cast<double>(x[r * n + j]) - centers[c * n + j];
        distance += difference * difference;
      }
      best = std::min(best, distance);
      if (c == found.center[r]) at_found = distance;
    }
    ASSERT_LT(found.center[r], count);
    EXPECT_NEAR(at_found, best, 1e-4 * (1 + best));
    EXPECT_NEAR(found.distance[r], best, 1e-4 * (1 + best));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, NearestTest,
                         testing::Values(Case{1, 1, 1}, Case{3, 5, 2}, Case{64, 16, 16}, Case{65, 17, 17},
                                         Case{200, 40, 33}, Case{131, 784, 100}, Case{9, 3, 1000}));

TEST(Nearest, TheFirstOfSeveralAsNear) {
  const std::vector<float> centers(40 * kLane, 1.0F);
  const std::vector<float> x(kLane, 0.0F);
  Nearest found;
  FindNearest(x.data(), 1, PackedCenters(centers, 40, kLane), found);
  EXPECT_EQ(found.center[0], 0U);
  EXPECT_FLOAT_EQ(found.distance[0], kLane);
}

}  // namespace
}  // namespace argosy::algorithms::kmeans
