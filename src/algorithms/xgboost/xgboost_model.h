// An XGBoost artifact: the library's own model, and how rows are read. Files: docs/formats/artifact_xgboost.md.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/xgboost/tree_model.h"
#include "base/result.h"
#include "data/table_schema.h"

namespace argosy::algorithms::xgboost {

// The names that SageMaker's container gives: of one model, and of those of a cross-validation with -0, -1, … behind
// it.
inline constexpr const char* kBoosterFile = "xgboost-model";
inline constexpr size_t kBoosterBytesMax = size_t{2} << 30;

struct XGBoostModel {
  std::vector<TreeModel> models;  // one, or an ensemble of the same shape and objective
  // Set when rows are those of a table that is more than plain numbers.
  std::optional<data::TableSchema> table;
};

// The files of models in a directory, in order; none when there is none.
std::vector<std::filesystem::path> BoosterFiles(const std::filesystem::path& directory);

// `boosters`: the library's models as JSON. `training_json`: what model.json tells of the training.
Status SaveXGBoostModel(std::span<const std::string> boosters, const std::optional<data::TableSchema>& table,
                        std::string_view training_json, const std::filesystem::path& directory);

// kCorrupt when the files contradict each other or their format. Without a model.json, as SageMaker's own artifacts
// are, rows are plain numbers.
Result<XGBoostModel> LoadXGBoostModel(const std::filesystem::path& directory);

}  // namespace argosy::algorithms::xgboost
