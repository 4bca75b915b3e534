#include "algorithms/linear/settings.h"

#include <algorithm>
#include <cmath>

#include "algorithms/table_settings.h"

namespace argosy::algorithms::linear {
namespace {

using Type = HyperparameterType;
using Bound = HyperparameterSpec::Bound;

constexpr double kUnbounded = std::numeric_limits<double>::infinity();
// How it was chosen stands in docs/decisions/linear-learner-defaults.md.
constexpr int64_t kModelsMax = 25;  // five learning rates by five weight decays
constexpr double kClassifierClip = 2.5;

std::vector<HyperparameterSpec> Declare() {
  using declare::Choice;
  using declare::Count;
  using declare::Flag;
  using declare::FlagOrAuto;
  using declare::Fraction;
  using declare::kIntegerMax;
  using declare::NotNegative;
  using declare::Positive;
  using declare::Seed;
  std::vector<HyperparameterSpec> specs = {
      {.name = "predictor_type",
       .type = Type::kChoice,
       .words = {"binary_classifier", "multiclass_classifier", "regressor"},
       .required = true,
       .doc = "What is predicted: label 0 or 1, label 0 … num_classes - 1, or a number."},
      {.name = "num_classes",
       .type = Type::kInteger,
       .min = 3,
       .max = data::kClassesMax,
       .doc = "Number of classes; required for multiclass_classifier unless labels are text or mapped."},
      Count("accuracy_top_k", {}, "3", "k of the metric multiclass_top_k_accuracy."),
      FlagOrAuto("normalize_data", "true",
                 "Scales each numeric feature to unit standard deviation over the training data."),
      FlagOrAuto(
          "normalize_label", "auto",
          "Scales the label to unit standard deviation (regressor only; predictions are scaled back). auto: true "
          "for a regressor."),
      FlagOrAuto("unbias_data", "auto", "Shifts each numeric feature to mean 0. auto: as use_bias."),
      FlagOrAuto("unbias_label", "auto", "Shifts the label to mean 0 (regressor only). auto: as use_bias."),
      Count("num_point_for_scaler", {}, "10000",
            "Rows that means and standard deviations are taken from, spread evenly over the training data. Not given: "
            "all rows, which costs nothing more here."),
      {.name = "feature_dim",
       .type = Type::kInteger,
       .min = 1,
       .max = kIntegerMax,
       .words = {"auto"},
       .default_value = "auto",
       .doc =
           "Number of feature columns (before categories are encoded). auto: as the data has; given, it must agree."},
      Choice("loss",
             {"auto", "logistic", "squared_loss", "absolute_loss", "hinge_loss", "eps_insensitive_squared_loss",
              "eps_insensitive_absolute_loss", "quantile_loss", "huber_loss", "softmax_loss"},
             "auto",
             "binary_classifier: logistic (auto) or hinge_loss. multiclass_classifier: softmax_loss (auto). regressor: "
             "squared_loss (auto) or any of the others."),
      Positive("margin", {}, "1.0", "Margin of hinge_loss."),
      Positive("loss_insensitivity", {}, "0.01", "ε of the eps_insensitive losses, on the normalised label."),
      Fraction("quantile", Bound::kExclusive, {}, "0.5", "Quantile that quantile_loss estimates."),
      Positive("huber_delta", {}, "1.0", "Where huber_loss turns linear, on the normalised label."),
      Choice("optimizer", {"auto", "sgd", "adam", "rmsprop"}, "auto", "auto: adam."),
      Positive("learning_rate", {"auto"}, "auto",
               "Step size. auto: 0.1 (rmsprop: 0.05) for mini-batches of 1000 rows and up to 80 columns; it falls with "
               "the square root of a smaller mini-batch and in proportion to more columns."),
      Count("mini_batch_size", {}, "1000",
            "Rows per step, over all virtual shards. Not given: fewer when the data is small, so that an epoch has "
            "enough steps."),
      Count("epochs", {}, "15", "Passes over the training data at most."),
      Fraction("momentum", Bound::kInclusive, {"auto"}, "auto", "Of sgd. auto: 0.9."),
      Fraction("beta_1", Bound::kInclusive, {"auto"}, "auto", "Decay of adam's first moment. auto: 0.9."),
      Fraction("beta_2", Bound::kInclusive, {"auto"}, "auto",
               "Decay of adam's second moment, and of rmsprop's. auto: 0.999; 0.9 for rmsprop."),
      Positive("bias_lr_mult", {"auto"}, "auto", "Learning rate of the bias relative to that of the weights. auto: 1."),
      {.name = "bias_wd_mult",
       .type = Type::kFloat,
       .min = 0,
       .max = kUnbounded,
       .words = {"auto"},
       .default_value = "auto",
       .doc = "Weight decay of the bias relative to that of the weights. auto: 0."},
      NotNegative("l1", "L1 penalty on the weights of the normalised features. auto: 0."),
      NotNegative("wd", "L2 penalty (weight decay) on the weights of the normalised features."),
      Flag("use_bias", "true", "Whether the model has a bias term."),
      Flag("use_lr_scheduler", "true", "Whether the learning rate falls during the training."),
      Count("lr_scheduler_step", {"auto"}, "auto",
            "Steps between two reductions of the learning rate. auto: it falls along a half cosine over the epochs."),
      Fraction("lr_scheduler_factor", Bound::kExclusive, {"auto"}, "auto",
               "What the learning rate is multiplied with after each lr_scheduler_step. auto: 0.9."),
      Positive("lr_scheduler_minimum_lr", {"auto"}, "auto",
               "The learning rate never falls below this. auto: a hundredth of learning_rate."),
      Choice("init_method", {"uniform", "normal"}, "uniform", "Distribution of the initial weights."),
      Positive("init_scale", {}, "0.07", "uniform: between -init_scale and init_scale."),
      Positive("init_sigma", {}, "0.01", "normal: standard deviation."),
      {.name = "init_bias", .type = Type::kFloat, .default_value = "0", .doc = "Initial bias."},
      Count("early_stopping_patience", {}, "3", "Epochs without improvement before the training ends early."),
      Positive("early_stopping_tolerance", {}, "0.001",
               "Relative fall of the validation loss (without that channel: of the training loss) that counts as an "
               "improvement."),
      Count(
          "num_models", {"auto"}, "auto",
          "Models trained side by side with varied learning rate and weight decay, of which the best by the validation "
          "channel (else the training data) is kept. auto: 1; 2 with positive_example_weight_mult=auto."),
      Positive(
          "positive_example_weight_mult", {"balanced", "auto"}, "1.0",
          "Weight of positive examples (binary_classifier). balanced: both classes weigh the same in sum. auto: the "
          "better of 1 and balanced by the selection criterion."),
      Flag("balance_multiclass_weights", "false", "Gives every class the same weight in sum (multiclass_classifier)."),
      Choice("binary_classifier_model_selection_criteria",
             {"accuracy", "f_beta", "f1", "precision_at_target_recall", "recall_at_target_precision", "loss_function",
              "cross_entropy_loss"},
             "accuracy",
             "What the decision threshold is set for, and the best of several models chosen by, on the validation "
             "channel (else the training data). loss_function and cross_entropy_loss leave the threshold at its "
             "natural place; f1 is f_beta with beta 1."),
      Positive("f_beta", {}, "1.0", "β of the f_beta metrics."),
      Fraction("target_precision", Bound::kInclusive, {}, "0.8", "For recall_at_target_precision."),
      Fraction("target_recall", Bound::kInclusive, {}, "0.8", "For precision_at_target_recall."),
      Count(
          "num_calibration_samples", {"auto"}, "auto",
          "Rows of the validation channel (else the training data) that the threshold is set on, spread evenly. auto: "
          "all."),
  };
  for (HyperparameterSpec& spec :
       TableHyperparameters("Columns encoded as one feature per category: auto (those that hold text) or a "
                            "comma-separated list of names "
                            "or positions (counted with the label's column), or both: `auto,3`.")) {
    specs.push_back(std::move(spec));
  }
  specs.insert(specs.end(),
               {
                   Choice("argosy_missing", {"error", "mean"}, "error",
                          "An empty numeric field: an error, or the column's mean over the training data."),
                   {.name = "argosy_clip",
                    .type = Type::kFloat,
                    .min = 0,
                    .max = kUnbounded,
                    .min_bound = Bound::kExclusive,
                    .words = {"auto", "off"},
                    .default_value = "auto",
                    .doc = "Normalised features are cut off at this many standard deviations to either side, so that a "
                           "few huge values "
                           "do not decide. auto: 2.5 for classifiers with normalize_data, else off."},
                   Seed(),
                   declare::BadRecordsMax(),
                   declare::CheckpointSeconds(),
               });
  return specs;
}

bool Resolve(const std::string& text, bool when_auto) {
  return text == "auto" ? when_auto : text == "true";
}

PredictorType PredictorTypeOf(std::string_view text) {
  if (text == "binary_classifier") return PredictorType::kBinaryClassifier;
  return text == "regressor" ? PredictorType::kRegressor : PredictorType::kMulticlassClassifier;
}

Result<LossKind> LossOf(std::string_view text, PredictorType predictor) {
  constexpr std::pair<std::string_view, LossKind> kRegressorLosses[] = {
      {"auto", LossKind::kSquared},
      {"squared_loss", LossKind::kSquared},
      {"absolute_loss", LossKind::kAbsolute},
      {"eps_insensitive_squared_loss", LossKind::kEpsInsensitiveSquared},
      {"eps_insensitive_absolute_loss", LossKind::kEpsInsensitiveAbsolute},
      {"quantile_loss", LossKind::kQuantile},
      {"huber_loss", LossKind::kHuber}};
  switch (predictor) {
    case PredictorType::kBinaryClassifier:
      if (text == "auto" || text == "logistic") return LossKind::kLogistic;
      if (text == "hinge_loss") return LossKind::kHinge;
      break;
    case PredictorType::kMulticlassClassifier:
      if (text == "auto" || text == "softmax_loss") return LossKind::kSoftmax;
      break;
    case PredictorType::kRegressor:
      for (const auto& [name, kind] : kRegressorLosses) {
        if (text == name) return kind;
      }
      break;
  }
  return InvalidHyperparameter("loss", text,
                               "predictor_type " + std::string(PredictorTypeName(predictor)) + " does not have it");
}

Status ParseTable(const ParsedHyperparameters& values, LinearSettings& settings) {
  const bool regressor = settings.predictor == PredictorType::kRegressor;
  auto table = ParseTableSettings(values, regressor ? LabelMeaning::kNumber : LabelMeaning::kClass);
  if (!table) return table.error();
  settings.table = std::move(table->options);
  settings.label_text = table->label_text;
  settings.table.missing =
      values.Text("argosy_missing") == "mean" ? data::MissingValues::kMean : data::MissingValues::kRefuse;
  return {};
}

// How many classes there are, as far as the hyperparameters say.
Status ParseClasses(const ParsedHyperparameters& values, LinearSettings& settings) {
  const auto given = values.Integer("num_classes");
  const bool multiclass = settings.predictor == PredictorType::kMulticlassClassifier;
  const size_t mapped = settings.table.label_encoding.classes.size();
  if (given && !multiclass) {
    return InvalidHyperparameter("num_classes", values.Text("num_classes"), "only a multiclass_classifier has it");
  }
  if (mapped > 0) {
    const size_t expected = multiclass ? static_cast<size_t>(given.value_or(static_cast<int64_t>(mapped))) : 2;
    if (mapped != expected) {
      return InvalidHyperparameter(
          "argosy_label_map", values.Text("argosy_label_map"),
          "it has " + std::to_string(mapped) + " classes where " + std::to_string(expected) + " are expected");
    }
  }
  if (multiclass) {
    if (!given && mapped == 0 && !settings.label_text) {
      return Error(ErrorCode::kInvalidArgument,
                   "Hyperparameter num_classes: 'num_classes' is a required property of multiclass_classifier");
    }
    settings.classes = static_cast<uint32_t>(given.value_or(static_cast<int64_t>(mapped)));
  } else if (settings.predictor == PredictorType::kBinaryClassifier) {
    settings.classes = 2;
  }
  settings.table.class_count = settings.classes;
  return {};
}

void ParseOptimizer(const ParsedHyperparameters& values, LinearSettings& settings) {
  OptimizerSettings& optimizer = settings.optimizer;
  const std::string& kind = values.Text("optimizer");
  optimizer.kind = kind == "sgd"       ? OptimizerKind::kSgd
                   : kind == "rmsprop" ? OptimizerKind::kRmsprop
                                       : OptimizerKind::kAdam;
  const bool adam = optimizer.kind == OptimizerKind::kAdam;
  settings.learning_rate = values.Float("learning_rate");
  settings.l1 = values.Float("l1");
  settings.wd = values.Float("wd");
  optimizer.beta_1 = values.Float("beta_1").value_or(0.9);
  optimizer.beta_2 = values.Float("beta_2").value_or(adam ? 0.999 : 0.9);
  optimizer.momentum = values.Float("momentum").value_or(0.9);
  optimizer.bias_lr_mult = values.Float("bias_lr_mult").value_or(1);
  optimizer.bias_wd_mult = values.Float("bias_wd_mult").value_or(0);
  optimizer.use_scheduler = values.IsTrue("use_lr_scheduler");
  optimizer.scheduler_step = values.Integer("lr_scheduler_step");
  optimizer.scheduler_factor = values.Float("lr_scheduler_factor").value_or(0.9);
  optimizer.scheduler_minimum = values.Float("lr_scheduler_minimum_lr").value_or(-1);
}

SelectionCriterion CriterionOf(std::string_view text) {
  if (text == "f_beta" || text == "f1") return SelectionCriterion::kFBeta;
  if (text == "precision_at_target_recall") return SelectionCriterion::kPrecisionAtTargetRecall;
  if (text == "recall_at_target_precision") return SelectionCriterion::kRecallAtTargetPrecision;
  if (text == "loss_function" || text == "cross_entropy_loss") return SelectionCriterion::kLoss;
  return SelectionCriterion::kAccuracy;
}

}  // namespace

std::span<const HyperparameterSpec> LinearHyperparameters() {
  static const std::vector<HyperparameterSpec> specs = Declare();
  return specs;
}

std::string_view PredictorTypeName(PredictorType type) {
  switch (type) {
    case PredictorType::kBinaryClassifier:
      return "binary_classifier";
    case PredictorType::kMulticlassClassifier:
      return "multiclass_classifier";
    case PredictorType::kRegressor:
      return "regressor";
  }
  return "";
}

std::string_view LossName(LossKind kind) {
  switch (kind) {
    case LossKind::kLogistic:
      return "logistic";
    case LossKind::kHinge:
      return "hinge_loss";
    case LossKind::kSquared:
      return "squared_loss";
    case LossKind::kAbsolute:
      return "absolute_loss";
    case LossKind::kEpsInsensitiveSquared:
      return "eps_insensitive_squared_loss";
    case LossKind::kEpsInsensitiveAbsolute:
      return "eps_insensitive_absolute_loss";
    case LossKind::kQuantile:
      return "quantile_loss";
    case LossKind::kHuber:
      return "huber_loss";
    case LossKind::kSoftmax:
      return "softmax_loss";
  }
  return "";
}

Result<LinearSettings> ParseLinearSettings(const Hyperparameters& given, uint64_t seed) {
  auto parsed = ParseHyperparameters(LinearHyperparameters(), given);
  if (!parsed) return parsed.error();
  const ParsedHyperparameters& values = *parsed;
  LinearSettings settings;
  settings.predictor = PredictorTypeOf(values.Text("predictor_type"));
  const bool regressor = settings.predictor == PredictorType::kRegressor;
  auto loss = LossOf(values.Text("loss"), settings.predictor);
  if (!loss) return loss.error();
  settings.loss = {.kind = *loss,
                   .margin = *values.Float("margin"),
                   .insensitivity = *values.Float("loss_insensitivity"),
                   .quantile = *values.Float("quantile"),
                   .huber_delta = *values.Float("huber_delta")};
  if (Status table = ParseTable(values, settings); !table) return table.error();
  if (Status classes = ParseClasses(values, settings); !classes) return classes.error();
  ParseOptimizer(values, settings);

  settings.epochs = *values.Integer("epochs");
  settings.early_stopping_patience = *values.Integer("early_stopping_patience");
  settings.early_stopping_tolerance = *values.Float("early_stopping_tolerance");
  if (values.IsGiven("mini_batch_size")) settings.mini_batch_size = values.Integer("mini_batch_size");
  settings.num_models = values.Integer("num_models");
  if (settings.num_models && *settings.num_models > kModelsMax) {
    return InvalidHyperparameter("num_models", values.Text("num_models"),
                                 "at most " + std::to_string(kModelsMax) + " models are trained side by side");
  }

  settings.use_bias = values.IsTrue("use_bias");
  settings.normalize_data = Resolve(values.Text("normalize_data"), true);
  settings.unbias_data = Resolve(values.Text("unbias_data"), settings.use_bias);
  for (const std::string_view name : {"normalize_label", "unbias_label"}) {
    if (values.IsTrue(name) && !regressor)
      return InvalidHyperparameter(name, "true", "only a regressor's labels can be shifted");
  }
  settings.normalize_label = regressor && Resolve(values.Text("normalize_label"), true);
  settings.unbias_label = regressor && Resolve(values.Text("unbias_label"), settings.use_bias);
  for (const std::string_view name : {"unbias_data", "unbias_label"}) {
    if (values.IsTrue(name) && !settings.use_bias) return InvalidHyperparameter(name, "true", "it needs use_bias");
  }
  if (values.IsGiven("num_point_for_scaler")) settings.num_point_for_scaler = values.Integer("num_point_for_scaler");

  settings.init_method = values.Text("init_method") == "normal" ? InitMethod::kNormal : InitMethod::kUniform;
  settings.init_scale = *values.Float("init_scale");
  settings.init_sigma = *values.Float("init_sigma");
  settings.init_bias = *values.Float("init_bias");

  const std::string& weight = values.Text("positive_example_weight_mult");
  settings.positive_weight = weight == "balanced" ? PositiveWeight::kBalanced
                             : weight == "auto"   ? PositiveWeight::kAuto
                                                  : PositiveWeight::kGiven;
  settings.positive_example_weight_mult = values.Float("positive_example_weight_mult").value_or(1);
  const bool binary = settings.predictor == PredictorType::kBinaryClassifier;
  if (!binary && (settings.positive_weight != PositiveWeight::kGiven || settings.positive_example_weight_mult != 1)) {
    return InvalidHyperparameter("positive_example_weight_mult", weight, "only a binary_classifier has it");
  }
  settings.balance_multiclass_weights = values.IsTrue("balance_multiclass_weights");
  if (settings.balance_multiclass_weights && settings.predictor != PredictorType::kMulticlassClassifier) {
    return InvalidHyperparameter("balance_multiclass_weights", "true", "only a multiclass_classifier has it");
  }
  const std::string& criterion = values.Text("binary_classifier_model_selection_criteria");
  settings.criterion = CriterionOf(criterion);
  settings.f_beta = criterion == "f1" ? 1.0 : *values.Float("f_beta");
  settings.target_precision = *values.Float("target_precision");
  settings.target_recall = *values.Float("target_recall");
  settings.num_calibration_samples = values.Integer("num_calibration_samples");
  settings.accuracy_top_k = *values.Integer("accuracy_top_k");
  if (const auto dim = values.Integer("feature_dim")) settings.feature_dim = static_cast<size_t>(*dim);

  const std::string& clip = values.Text("argosy_clip");
  if (clip == "auto") {
    if (!regressor && settings.normalize_data) settings.clip = kClassifierClip;
  } else if (clip != "off") {
    if (!settings.normalize_data) return InvalidHyperparameter("argosy_clip", clip, "it needs normalize_data");
    settings.clip = values.Float("argosy_clip");
  }
  settings.seed =
      values.IsGiven("argosy_seed") ? static_cast<uint64_t>(values.Integer("argosy_seed").value_or(0)) : seed;
  return settings;
}

std::string_view ObjectiveName(const LinearSettings& settings) {
  switch (settings.predictor) {
    case PredictorType::kBinaryClassifier:
      return settings.loss.kind == LossKind::kHinge ? "binary_classification_hinge_objective"
                                                    : "binary_classification_cross_entropy_objective";
    case PredictorType::kMulticlassClassifier:
      return "multiclass_cross_entropy_objective";
    case PredictorType::kRegressor:
      return settings.loss.kind == LossKind::kSquared    ? "mse_objective"
             : settings.loss.kind == LossKind::kAbsolute ? "absolute_loss_objective"
                                                         : LossName(settings.loss.kind);
  }
  return "";
}

}  // namespace argosy::algorithms::linear
