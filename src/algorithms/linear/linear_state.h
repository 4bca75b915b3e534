// The training state of one linear model: weights and the optimiser's memory. Of fixed size; see algorithms/state.h.
//
// Update takes one optimiser step on a mini-batch. Merge averages two states by the rows each has taken in since they
// were last alike: the parameter averaging of local SGD (Stich, "Local SGD Converges Fast and Communicates Little",
// 2019).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/batches.h"
#include "algorithms/linear/settings.h"
#include "algorithms/vectors.h"
#include "base/random.h"

namespace argosy::algorithms::linear {

// How the parameters of one output lie: [numeric, padded | one per category | bias | padding].
struct ModelShape {
  size_t numeric = 0;      // numeric columns
  size_t categorical = 0;  // categorical columns
  size_t categories = 0;   // over all categorical columns
  size_t outputs = 1;      // 1, or the number of classes

  size_t numeric_padded() const { return PadToLane(numeric); }
  size_t bias() const { return numeric_padded() + categories; }
  size_t stride() const { return PadToLane(bias() + 1); }
  size_t parameters() const { return outputs * stride(); }
};

// What of the settings differs between models trained side by side.
struct ModelVariant {
  double learning_rate;
  double l1;
  double wd;
  double positive_weight;  // of label 1, for a binary classifier

  std::string Describe() const;
};

// The learning rate over the steps of one shard, relative to the variant's.
class Schedule {
 public:
  // `steps`: how many there will be if the training is not ended early.
  Schedule(const OptimizerSettings& settings, uint64_t steps);
  double Rate(double learning_rate, uint64_t step) const;

 private:
  OptimizerSettings settings_;
  uint64_t steps_;
};

// Raw outputs of a model: [rows × outputs].
void AddOutputs(const ModelShape& shape, const float* parameters, const RowBatch& batch, float* outputs);

class LinearState {
 public:
  // Initial parameters are drawn from `random`. Settings and schedule must outlive the state.
  LinearState(const ModelShape& shape, const LinearSettings& settings, const Schedule& schedule, ModelVariant variant,
              Random& random);

  void Update(const RowBatch& batch);
  void Merge(const LinearState& other);
  // Parameters as ModelShape says.
  const std::vector<float>& Finalize() const { return parameters_; }
  std::string Save() const;
  Status Load(std::string_view bytes);

  // In place of those drawn, before the first step.
  void SetParameters(std::vector<float> parameters);

  // Takes over parameters and optimiser memory after a merge; what was counted starts anew.
  void Adopt(const LinearState& merged);

  struct Loss {
    double weighted_sum = 0;
    double weight = 0;
    double mean() const { return weight == 0 ? 0 : weighted_sum / weight; }
  };
  // Of the rows taken in since the last Adopt, each before the step made with it; summed up by Merge.
  const Loss& loss() const { return loss_; }
  // What wd and l1 add to the loss at the present weights.
  double Penalty() const;
  const ModelVariant& variant() const { return variant_; }

 private:
  void Step(double weight);

  ModelShape shape_;
  const LinearSettings* settings_;
  const Schedule* schedule_;
  ModelVariant variant_;
  std::vector<float> parameters_;
  std::vector<float> first_moment_;   // momentum of sgd; empty for rmsprop
  std::vector<float> second_moment_;  // empty for sgd
  uint64_t steps_ = 0;
  uint64_t rows_ = 0;  // since the last Adopt
  Loss loss_;
  // Work space, no part of the state.
  std::vector<float> gradient_;
  std::vector<float> outputs_;
  std::vector<float> weights_;
};

}  // namespace argosy::algorithms::linear
