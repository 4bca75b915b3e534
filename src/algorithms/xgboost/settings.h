// XGBoost's hyperparameters under SageMaker's names, checked. Reference: docs/guides/xgboost.md.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/hyperparameters.h"
#include "algorithms/table_settings.h"

namespace argosy::algorithms::xgboost {

// What the objective makes of labels.
enum class Task {
  kRegression,
  kBinary,      // labels from 0 to 1
  kMulticlass,  // labels 0 … classes - 1
};

struct XGBoostSettings {
  int rounds = 0;
  std::string objective;
  Task task = Task::kRegression;
  uint32_t classes = 0;  // of kMulticlass
  bool trees = true;     // the booster is not gblinear
  std::optional<int> early_stopping_rounds;
  std::vector<std::string> library_metrics;  // in the order given; of XGBoost
  std::vector<std::string> class_metrics;    // and of metrics.h
  bool csv_weights = false;
  int folds = 0;  // of a cross-validation; 0: none
  int cv_rounds = 1;
  int64_t seed = 0;
  std::optional<unsigned> threads;
  TableSettings table;
  // How many models there will be.
  int models() const { return std::max(1, folds * cv_rounds); }
  // What is handed to the library, by its names: all that was given and is its own.
  std::vector<std::pair<std::string, std::string>> parameters;
};

std::span<const HyperparameterSpec> XGBoostHyperparameters();

// kInvalidArgument naming what is wrong. `learning_rate`, `min_split_loss`, `reg_lambda` and `reg_alpha` are eta,
// gamma, lambda and alpha, as in SageMaker's container.
Result<XGBoostSettings> ParseXGBoostSettings(Hyperparameters given);

// What the library said of values that it took and could not train with, and of which: those that it names, and always
// the objective.
Error BlamedOn(const XGBoostSettings& settings, const Error& error);

// What the library evaluates when no eval_metric of its own is given.
std::string DefaultMetric(const XGBoostSettings& settings);

// Whether more of it is better.
bool IsMaximised(std::string_view metric);

}  // namespace argosy::algorithms::xgboost
