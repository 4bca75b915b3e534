#include "algorithms/kmeans/kmeans_model.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "algorithms/artifact_files.h"
#include "base/json.h"
#include "model/safetensors.h"

namespace argosy::algorithms::kmeans {
namespace {

constexpr const char* kFormat = "argosy-kmeans";

}  // namespace

Status SaveKMeansModel(const KMeansModel& model, const std::filesystem::path& directory) {
  const model::Tensors tensors = {{"centers", {{model.k, model.feature_dim}, model.centers}}};
  Json json = {{"k", model.k}, {"feature_dim", model.feature_dim}};
  if (auto training = ParseJson(model.training_json); training) json["training"] = std::move(*training);
  return WriteArtifact(directory, kFormat, tensors, std::move(json));
}

Result<KMeansModel> ParseKMeansModel(std::string_view weights, std::string_view model_json) {
  if (const auto json = ParseModelJson(kFormat, model_json); !json) return json.error();
  auto tensors = model::ReadSafetensors(weights);
  if (!tensors) return tensors.error();
  const auto centers = tensors->find("centers");
  if (centers == tensors->end() || centers->second.shape.size() != 2 || centers->second.values.empty()) {
    return CorruptArtifact("it has no centers of two dimensions");
  }
  for (const double value : centers->second.values) {
    if (!std::isfinite(value)) return CorruptArtifact("a center is not finite");
  }
  KMeansModel model;
  model.k = centers->second.shape[0];
  model.feature_dim = centers->second.shape[1];
  model.centers = std::move(centers->second.values);
  return model;
}

Result<KMeansModel> LoadKMeansModel(const std::filesystem::path& directory) {
  const auto files = ReadArtifactFiles(directory);
  if (!files) return files.error();
  return ParseKMeansModel(files->weights, files->model_json);
}

}  // namespace argosy::algorithms::kmeans
