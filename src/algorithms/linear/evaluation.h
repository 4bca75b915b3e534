// How good a model is on some rows: states that take in outputs and labels (see algorithms/state.h), and what follows
// from them. Counts are integers, so merging them is exact.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "algorithms/linear/settings.h"
#include "base/result.h"

namespace argosy::algorithms::linear {

// Outputs of a model for some rows, in the model's space (labels of a regressor normalised).
struct ScoredRows {
  size_t rows;
  size_t outputs;
  const float* values;   // [rows × outputs]
  const float* labels;   // [rows]
  const float* weights;  // [rows], of the training loss
};

// Numbers of negative and positive rows by output. Outputs are told apart by the upper bits of their binary form, which
// keep their order: 65,536 bins, 0.8 % wide relative to the output, without any assumption on the range.
class ScoreHistogram {
 public:
  ScoreHistogram();
  void Add(float output, bool positive) { ++counts_[BinOf(output) * 2 + (positive ? 1 : 0)]; }
  void Merge(const ScoreHistogram& other);

  struct Confusion {
    uint64_t true_positive = 0;
    uint64_t false_positive = 0;
    uint64_t true_negative = 0;
    uint64_t false_negative = 0;
  };
  // When all outputs at or above `threshold` count as positive. Exact when the threshold is a bin's edge, as those of
  // Thresholds are, and for 0.
  Confusion At(float threshold) const;
  // Area under the receiver operating characteristic, ties within a bin counting half.
  double AreaUnderRoc() const;

  // The edge between two bins that serves the criterion best, and its value. Among equally good ones the middle of
  // those around the natural threshold 0, or the nearest to it.
  float BestThreshold(const LinearSettings& settings) const;

  std::vector<uint64_t>& counts() { return counts_; }
  const std::vector<uint64_t>& counts() const { return counts_; }

 private:
  static size_t BinOf(float output);
  static float LowerEdge(size_t bin);

  std::vector<uint64_t> counts_;  // [bin × 2]: negative, positive
};

double Accuracy(const ScoreHistogram::Confusion& confusion);
double Precision(const ScoreHistogram::Confusion& confusion);  // 0 without positive predictions
double Recall(const ScoreHistogram::Confusion& confusion);     // 0 without positive rows
double FBeta(const ScoreHistogram::Confusion& confusion, double beta);
// What a binary classifier's models are compared by; higher is better.
double CriterionValue(const LinearSettings& settings, const ScoreHistogram::Confusion& confusion);

// Names and values as SageMaker publishes them, without the channel: binary_classification_accuracy, mse, …
using Metrics = std::vector<std::pair<std::string, double>>;
// The names alone, in the order of Metrics.
std::vector<std::string> MetricNames(PredictorType predictor);

class EvaluationState {
 public:
  // `label_scale`: what one unit of a regressor's normalised label is in the data's own units.
  EvaluationState(const LinearSettings& settings, size_t classes, double label_scale);

  void Update(const ScoredRows& batch);
  void Merge(const EvaluationState& other);
  // `threshold` counts for a binary classifier only.
  Metrics Finalize(float threshold) const;
  std::string Save() const;
  Status Load(std::string_view bytes);

  double loss() const { return weight_ == 0 ? 0 : loss_ / weight_; }
  const ScoreHistogram& histogram() const { return histogram_; }
  uint64_t rows() const { return rows_; }

 private:
  void UpdateMulticlass(const ScoredRows& batch);

  const LinearSettings* settings_;
  double label_scale_;
  uint64_t rows_ = 0;
  double loss_ = 0;
  double weight_ = 0;
  double squared_error_ = 0;   // regressor
  double absolute_error_ = 0;  // regressor
  ScoreHistogram histogram_;   // binary classifier
  // Multiclass classifier: by class, rows predicted rightly, predicted so, and labelled so.
  std::vector<uint64_t> hits_;
  std::vector<uint64_t> predicted_;
  std::vector<uint64_t> labelled_;
  uint64_t top_k_hits_ = 0;
  double gain_ = 0;  // Σ 1 / log₂(1 + rank of the label)
};

}  // namespace argosy::algorithms::linear
