#include "observe/distribution.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace argosy::observe {
namespace {

TEST(Distribution, PercentilesAreRightToASixteenth) {
  SeededRandom random(1);
  Distribution distribution;
  std::vector<double> values;
  for (int i = 0; i < 10'000; ++i) {
    values.push_back(std::exp(20 * random.Uniform() - 8));
    distribution.Add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9}) {
    const double exact = values[static_cast<size_t>(percent / 100 * 10'000) - 1];
    EXPECT_NEAR(distribution.Percentile(percent) / exact, 1, 0.0667) << percent;
  }
  EXPECT_EQ(distribution.Percentile(0), values.front());
  EXPECT_NEAR(distribution.Percentile(100) / values.back(), 1, 0.0667);
  EXPECT_LE(distribution.Percentile(100), values.back());
  EXPECT_EQ(distribution.min(), values.front());
  EXPECT_EQ(distribution.max(), values.back());
}

TEST(Distribution, MergingIsAddingAll) {
  Distribution a, b, all;
  for (const double value : {0.0, 1.5, 1.5, 1000.0}) a.Add(value), all.Add(value);
  for (const double value : {-3.0, 1.5, 1e-9}) b.Add(value, 2), all.Add(value, 2);
  a.Merge(b);
  EXPECT_EQ(a.buckets(), all.buckets());
  EXPECT_EQ(a.count(), 10U);
  EXPECT_DOUBLE_EQ(a.sum(), all.sum());
  EXPECT_EQ(a.min(), -3);
  EXPECT_EQ(a.Percentile(10), -3);
  Distribution empty;
  a.Merge(empty);
  EXPECT_EQ(a.count(), 10U);
  empty.Merge(b);
  EXPECT_EQ(empty.min(), -3);
}

TEST(Distribution, NothingIsZero) {
  const Distribution distribution;
  EXPECT_EQ(distribution.Percentile(99), 0);
  EXPECT_EQ(distribution.mean(), 0);
}

TEST(Distribution, IsTheSameAfterStoring) {
  Distribution before;
  for (int i = 1; i < 100; ++i) before.Add(i);
  const Distribution after = Distribution::FromParts(before.sum(), before.min(), before.max(), before.buckets());
  EXPECT_EQ(after.count(), before.count());
  EXPECT_EQ(after.Percentile(90), before.Percentile(90));
}

TEST(Distribution, ASummaryCountsAtItsMean) {
  const Distribution distribution = Distribution::FromSummary(4, 10, 1, 5);
  EXPECT_EQ(distribution.count(), 4U);
  EXPECT_EQ(distribution.max(), 5);
  EXPECT_NEAR(distribution.Percentile(50), 2.5, 0.2);
}

}  // namespace
}  // namespace argosy::observe
