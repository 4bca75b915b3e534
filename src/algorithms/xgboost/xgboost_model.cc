#include "algorithms/xgboost/xgboost_model.h"

#include <nlohmann/json.hpp>

#include "algorithms/artifact_files.h"
#include "base/files.h"
#include "base/json.h"

namespace argosy::algorithms::xgboost {
namespace {

constexpr const char* kFormat = "argosy-xgboost";

}  // namespace

Status SaveXGBoostModel(std::string_view booster, const std::optional<data::TableSchema>& table,
                        std::string_view training_json, const std::filesystem::path& directory) {
  Json json = {{"file", kBoosterFile}};
  if (auto training = ParseJson(training_json); training) json["training"] = std::move(*training);
  if (table) json["table"] = data::ToJson(*table);
  if (Status s = WriteFileAtomically(directory / kBoosterFile, booster); !s) return s;
  return WriteModelJson(directory, kFormat, std::move(json));
}

Result<XGBoostModel> LoadXGBoostModel(const std::filesystem::path& directory) {
  const auto bytes = ReadFile(directory / kBoosterFile, kBoosterBytesMax);
  if (!bytes) return bytes.error();
  auto trees = TreeModel::Parse(*bytes);
  if (!trees) return trees.error();
  XGBoostModel model{.trees = std::move(*trees), .table = std::nullopt};
  if (!std::filesystem::exists(directory / kModelFile)) return model;
  const auto json = ReadModelJson(directory, kFormat);
  if (!json) return json.error();
  if (const auto table = json->find("table"); table != json->end()) {
    auto schema = data::TableSchemaFromJson(*table);
    if (!schema) return schema.error();
    if (schema->columns.size() != model.trees.features()) {
      return CorruptArtifact("the table has " + std::to_string(schema->columns.size()) + " columns, the trees " +
                             std::to_string(model.trees.features()) + " features");
    }
    model.table = std::move(*schema);
  }
  return model;
}

}  // namespace argosy::algorithms::xgboost
