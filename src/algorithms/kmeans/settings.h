// The hyperparameters of k-means, checked. Reference: docs/guides/kmeans.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "algorithms/table_settings.h"

namespace argosy::algorithms::kmeans {

enum class Init { kRandom, kPlusPlus };

struct KMeansSettings {
  size_t feature_dim = 0;
  size_t k = 0;
  size_t mini_batch_size = 5000;
  size_t epochs = 1;
  std::optional<size_t> extra_center_factor;
  uint64_t half_life_time_size = 0;  // rows after which an earlier row counts half; 0: never less
  Init init = Init::kRandom;
  Init local_init = Init::kPlusPlus;
  size_t local_iterations_max = 300;
  std::optional<size_t> local_trials;
  double local_tolerance = 1e-4;
  std::optional<size_t> lloyd_passes;
  bool msd = true;  // of the test channel
  bool ssd = false;
  uint64_t seed = 0;
  data::ProbeOptions table;
};

std::span<const HyperparameterSpec> KMeansHyperparameters();

// kInvalidArgument naming what is wrong. `seed` is that of the request.
Result<KMeansSettings> ParseKMeansSettings(const Hyperparameters& given, uint64_t seed);

}  // namespace argosy::algorithms::kmeans
