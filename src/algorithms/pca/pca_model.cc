#include "algorithms/pca/pca_model.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "algorithms/artifact_files.h"
#include "base/json.h"
#include "model/safetensors.h"

namespace argosy::algorithms::pca {
namespace {

constexpr const char* kFormat = "argosy-pca";

}  // namespace

Status SavePcaModel(const PcaModel& model, const std::filesystem::path& directory) {
  const model::Tensors tensors = {{"mean", {{model.feature_dim}, model.mean}},
                                  {"v", {{model.feature_dim, model.components}, model.v}},
                                  {"s", {{model.components}, model.singular_values}}};
  Json json = {{"feature_dim", model.feature_dim},
               {"num_components", model.components},
               {"rows", model.rows},
               {"squares", model.total}};
  if (auto training = ParseJson(model.training_json); training) json["training"] = std::move(*training);
  return WriteArtifact(directory, kFormat, tensors, std::move(json));
}

Result<PcaModel> ParsePcaModel(std::string_view weights, std::string_view model_json) {
  const auto json = ParseModelJson(kFormat, model_json);
  if (!json) return json.error();
  auto tensors = model::ReadSafetensors(weights);
  if (!tensors) return tensors.error();
  for (const char* name : {"mean", "v", "s"}) {
    const auto tensor = tensors->find(name);
    if (tensor == tensors->end()) return CorruptArtifact("array '" + std::string(name) + "' is absent");
    for (const double value : tensor->second.values) {
      if (!std::isfinite(value)) return CorruptArtifact("array '" + std::string(name) + "' is not finite");
    }
  }
  model::Tensor& v = (*tensors)["v"];
  if (v.shape.size() != 2 || v.values.empty()) return CorruptArtifact("array 'v' has not two dimensions");
  PcaModel model;
  model.feature_dim = v.shape[0];
  model.components = v.shape[1];
  model.v = std::move(v.values);
  model.mean = std::move((*tensors)["mean"].values);
  model.singular_values = std::move((*tensors)["s"].values);
  if (model.mean.size() != model.feature_dim || model.singular_values.size() != model.components) {
    return CorruptArtifact("its arrays are of different sizes");
  }
  if (const auto rows = json->find("rows"); rows != json->end() && rows->is_number_unsigned()) {
    model.rows = rows->get<uint64_t>();
  }
  if (const auto total = json->find("squares"); total != json->end() && total->is_number()) {
    model.total = total->get<double>();
  }
  return model;
}

Result<PcaModel> LoadPcaModel(const std::filesystem::path& directory) {
  const auto files = ReadArtifactFiles(directory);
  if (!files) return files.error();
  return ParsePcaModel(files->weights, files->model_json);
}

}  // namespace argosy::algorithms::pca
