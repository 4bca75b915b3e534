#include "algorithms/vectors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"
#include "base/vector_targets_fixture.h"

namespace argosy::algorithms {
namespace {

using Floats = std::vector<float>;

Floats RandomFloats(size_t n, uint64_t seed) {
  SeededRandom random(seed);
  Floats values(n);
  for (float& value : values) value = static_cast<float>(random.Normal());
  return values;
}

// Each kernel against the loop it stands for, in double.
class VectorsTest : public ::testing::TestWithParam<std::tuple<size_t, size_t, size_t>> {
 protected:
  size_t rows_ = std::get<0>(GetParam());
  size_t n_ = std::get<1>(GetParam());
  size_t outputs_ = std::get<2>(GetParam());
  size_t stride_ = n_ + kLane;
};

TEST_P(VectorsTest, DotsAreSumsOfProducts) {
  ForEachVectorTarget([&] {
    const Floats x = RandomFloats(rows_ * n_, 1);
    const Floats w = RandomFloats(outputs_ * stride_, 2);
    Floats out(rows_ * outputs_, 0.5F);
    AddDots(x.data(), rows_, n_, w.data(), stride_, outputs_, out.data());
    for (size_t r = 0; r < rows_; ++r) {
      for (size_t o = 0; o < outputs_; ++o) {
        double sum = 0.5;
        for (size_t j = 0; j < n_; ++j) sum += static_cast<double>(x[r * n_ + j]) * w[o * stride_ + j];
        EXPECT_NEAR(out[r * outputs_ + o], sum, 1e-3) << r << " " << o;
      }
    }
  });
}

TEST_P(VectorsTest, OuterProductsAreSummedOverRows) {
  ForEachVectorTarget([&] {
    const Floats x = RandomFloats(rows_ * n_, 3);
    const Floats residual = RandomFloats(rows_ * outputs_, 4);
    Floats g(outputs_ * stride_, 0.25F);
    AddOuter(x.data(), rows_, n_, residual.data(), outputs_, g.data(), stride_);
    for (size_t o = 0; o < outputs_; ++o) {
      for (size_t j = 0; j < n_; ++j) {
        double sum = 0.25;
        for (size_t r = 0; r < rows_; ++r) sum += static_cast<double>(residual[r * outputs_ + o]) * x[r * n_ + j];
        EXPECT_NEAR(g[o * stride_ + j], sum, 1e-3) << o << " " << j;
      }
      EXPECT_EQ(g[o * stride_ + n_], 0.25F);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, VectorsTest,
                         ::testing::Combine(::testing::Values(1, 4, 7, 33), ::testing::Values(0, 16, 64),
                                            ::testing::Values(1, 2, 3, 10)));

TEST(KernelTest, NormalizeShiftsScalesHoldsAndFills) {
  ForEachVectorTarget([&] {
    Floats x(kLane, 3);
    x[1] = std::numeric_limits<float>::quiet_NaN();
    x[2] = 1000;
    x[3] = -1000;
    const Floats mean(kLane, 1);
    const Floats scale(kLane, 0.5F);
    Floats out(kLane);
    Normalize(x.data(), mean.data(), scale.data(), 5, kLane, out.data());
    EXPECT_EQ(out[0], 1);
    EXPECT_EQ(out[1], 0);
    EXPECT_EQ(out[2], 5);
    EXPECT_EQ(out[3], -5);
  });
}

TEST(KernelTest, AdamStepIsThePapers) {
  ForEachVectorTarget([&] {
    const Floats g = RandomFloats(2 * kLane, 5);
    Floats m = RandomFloats(2 * kLane, 6);
    Floats v = RandomFloats(2 * kLane, 7);
    for (float& value : v) value = std::abs(value);
    Floats w = RandomFloats(2 * kLane, 8);
    const Floats m0 = m;
    const Floats v0 = v;
    const Floats w0 = w;
    ApplyAdam({.lr = 0.1F, .beta_1 = 0.9F, .beta_2 = 0.99F, .epsilon = 1e-8F}, g.data(), m.data(), v.data(), w.data(),
              g.size());
    for (size_t j = 0; j < g.size(); ++j) {
      const double m1 = 0.9 * m0[j] + 0.1 * g[j];
      const double v1 = 0.99 * v0[j] + 0.01 * g[j] * g[j];
      EXPECT_NEAR(m[j], m1, 1e-6);
      EXPECT_NEAR(v[j], v1, 1e-6);
      EXPECT_NEAR(w[j], w0[j] - 0.1 * m1 / (std::sqrt(v1) + 1e-8), 1e-5);
    }
  });
}

TEST(KernelTest, SgdAndRmspropSteps) {
  ForEachVectorTarget([&] {
    const Floats g(kLane, 2);
    Floats m(kLane, 1);
    Floats w(kLane, 10);
    ApplySgd(0.1F, 0.5F, g.data(), m.data(), w.data(), kLane);
    EXPECT_FLOAT_EQ(m[0], 2.5F);
    EXPECT_FLOAT_EQ(w[0], 9.75F);
    Floats v(kLane, 4);
    ApplyRmsprop(0.1F, 0.75F, 0, g.data(), v.data(), w.data(), kLane);
    EXPECT_FLOAT_EQ(v[0], 4);
    EXPECT_FLOAT_EQ(w[0], 9.65F);
  });
}

TEST(KernelTest, SoftThresholdShrinksTowardsZero) {
  ForEachVectorTarget([&] {
    Floats w(kLane, 0.3F);
    w[1] = -0.3F;
    w[2] = 0.05F;
    SoftThreshold(0.1F, w.data(), kLane);
    EXPECT_FLOAT_EQ(w[0], 0.2F);
    EXPECT_FLOAT_EQ(w[1], -0.2F);
    EXPECT_EQ(w[2], 0);
  });
}

TEST(KernelTest, ScalingAndAddingAreElementByElement) {
  ForEachVectorTarget([&] {
    const Floats b = RandomFloats(3 * kLane, 9);
    const Floats before = RandomFloats(b.size(), 10);
    Floats a = before;
    Scale(0.5F, a.data(), a.size());
    for (size_t j = 0; j < a.size(); ++j) EXPECT_EQ(a[j], 0.5F * before[j]);
    AddScaled(-3, b.data(), a.data(), a.size());
    for (size_t j = 0; j < a.size(); ++j) EXPECT_NEAR(a[j], 0.5 * before[j] - 3.0 * b[j], 1e-6);
  });
}

}  // namespace
}  // namespace argosy::algorithms
