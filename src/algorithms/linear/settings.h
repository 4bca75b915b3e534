// The linear learner's hyperparameters: their declaration, and the form the training works with.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "algorithms/hyperparameters.h"
#include "data/table_probe.h"

namespace argosy::algorithms::linear {

enum class PredictorType { kBinaryClassifier, kMulticlassClassifier, kRegressor };
enum class LossKind {
  kLogistic,
  kHinge,
  kSquared,
  kAbsolute,
  kEpsInsensitiveSquared,
  kEpsInsensitiveAbsolute,
  kQuantile,
  kHuber,
  kSoftmax,
};
enum class OptimizerKind { kSgd, kAdam, kRmsprop };
enum class InitMethod { kUniform, kNormal };
enum class SelectionCriterion {
  kAccuracy,
  kFBeta,
  kPrecisionAtTargetRecall,
  kRecallAtTargetPrecision,
  kLoss,
};
enum class PositiveWeight { kGiven, kBalanced, kAuto };

struct LossSettings {
  LossKind kind = LossKind::kSquared;
  double margin = 1.0;          // hinge
  double insensitivity = 0.01;  // eps_insensitive
  double quantile = 0.5;
  double huber_delta = 1.0;
};

struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::kAdam;
  double learning_rate = 0;
  double beta_1 = 0;
  double beta_2 = 0;
  double momentum = 0;
  double bias_lr_mult = 1;
  double bias_wd_mult = 0;
  double l1 = 0;
  double wd = 0;
  // The rate after u updates is max(learning_rate · factor^⌊u / step⌋, minimum). No step: the schedule of the training
  // decides (see trainer.cc).
  bool use_scheduler = true;
  std::optional<int64_t> scheduler_step;
  double scheduler_factor = 0;
  double scheduler_minimum = 0;
};

struct LinearSettings {
  PredictorType predictor = PredictorType::kBinaryClassifier;
  uint32_t classes = 0;  // of the multiclass classifier; 0: as many as the labels have
  LossSettings loss;
  OptimizerSettings optimizer;

  int64_t epochs = 15;
  int64_t early_stopping_patience = 3;
  double early_stopping_tolerance = 0.001;
  std::optional<int64_t> mini_batch_size;  // none: chosen by the number of rows
  std::optional<int64_t> num_models;
  std::optional<double> learning_rate;  // as given; also in `optimizer`
  std::optional<double> l1;
  std::optional<double> wd;

  bool use_bias = true;
  bool normalize_data = true;
  bool unbias_data = true;
  bool normalize_label = false;
  bool unbias_label = false;
  std::optional<int64_t> num_point_for_scaler;  // none: all rows
  std::optional<double> clip;                   // in standard deviations
  std::optional<size_t> feature_dim;

  InitMethod init_method = InitMethod::kUniform;
  double init_scale = 0.07;
  double init_sigma = 0.01;
  double init_bias = 0;

  PositiveWeight positive_weight = PositiveWeight::kGiven;
  double positive_example_weight_mult = 1;
  bool balance_multiclass_weights = false;

  SelectionCriterion criterion = SelectionCriterion::kAccuracy;
  double f_beta = 1;
  double target_precision = 0.8;
  double target_recall = 0.8;
  std::optional<int64_t> num_calibration_samples;
  int64_t accuracy_top_k = 3;

  data::ProbeOptions table;
  bool label_text = false;  // text labels are collected and numbered
  uint64_t seed = 0;
};

std::span<const HyperparameterSpec> LinearHyperparameters();

// Checks each value and what they mean together. kInvalidArgument names the hyperparameter. `seed` is used when the
// hyperparameters name none.
Result<LinearSettings> ParseLinearSettings(const Hyperparameters& given, uint64_t seed);

std::string_view PredictorTypeName(PredictorType type);
std::string_view LossName(LossKind kind);
// What the log calls the loss that is minimised.
std::string_view ObjectiveName(const LinearSettings& settings);

}  // namespace argosy::algorithms::linear
