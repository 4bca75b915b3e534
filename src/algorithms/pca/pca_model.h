// A PCA artifact. Files: docs/formats/artifact_pca.md.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace argosy::algorithms::pca {

struct PcaModel {
  size_t feature_dim = 0;
  size_t components = 0;
  std::vector<double> mean;  // [feature_dim]; zeros where it is not subtracted
  std::vector<double> v;     // [feature_dim × components]: ascending, the most important last, as SageMaker's
  std::vector<double> singular_values;  // [components], ascending
  uint64_t rows = 0;                    // that it was made from; 0: not told
  double total = 0;                     // Σ |x - mean|² of them
  std::string training_json;            // what model.json tells of the training
};

Status SavePcaModel(const PcaModel& model, const std::filesystem::path& directory);

// kCorrupt when the bytes contradict each other or the format; nothing is taken on trust.
Result<PcaModel> ParsePcaModel(std::string_view weights, std::string_view model_json);
Result<PcaModel> LoadPcaModel(const std::filesystem::path& directory);

}  // namespace argosy::algorithms::pca
