// A k-means artifact: its centres. Files: docs/formats/artifact_kmeans.md.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace argosy::algorithms::kmeans {

struct KMeansModel {
  size_t k = 0;
  size_t feature_dim = 0;
  std::vector<double> centers;  // [k × feature_dim]
  std::string training_json;    // what model.json tells of the training
};

Status SaveKMeansModel(const KMeansModel& model, const std::filesystem::path& directory);

// kCorrupt when the bytes contradict each other or the format; nothing is taken on trust.
Result<KMeansModel> ParseKMeansModel(std::string_view weights, std::string_view model_json);
Result<KMeansModel> LoadKMeansModel(const std::filesystem::path& directory);

}  // namespace argosy::algorithms::kmeans
