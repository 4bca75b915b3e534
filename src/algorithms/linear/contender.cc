#include "algorithms/linear/contender.h"

#include <algorithm>
#include <cmath>

#include "algorithms/checkpoints.h"

namespace argosy::algorithms::linear {
namespace {

// Step size and penalties when left to us: how they were chosen stands in docs/decisions/linear-learner-defaults.md.
// The rates are those of mini-batches of kDefaultBatchRows and of rows of kRateFeatures or less. With smaller
// mini-batches, whose gradients are noisier, they fall with the square root (Malladi et al., "On the SDEs and Scaling
// Rules for Adaptive Gradient Algorithms", 2022); with more features, each of which moves the output, in proportion
// (Yang et al., "Tensor Programs V", 2022).
constexpr double kAdamRate = 0.1;
constexpr double kRmspropRate = 0.05;
constexpr double kSgdRate = 0.1;
constexpr double kRateFeatures = 80;
constexpr double kWeightDecay = 1e-5;

}  // namespace

size_t ModelCount(const LinearSettings& settings) {
  const int64_t automatic = settings.positive_weight == PositiveWeight::kAuto ? 2 : 1;
  return static_cast<size_t>(settings.num_models.value_or(automatic));
}

std::vector<ModelVariant> Variants(const LinearSettings& settings, const ModelShape& shape, uint64_t batch_rows,
                                   std::span<const uint64_t> class_counts) {
  const double rate =
      (settings.optimizer.kind == OptimizerKind::kAdam      ? kAdamRate
       : settings.optimizer.kind == OptimizerKind::kRmsprop ? kRmspropRate
                                                            : kSgdRate) *
      std::sqrt(std::min(1.0, static_cast<double>(batch_rows) / static_cast<double>(kDefaultBatchRows))) *
      std::min(1.0, kRateFeatures / static_cast<double>(shape.numeric + shape.categorical));
  double balanced = 1;
  if (class_counts.size() == 2 && class_counts[1] > 0) {
    balanced = static_cast<double>(class_counts[0]) / static_cast<double>(class_counts[1]);
    if (balanced == 0) balanced = 1;
  }
  const bool weight_auto = settings.positive_weight == PositiveWeight::kAuto;
  const ModelVariant base{
      settings.learning_rate.value_or(rate), settings.l1.value_or(0), settings.wd.value_or(kWeightDecay),
      settings.positive_weight == PositiveWeight::kBalanced ? balanced : settings.positive_example_weight_mult};
  const size_t count = ModelCount(settings);
  std::vector<ModelVariant> variants;
  // Outwards from the middle of the grid: what is given stays, what is automatic varies.
  constexpr double kRateFactors[] = {1, 0.3, 3, 0.1, 10};
  constexpr double kDecayFactors[] = {1, 0.1, 10, 0.01, 100};
  constexpr size_t kFactors = 5;
  for (size_t d = 0; variants.size() < count && d < kFactors; ++d) {
    if (d > 0 && settings.wd) break;
    for (size_t r = 0; variants.size() < count && r < kFactors; ++r) {
      if (r > 0 && settings.learning_rate) break;
      ModelVariant variant = base;
      variant.learning_rate *= kRateFactors[r];
      variant.wd *= kDecayFactors[d];
      variants.push_back(variant);
      if (weight_auto && variants.size() < count) {
        variant.positive_weight = balanced;
        variants.push_back(variant);
      }
    }
  }
  return variants;
}

void Contender::EndRound() {
  epoch_loss.weighted_sum += shards[0].loss().weighted_sum;
  epoch_loss.weight += shards[0].loss().weight;
  for (size_t s = shards.size(); s-- > 0;) shards[s].Adopt(shards[0]);
}

void Contender::Judge(double loss, const LinearSettings& settings) {
  if (loss < best_loss || best.empty()) {
    best_loss = loss;
    best = shards[0].Finalize();
  }
  // Losses may be zero or, with labels scaled oddly, tiny: relative to the reference's size.
  if (loss < reference_loss - settings.early_stopping_tolerance * std::abs(reference_loss) ||
      !std::isfinite(reference_loss)) {
    reference_loss = loss;
    epochs_without_improvement = 0;
  } else if (++epochs_without_improvement >= settings.early_stopping_patience) {
    finished = true;
  }
}

void Contender::Save(StateWriter& writer) const {
  writer.Text(shards[0].Save());
  writer.Values(std::span<const float>(best));
  const double losses[] = {best_loss, reference_loss, epoch_loss.weighted_sum, epoch_loss.weight};
  writer.Values(std::span<const double>(losses));
  const int64_t counts[] = {epochs_without_improvement, finished ? 1 : 0};
  writer.Values(std::span<const int64_t>(counts));
}

Status Contender::Load(StateReader& reader, int64_t epochs) {
  std::string state;
  double losses[4] = {};
  int64_t counts[2] = {};
  reader.Text(state);
  reader.Some(best);
  reader.Values(std::span<double>(losses));
  reader.Values(std::span<int64_t>(counts));
  for (LinearState& shard : shards) {
    if (Status loaded = shard.Load(state); !loaded) return loaded;
  }
  const bool fits =
      (best.empty() || best.size() == shards[0].Finalize().size()) && counts[0] >= 0 && counts[0] <= epochs;
  if (!fits) return UnfitCheckpoint();
  best_loss = losses[0];
  reference_loss = losses[1];
  epoch_loss = {losses[2], losses[3]};
  epochs_without_improvement = counts[0];
  finished = counts[1] != 0;
  return {};
}

}  // namespace argosy::algorithms::linear
