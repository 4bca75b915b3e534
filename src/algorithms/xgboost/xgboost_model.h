// An XGBoost artifact: the library's own model, and how rows are read. Files: docs/formats/artifact_xgboost.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "algorithms/xgboost/tree_model.h"
#include "base/result.h"
#include "data/table_schema.h"

namespace argosy::algorithms::xgboost {

// The name that SageMaker's container gives it.
inline constexpr const char* kBoosterFile = "xgboost-model";
inline constexpr size_t kBoosterBytesMax = size_t{2} << 30;

struct XGBoostModel {
  TreeModel trees;
  // Set when rows are those of a table that is more than plain numbers.
  std::optional<data::TableSchema> table;
};

// `booster`: the library's model as JSON. `training_json`: what model.json tells of the training.
Status SaveXGBoostModel(std::string_view booster, const std::optional<data::TableSchema>& table,
                        std::string_view training_json, const std::filesystem::path& directory);

// kCorrupt when the files contradict each other or their format. Without a model.json, as SageMaker's own artifacts
// are, rows are plain numbers.
Result<XGBoostModel> LoadXGBoostModel(const std::filesystem::path& directory);

}  // namespace argosy::algorithms::xgboost
