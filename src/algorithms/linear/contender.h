// The models that one training tries side by side, and one's way through the epochs.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "algorithms/linear/linear_state.h"
#include "algorithms/linear/settings.h"
#include "base/state_bytes.h"

namespace argosy::algorithms::linear {

// Rows of a mini-batch over all shards, when left to us and the data is large.
inline constexpr uint64_t kDefaultBatchRows = 1000;

// How many are tried: num_models, or what the positive example's weight asks for.
size_t ModelCount(const LinearSettings& settings);

// Them, the likeliest first: what is given stays, what is automatic varies. `batch_rows`: of a mini-batch over all
// shards; `class_counts`: rows of each class, empty for a regressor.
std::vector<ModelVariant> Variants(const LinearSettings& settings, const ModelShape& shape, uint64_t batch_rows,
                                   std::span<const uint64_t> class_counts);

struct Contender {
  ModelVariant variant;
  std::vector<LinearState> shards;  // of this host
  std::vector<float> best = {};     // parameters after its best epoch
  double best_loss = std::numeric_limits<double>::infinity();
  // For early stopping: the loss that later ones must undercut, and since when they have not.
  double reference_loss = std::numeric_limits<double>::infinity();
  int64_t epochs_without_improvement = 0;
  bool finished = false;
  LinearState::Loss epoch_loss = {};

  // All shards of this host go on from what all shards, on all hosts, have come to together: shards[0].
  void EndRound();

  // Behind an epoch of this loss: is it the best yet, and is it time to end?
  void Judge(double loss, const LinearSettings& settings);

  // All that it goes on with, between two rounds, when all shards are alike.
  void Save(StateWriter& writer) const;
  // kCorrupt when it is of another shape, or of an epoch behind `epochs`.
  Status Load(StateReader& reader, int64_t epochs);
};

}  // namespace argosy::algorithms::linear
