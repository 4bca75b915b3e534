// What a linear training leaves behind, and its artifact. Format: docs/formats/artifact_linear.md.
//
//   output[o] = bias[o] + Σ_j weight[o][j] · clip((x[j] - mean[j]) · scale[j])  +  Σ weight of the row's categories
//
// Without clipping, shift and scale are folded into weight and bias (mean 0, scale 1). A regressor's output is the
// prediction; a binary classifier's is the log-odds (logistic) or margin (hinge); a multiclass one's go through
// softmax.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "algorithms/linear/settings.h"
#include "base/result.h"
#include "data/table_schema.h"

namespace argosy::algorithms::linear {

inline constexpr const char* kSchemaFile = "schema.json";

struct LinearModel {
  PredictorType predictor = PredictorType::kRegressor;
  LossKind loss = LossKind::kSquared;
  size_t outputs = 1;
  double threshold = 0;         // binary classifier: outputs at or above it are label 1
  double clip = 0;              // in standard deviations; 0: none
  bool raw_rows = false;        // the schema is more than SageMaker's plain numbers: rows may hold the label
  std::vector<double> weights;  // [outputs × features], features in the schema's order
  std::vector<double> biases;   // [outputs]
  std::vector<double> mean;     // [numeric columns]
  std::vector<double> scale;    // [numeric columns]
  std::vector<double> fill;     // [numeric columns]: what a missing value stands for
  data::TableSchema schema;
  // For people and for whom it may concern: the hyperparameters as given, rows trained on, metrics. Not read back.
  std::string training_json;

  size_t features() const { return outputs == 0 ? 0 : weights.size() / outputs; }
};

// The artifact's files, written to `directory`.
Status SaveLinearModel(const LinearModel& model, const std::filesystem::path& directory);

// kCorrupt when files are torn, do not agree, or hold what is no finite number; kNotFound when one is absent.
Result<LinearModel> LoadLinearModel(const std::filesystem::path& directory);

// From the contents of the three files: what LoadLinearModel does after reading them.
Result<LinearModel> ParseLinearModel(std::string_view weights, std::string_view model_json,
                                     std::string_view schema_json);

}  // namespace argosy::algorithms::linear
