#include "algorithms/xgboost/xgboost_model.h"

#include <nlohmann/json.hpp>

#include "algorithms/artifact_files.h"
#include "base/files.h"
#include "base/json.h"

namespace argosy::algorithms::xgboost {
namespace {

constexpr const char* kFormat = "argosy-xgboost";

// Of a cross-validation.
std::string BoosterName(size_t number) {
  return std::string(kBoosterFile) + "-" + std::to_string(number);
}

Result<TreeModel> LoadTrees(const std::filesystem::path& file) {
  const auto bytes = ReadFile(file, kBoosterBytesMax);
  return bytes ? TreeModel::Parse(*bytes) : bytes.error();
}

}  // namespace

std::vector<std::filesystem::path> BoosterFiles(const std::filesystem::path& directory) {
  const std::filesystem::path single = directory / kBoosterFile;
  std::error_code ignored;
  if (std::filesystem::exists(single, ignored)) return {single};
  std::vector<std::filesystem::path> files;
  while (true) {
    std::filesystem::path next = directory / BoosterName(files.size());
    if (!std::filesystem::exists(next, ignored)) return files;
    files.push_back(std::move(next));
  }
}

Status SaveXGBoostModel(std::span<const std::string> boosters, const std::optional<data::TableSchema>& table,
                        std::string_view training_json, const std::filesystem::path& directory) {
  Json json = Json::object();
  if (boosters.size() == 1) {
    json["file"] = kBoosterFile;
    if (Status s = WriteFileAtomically(directory / kBoosterFile, boosters.front()); !s) return s;
  } else {
    json["files"] = Json::array();
    for (size_t i = 0; i < boosters.size(); ++i) {
      const std::string name = BoosterName(i);
      json["files"].push_back(name);
      if (Status s = WriteFileAtomically(directory / name, boosters[i]); !s) return s;
    }
  }
  if (auto training = ParseJson(training_json); training) json["training"] = std::move(*training);
  if (table) json["table"] = data::ToJson(*table);
  return WriteModelJson(directory, kFormat, std::move(json));
}

Result<XGBoostModel> LoadXGBoostModel(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files = BoosterFiles(directory);
  if (files.empty()) files.push_back(directory / kBoosterFile);  // whose absence is told
  XGBoostModel model;
  for (const std::filesystem::path& file : files) {
    auto trees = LoadTrees(file);
    if (!trees) return trees.error();
    if (!model.models.empty() && !model.models.front().IsLike(*trees)) {
      return CorruptArtifact("'" + file.filename().string() +
                             "' has other features, outputs or another objective than '" +
                             files.front().filename().string() + "'");
    }
    model.models.push_back(std::move(*trees));
  }
  if (!std::filesystem::exists(directory / kModelFile)) return model;
  const auto json = ReadModelJson(directory, kFormat);
  if (!json) return json.error();
  if (const auto table = json->find("table"); table != json->end()) {
    auto schema = data::TableSchemaFromJson(*table);
    if (!schema) return schema.error();
    const size_t features = model.models.front().features();
    if (schema->columns.size() != features) {
      return CorruptArtifact("the table has " + std::to_string(schema->columns.size()) + " columns, the trees " +
                             std::to_string(features) + " features");
    }
    model.table = std::move(*schema);
  }
  return model;
}

}  // namespace argosy::algorithms::xgboost
