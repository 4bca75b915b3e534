#include "algorithms/linear/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace argosy::algorithms::linear {
namespace {

LinearSettings Binary(SelectionCriterion criterion = SelectionCriterion::kAccuracy) {
  LinearSettings settings;
  settings.predictor = PredictorType::kBinaryClassifier;
  settings.loss.kind = LossKind::kLogistic;
  settings.criterion = criterion;
  return settings;
}

double Value(const Metrics& metrics, std::string_view name) {
  for (const auto& [metric, value] : metrics) {
    if (metric == name) return value;
  }
  ADD_FAILURE() << "no metric " << name;
  return 0;
}

TEST(ScoreHistogramTest, CountsAtAThreshold) {
  ScoreHistogram histogram;
  histogram.Add(-5, false);
  histogram.Add(-1e-30F, true);
  histogram.Add(0.0F, false);
  histogram.Add(-0.0F, true);
  histogram.Add(7, true);
  const auto confusion = histogram.At(0);
  EXPECT_EQ(confusion.true_negative, 1U);
  EXPECT_EQ(confusion.false_negative, 1U);
  EXPECT_EQ(confusion.false_positive, 1U);
  EXPECT_EQ(confusion.true_positive, 2U);
}

TEST(ScoreHistogramTest, AreaUnderRocIsTheShareOfPairsInOrder) {
  SeededRandom random(1);
  ScoreHistogram histogram;
  std::vector<float> positive;
  std::vector<float> negative;
  for (int i = 0; i < 300; ++i) {
    positive.push_back(static_cast<float>(random.Normal() + 1));
    negative.push_back(static_cast<float>(random.Normal()));
    histogram.Add(positive.back(), true);
    histogram.Add(negative.back(), false);
  }
  double ordered = 0;
  for (const float p : positive) {
    for (const float n : negative) ordered += p > n ? 1 : p == n ? 0.5 : 0;
  }
  EXPECT_NEAR(histogram.AreaUnderRoc(), ordered / (300.0 * 300.0), 2e-3);
}

TEST(ScoreHistogramTest, BestThresholdServesEachCriterion) {
  // Positives lie around 3, negatives around 1: the natural threshold 0 is poor.
  SeededRandom random(2);
  ScoreHistogram histogram;
  for (int i = 0; i < 5000; ++i) {
    histogram.Add(static_cast<float>(random.Normal() * 0.7 + 3), true);
    histogram.Add(static_cast<float>(random.Normal() * 0.7 + 1), false);
  }
  const float by_accuracy = histogram.BestThreshold(Binary());
  EXPECT_NEAR(by_accuracy, 2, 0.15);
  LinearSettings recall = Binary(SelectionCriterion::kPrecisionAtTargetRecall);
  recall.target_recall = 0.99;
  const auto at_recall = histogram.At(histogram.BestThreshold(recall));
  EXPECT_GE(Recall(at_recall), 0.99);
  EXPECT_LT(Recall(at_recall), 0.995);
  LinearSettings precision = Binary(SelectionCriterion::kRecallAtTargetPrecision);
  precision.target_precision = 0.99;
  const auto at_precision = histogram.At(histogram.BestThreshold(precision));
  EXPECT_GE(Precision(at_precision), 0.99);
  EXPECT_LT(Precision(at_precision), 0.995);
  LinearSettings beta = Binary(SelectionCriterion::kFBeta);
  beta.f_beta = 3;  // recall counts more
  EXPECT_LT(histogram.BestThreshold(beta), by_accuracy);
  EXPECT_EQ(histogram.BestThreshold(Binary(SelectionCriterion::kLoss)), 0);
}

TEST(ScoreHistogramTest, NaturalThresholdStaysWhenItIsAsGood) {
  ScoreHistogram histogram;
  for (int i = 0; i < 10; ++i) {
    histogram.Add(-2, false);
    histogram.Add(3, true);
  }
  EXPECT_EQ(histogram.BestThreshold(Binary()), 0);
}

TEST(EvaluationTest, BinaryMetrics) {
  const LinearSettings settings = Binary();
  EvaluationState state(settings, 1, 1);
  const float values[] = {2, 1, -1, -2, 3};
  const float labels[] = {1, 0, 1, 0, 1};
  const float weights[] = {1, 1, 1, 1, 1};
  state.Update({5, 1, values, labels, weights});
  const Metrics metrics = state.Finalize(0);
  EXPECT_DOUBLE_EQ(Value(metrics, "binary_classification_accuracy"), 0.6);
  EXPECT_DOUBLE_EQ(Value(metrics, "precision"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(Value(metrics, "recall"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(Value(metrics, "binary_f_beta"), 2.0 / 3);
  EXPECT_NEAR(Value(metrics, "roc_auc_score"), 5.0 / 6, 1e-9);
  EXPECT_NEAR(
      Value(metrics, "objective_loss"),
      (std::log1p(std::exp(-2)) + std::log1p(std::exp(1)) * 2 + std::log1p(std::exp(-2)) + std::log1p(std::exp(-3))) /
          5,
      1e-6);
}

TEST(EvaluationTest, MulticlassMetrics) {
  LinearSettings settings;
  settings.predictor = PredictorType::kMulticlassClassifier;
  settings.loss.kind = LossKind::kSoftmax;
  settings.accuracy_top_k = 2;
  EvaluationState state(settings, 4, 1);
  const float values[] = {3, 2, 1, 0, 3, 2, 1, 0, 0, 1, 2, 3};
  const float labels[] = {0, 1, 1};
  const float weights[] = {1, 1, 1};
  state.Update({3, 4, values, labels, weights});
  const Metrics metrics = state.Finalize(0);
  EXPECT_DOUBLE_EQ(Value(metrics, "multiclass_accuracy"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(Value(metrics, "multiclass_top_k_accuracy"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(Value(metrics, "dcg"), (1 + 1 / std::log2(3) + 1 / std::log2(4)) / 3);
  // Class 2 neither occurs nor is predicted; classes 0, 1, 3 count.
  EXPECT_DOUBLE_EQ(Value(metrics, "macro_precision"), 0.5 / 3);
  EXPECT_DOUBLE_EQ(Value(metrics, "macro_recall"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(Value(metrics, "macro_f_beta"), (2.0 / 3) / 3);
}

TEST(EvaluationTest, RegressionErrorsAreInTheLabelsUnits) {
  LinearSettings settings;
  settings.predictor = PredictorType::kRegressor;
  EvaluationState state(settings, 1, 10);
  const float values[] = {1, 2};
  const float labels[] = {1.5F, 1};
  const float weights[] = {1, 1};
  state.Update({2, 1, values, labels, weights});
  const Metrics metrics = state.Finalize(0);
  EXPECT_DOUBLE_EQ(Value(metrics, "mse"), (25.0 + 100) / 2);
  EXPECT_DOUBLE_EQ(Value(metrics, "rmse"), std::sqrt(62.5));
  EXPECT_DOUBLE_EQ(Value(metrics, "absolute_loss"), 7.5);
}

TEST(EvaluationTest, MergeIsAsIfOneHadSeenAllAndBytesBringItBack) {
  for (const PredictorType type : {PredictorType::kBinaryClassifier, PredictorType::kMulticlassClassifier}) {
    LinearSettings settings;
    settings.predictor = type;
    const size_t outputs = type == PredictorType::kBinaryClassifier ? 1 : 3;
    settings.loss.kind = outputs == 1 ? LossKind::kLogistic : LossKind::kSoftmax;
    SeededRandom random(4);
    std::vector<float> values;
    std::vector<float> labels;
    const std::vector<float> weights(40, 1);
    for (size_t r = 0; r < 40; ++r) {
      labels.push_back(static_cast<float>(random.Below(outputs == 1 ? 2 : 3)));
      for (size_t o = 0; o < outputs; ++o) values.push_back(static_cast<float>(random.Normal()));
    }
    EvaluationState whole(settings, outputs, 1);
    whole.Update({40, outputs, values.data(), labels.data(), weights.data()});
    EvaluationState first(settings, outputs, 1);
    EvaluationState second(settings, outputs, 1);
    first.Update({15, outputs, values.data(), labels.data(), weights.data()});
    second.Update({25, outputs, values.data() + 15 * outputs, labels.data() + 15, weights.data()});
    first.Merge(second);
    const Metrics expected = whole.Finalize(0);
    const Metrics merged = first.Finalize(0);
    ASSERT_EQ(expected.size(), merged.size());
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(merged[i].second, expected[i].second, 1e-12);
    EvaluationState loaded(settings, outputs, 1);
    ASSERT_TRUE(loaded.Load(first.Save()).ok());
    EXPECT_EQ(loaded.Finalize(0), merged);
    std::string torn = first.Save();
    torn.pop_back();
    EXPECT_FALSE(loaded.Load(torn).ok());
  }
}

}  // namespace
}  // namespace argosy::algorithms::linear
