#include "algorithms/linear/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace argosy::algorithms::linear {
namespace {

TEST(LossTest, ValuesAreThoseOfTheFormulas) {
  const auto at = [](LossKind kind, float output, float label) {
    LossSettings loss{.kind = kind, .margin = 1, .insensitivity = 0.5, .quantile = 0.9, .huber_delta = 1};
    return RowLoss(loss, &output, 1, label);
  };
  EXPECT_NEAR(at(LossKind::kLogistic, 0, 1), std::log(2.0), 1e-9);
  EXPECT_NEAR(at(LossKind::kLogistic, 2, 0), std::log(1 + std::exp(2.0)), 1e-6);
  EXPECT_NEAR(at(LossKind::kLogistic, -1000, 1), 1000, 1e-6);
  EXPECT_EQ(at(LossKind::kHinge, 0.25F, 1), 0.75);
  EXPECT_EQ(at(LossKind::kHinge, 0.25F, 0), 1.25);
  EXPECT_EQ(at(LossKind::kHinge, 3, 1), 0);
  EXPECT_EQ(at(LossKind::kSquared, 3, 1), 2);
  EXPECT_EQ(at(LossKind::kAbsolute, 3, 1), 2);
  EXPECT_EQ(at(LossKind::kEpsInsensitiveSquared, 3, 1), 1.125);
  EXPECT_EQ(at(LossKind::kEpsInsensitiveAbsolute, 3, 1), 1.5);
  EXPECT_EQ(at(LossKind::kEpsInsensitiveAbsolute, 1.25F, 1), 0);
  EXPECT_NEAR(at(LossKind::kQuantile, 3, 1), 0.2, 1e-9);   // above: 1 - q
  EXPECT_NEAR(at(LossKind::kQuantile, -1, 1), 1.8, 1e-9);  // below: q
  EXPECT_EQ(at(LossKind::kHuber, 1.5F, 1), 0.125);
  EXPECT_EQ(at(LossKind::kHuber, 4, 1), 2.5);
  const float outputs[] = {1, 2, 3};
  EXPECT_NEAR(RowLoss({.kind = LossKind::kSoftmax}, outputs, 3, 1),
              std::log(std::exp(1.0) + std::exp(2.0) + std::exp(3.0)) - 2, 1e-6);
}

// The residual is the slope of the loss: compared with a difference quotient, for every loss and away from its corners.
TEST(LossTest, ResidualsAreDerivatives) {
  const LossKind kinds[] = {LossKind::kLogistic,
                            LossKind::kHinge,
                            LossKind::kSquared,
                            LossKind::kAbsolute,
                            LossKind::kEpsInsensitiveSquared,
                            LossKind::kEpsInsensitiveAbsolute,
                            LossKind::kQuantile,
                            LossKind::kHuber};
  const float weight = 3;
  constexpr float kStep = 1e-3F;
  for (const LossKind kind : kinds) {
    const LossSettings loss{.kind = kind, .margin = 1, .insensitivity = 0.3, .quantile = 0.7, .huber_delta = 0.8};
    for (const float output : {-2.13F, -0.47F, 0.11F, 0.61F, 2.77F}) {
      for (const float label : {0.0F, 1.0F}) {
        const float up = output + kStep;
        const float down = output - kStep;
        const double slope = (RowLoss(loss, &up, 1, label) - RowLoss(loss, &down, 1, label)) / (2 * kStep);
        float residual = output;
        const double value = ReplaceByResiduals(loss, &residual, 1, 1, &label, &weight);
        EXPECT_NEAR(value, 3 * RowLoss(loss, &output, 1, label), 1e-5);
        EXPECT_NEAR(residual, 3 * slope, 5e-3) << LossName(kind) << " at " << output << ", label " << label;
      }
    }
  }
}

TEST(LossTest, SoftmaxResidualsAreProbabilitiesLessTheLabel) {
  std::vector<float> outputs = {1, 2, 3, 1000, 0, 0};
  const float labels[] = {1, 0};
  const float weights[] = {1, 2};
  ReplaceByResiduals({.kind = LossKind::kSoftmax}, outputs.data(), 2, 3, labels, weights);
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
  EXPECT_NEAR(outputs[0], std::exp(1.0) / sum, 1e-6);
  EXPECT_NEAR(outputs[1], std::exp(2.0) / sum - 1, 1e-6);
  EXPECT_NEAR(outputs[2], std::exp(3.0) / sum, 1e-6);
  EXPECT_NEAR(outputs[3], 0, 1e-6);
}

}  // namespace
}  // namespace argosy::algorithms::linear
