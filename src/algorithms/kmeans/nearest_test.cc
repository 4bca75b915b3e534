#include "algorithms/kmeans/nearest.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "base/vector_targets_fixture.h"

namespace argosy::algorithms::kmeans {
namespace {

struct Case {
  size_t rows;
  size_t columns;
  size_t centers;
};

class NearestTest : public testing::TestWithParam<Case> {};

TEST_P(NearestTest, AsAPlainLoopFinds) {
  ForEachVectorTarget([&] {
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
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, NearestTest,
                         testing::Values(Case{1, 1, 1}, Case{3, 5, 2}, Case{64, 16, 16}, Case{65, 17, 17},
                                         Case{200, 40, 33}, Case{131, 784, 100}, Case{9, 3, 1000}));

TEST(Nearest, TheFirstOfSeveralAsNear) {
  ForEachVectorTarget([&] {
    const std::vector<float> centers(40 * kLane, 1.0F);
    const std::vector<float> x(kLane, 0.0F);
    Nearest found;
    FindNearest(x.data(), 1, PackedCenters(centers, 40, kLane), found);
    EXPECT_EQ(found.center[0], 0U);
    EXPECT_FLOAT_EQ(found.distance[0], kLane);
  });
}

TEST(Nearest, SquaredDistancesAreThoseOfAPlainLoop) {
  ForEachVectorTarget([&] {
    SeededRandom random(7);
    std::vector<float> a(5 * kLane), b(a.size());
    double expected = 0;
    for (size_t j = 0; j < a.size(); ++j) {
      a[j] = static_cast<float>(random.Normal());
      b[j] = static_cast<float>(random.Normal());
      expected += (static_cast<double>(a[j]) - b[j]) * (static_cast<double>(a[j]) - b[j]);
    }
    EXPECT_NEAR(SquaredDistance(a.data(), b.data(), a.size()), expected, 1e-4 * expected);
  });
}

// Passes of Lloyd's algorithm over clusters of some spread, with bounds and without.
TEST(RowBounds, SpareComparisonsAndChangeNothing) {
  ForEachVectorTarget([&] {
    constexpr size_t kRows = 1000;
    constexpr size_t kCount = 70;
    constexpr size_t n = 48;
    SeededRandom random(5);
    std::vector<float> x(kRows * n);
    for (size_t r = 0; r < kRows; ++r) {
      for (size_t j = 0; j < n; ++j) {
        x[r * n + j] = static_cast<float>(random.Normal() + 6 * static_cast<double>((r % 35 * 7 + j) % 5));
      }
    }
    for (const size_t bytes_max : {size_t{1} << 20, kRows * 4 * 3, kRows * 4 * 2, size_t{100}}) {
      std::vector<float> centers(x.begin(), x.begin() + kCount * n);
      RowBounds bounds(kRows, kCount, bytes_max);
      EXPECT_EQ(bounds.groups(), bytes_max == size_t{1} << 20 ? 5U : bytes_max == 100 ? 0U : bytes_max / kRows / 4 - 1);
      Nearest with;
      Nearest without;
      for (int pass = 0; pass < 8; ++pass) {
        const PackedCenters packed(centers, kCount, n);
        FindNearest(x.data(), kRows, packed, without);
        // In two calls, as batches come.
        FindNearest(x.data(), 300, packed, with, &bounds, 0);
        const Nearest first = with;
        FindNearest(x.data() + 300 * n, kRows - 300, packed, with, &bounds, 300);
        for (size_t r = 0; r < kRows; ++r) {
          ASSERT_EQ(r < 300 ? first.center[r] : with.center[r - 300], without.center[r]) << pass << " " << r;
          ASSERT_EQ(r < 300 ? first.distance[r] : with.distance[r - 300], without.distance[r]);
        }
        std::vector<float> moved(kCount);
        for (size_t c = 0; c < kCount; ++c) {
          std::vector<float> mean(n);
          float count = 0;
          for (size_t r = 0; r < kRows; ++r) {
            if (without.center[r] != c) continue;
            ++count;
            for (size_t j = 0; j < n; ++j) mean[j] += x[r * n + j];
          }
          for (float& value : mean) value /= count;
          if (count == 0) continue;
          moved[c] = std::sqrt(SquaredDistance(mean.data(), centers.data() + c * n, n)) * (1 + RoundingOf(n));
          std::copy(mean.begin(), mean.end(), centers.begin() + static_cast<ptrdiff_t>(c * n));
        }
        bounds.Moved(moved);
      }
      EXPECT_EQ(without.compared, 8 * kRows * kCount);
      if (bounds.groups() == 0) {
        EXPECT_EQ(with.compared, without.compared);
      } else {
        EXPECT_LT(with.compared, without.compared * 9 / 10);
      }
    }
  });
}

// Of rows half-way between two centres the first is chosen, by whichever way.
TEST(RowBounds, ATieIsDecidedAsWithout) {
  ForEachVectorTarget([&] {
    constexpr size_t n = kLane;
    std::vector<float> centers(40 * n, 100.0F);
    for (size_t j = 0; j < n; ++j) {
      centers[3 * n + j] = 1;
      centers[35 * n + j] = -1;
    }
    const PackedCenters packed(centers, 40, n);
    const std::vector<float> x(n, 0.0F);
    RowBounds bounds(1, 40, 1 << 10);
    *bounds.centers(0) = 35;
    Nearest found;
    FindNearest(x.data(), 1, packed, found, &bounds, 0);
    EXPECT_EQ(found.center[0], 3U);
  });
}

}  // namespace
}  // namespace argosy::algorithms::kmeans
