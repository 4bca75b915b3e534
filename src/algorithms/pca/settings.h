// The hyperparameters of PCA, checked. Reference: docs/guides/pca.md.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/table_settings.h"

namespace argosy::algorithms::pca {

struct PcaSettings {
  size_t feature_dim = 0;
  size_t components = 0;
  size_t mini_batch_size = 0;
  bool randomized = false;
  size_t extra_components = 0;  // of the randomized mode
  bool subtract_mean = true;
  uint64_t seed = 0;
  data::ProbeOptions table;
};

std::span<const HyperparameterSpec> PcaHyperparameters();

// kInvalidArgument naming what is wrong. `seed` is that of the request.
Result<PcaSettings> ParsePcaSettings(const Hyperparameters& given, uint64_t seed);

}  // namespace argosy::algorithms::pca
