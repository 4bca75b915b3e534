#include "algorithms/xgboost/settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "algorithms/xgboost/library_rules.h"
#include "algorithms/xgboost/metrics.h"
#include "base/bytes.h"
#include "base/json.h"
#include "data/table_schema.h"

namespace argosy::algorithms::xgboost {
namespace {

using Type = HyperparameterType;
using Bound = HyperparameterSpec::Bound;

// As XGBoost 1.7 has them; those behind an @ have a parameter.
constexpr std::array<std::string_view, 21> kLibraryMetrics = {"aft-nloglik",
                                                              "auc",
                                                              "aucpr",
                                                              "cox-nloglik",
                                                              "error",
                                                              "gamma-deviance",
                                                              "gamma-nloglik",
                                                              "interval-regression-accuracy",
                                                              "logloss",
                                                              "mae",
                                                              "map",
                                                              "mape",
                                                              "merror",
                                                              "mlogloss",
                                                              "mphe",
                                                              "ndcg",
                                                              "poisson-nloglik",
                                                              "pre",
                                                              "rmse",
                                                              "rmsle",
                                                              "tweedie-nloglik"};

constexpr std::array<std::string_view, 19> kMaximised = {"accuracy",
                                                         "auc",
                                                         "aucpr",
                                                         "balanced_accuracy",
                                                         "f1",
                                                         "f1_binary",
                                                         "f1_macro",
                                                         "map",
                                                         "ndcg",
                                                         "pre",
                                                         "precision",
                                                         "r2",
                                                         "recall",
                                                         "precision_macro",
                                                         "precision_micro",
                                                         "recall_macro",
                                                         "recall_micro",
                                                         "interval-regression-accuracy",
                                                         "f1_micro"};

// Other names of the library's, which are those it uses in its messages.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kAliases = {
    {{"learning_rate", "eta"}, {"min_split_loss", "gamma"}, {"reg_lambda", "lambda"}, {"reg_alpha", "alpha"}}};

// Ours, not the library's.
constexpr std::array<std::string_view, 14> kOwn = {
    "num_round",        "csv_weights",        "early_stopping_rounds",     "eval_metric",          "nthread",
    "_kfold",           "_num_cv_round",      "save_model_on_termination", "argosy_header",        "argosy_label",
    "argosy_label_map", "argosy_categorical", declare::kCheckpointSeconds, declare::kBadRecordsMax};

HyperparameterSpec Number(std::string_view name, double min, double max, Bound min_bound, std::string_view standard,
                          std::string_view doc) {
  return {.name = name,
          .type = Type::kFloat,
          .min = min,
          .max = max,
          .min_bound = min_bound,
          .default_value = standard,
          .doc = doc};
}

HyperparameterSpec Whole(std::string_view name, double min, double max, std::string_view standard,
                         std::string_view doc) {
  return {.name = name, .type = Type::kInteger, .min = min, .max = max, .default_value = standard, .doc = doc};
}

HyperparameterSpec Words(std::string_view name, std::string_view standard, std::string_view doc) {
  return {.name = name, .type = Type::kText, .default_value = standard, .doc = doc};
}

std::vector<HyperparameterSpec> Declare() {
  using declare::Choice;
  using declare::Flag;
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double kMax = declare::kIntegerMax;
  std::vector<HyperparameterSpec> specs = {
      {.name = "num_round",
       .type = Type::kInteger,
       .min = 1,
       .max = 1'000'000,
       .required = true,
       .doc = "Rounds of boosting: trees, times num_parallel_tree, times the classes."},
      {.name = "num_class",
       .type = Type::kInteger,
       .min = 2,
       .max = 100'000,
       .doc = "Number of classes; required for multi:softmax and multi:softprob unless labels are mapped."},
      Choice("objective",
             {"reg:squarederror", "reg:linear", "reg:logistic", "reg:squaredlogerror", "reg:pseudohubererror",
              "reg:absoluteerror", "reg:gamma", "reg:tweedie", "binary:logistic", "binary:logitraw", "binary:hinge",
              "multi:softmax", "multi:softprob", "count:poisson", "rank:pairwise", "rank:ndcg", "rank:map",
              "survival:cox", "survival:aft"},
             "reg:squarederror",
             "What is minimised, and what a prediction is. reg:linear is the old name of reg:squarederror."),
      Words("eval_metric", "",
            "Metrics of each round, as a comma-separated or JSON list: XGBoost's own (rmse, error, logloss, auc, "
            "`error@0.7`, `ndcg@5` …) and accuracy, balanced_accuracy, f1, f1_binary, f1_macro, mse, precision, "
            "precision_macro, precision_micro, r2, recall, recall_macro, recall_micro. Not given: the objective's."),
      {.name = "early_stopping_rounds",
       .type = Type::kInteger,
       .min = 1,
       .max = kMax,
       .doc = "Ends the training when the last metric has not become better for so many rounds, on the validation "
              "channel if there is one; the model of the best round is kept."},
      Choice("booster", {"gbtree", "gblinear", "dart"}, "gbtree", "Trees, a linear model, or trees with dropouts."),
      Choice("tree_method", {"auto", "exact", "approx", "hist"}, "auto",
             "How splits are found. auto: XGBoost 1.7 takes exact for small data and approx for large; hist is the "
             "quickest."),
      Number("eta", 0, 1, Bound::kInclusive, "0.3", "Step size; also `learning_rate`."),
      Number("gamma", 0, kInf, Bound::kInclusive, "0", "Least loss reduction for a split; also `min_split_loss`."),
      Whole("max_depth", 0, kMax, "6", "Of a tree; 0: no limit (hist and approx)."),
      Number("min_child_weight", 0, kInf, Bound::kInclusive, "1", "Least sum of hessians in a leaf."),
      Number("max_delta_step", 0, kInf, Bound::kInclusive, "0", "Bound of a leaf's step; 0: none."),
      Number("subsample", 0, 1, Bound::kExclusive, "1", "Part of the rows drawn for each tree."),
      Number("colsample_bytree", 0, 1, Bound::kExclusive, "1", "Part of the columns drawn for each tree."),
      Number("colsample_bylevel", 0, 1, Bound::kExclusive, "1", "Part of those drawn for each level."),
      Number("colsample_bynode", 0, 1, Bound::kExclusive, "1", "Part of those drawn for each split."),
      Number("lambda", 0, kInf, Bound::kInclusive, "1", "L2 penalty on weights; also `reg_lambda`."),
      Number("alpha", 0, kInf, Bound::kInclusive, "0", "L1 penalty on weights; also `reg_alpha`."),
      Number("lambda_bias", 0, 1, Bound::kInclusive, "0", "L2 penalty on the bias (gblinear)."),
      Number("base_score", -kInf, kInf, Bound::kInclusive, "0.5", "Prediction before the first tree."),
      Number("scale_pos_weight", 0, kInf, Bound::kExclusive, "1", "Weight of positive rows (binary objectives)."),
      Choice("grow_policy", {"depthwise", "lossguide"}, "depthwise", "Where a tree grows next (hist and approx)."),
      Whole("max_leaves", 0, kMax, "0", "Of a tree; 0: no limit."),
      Whole("max_bin", 2, 65536, "256", "Bins of a column (hist and approx)."),
      Number("sketch_eps", 0, 1, Bound::kExclusive, "0.03", "Accepted; XGBoost 1.7 has max_bin instead."),
      Words("monotone_constraints", "", "`(1,0,-1)`: by column, whether predictions may only rise or fall with it."),
      Words("interaction_constraints", "", "`[[0,1],[2,3]]`: columns that may stand in one branch."),
      Whole("num_parallel_tree", 1, kMax, "1", "Trees grown in each round."),
      Choice("sample_type", {"uniform", "weighted"}, "uniform", "How trees to drop are drawn (dart)."),
      Choice("normalize_type", {"tree", "forest"}, "tree", "How new trees are weighed (dart)."),
      Number("rate_drop", 0, 1, Bound::kInclusive, "0", "Part of the trees dropped (dart)."),
      Choice("one_drop", {"0", "1"}, "0", "Whether at least one tree is always dropped (dart)."),
      Number("skip_drop", 0, 1, Bound::kInclusive, "0", "Probability that no tree is dropped (dart)."),
      Choice("process_type", {"default", "update"}, "default", "update works on the trees of an earlier model."),
      Choice("refresh_leaf", {"0", "1"}, "1", "Whether the updater refresh also changes leaves."),
      Words("updater", "", "Comma-separated names of the library's updaters, in their order."),
      {.name = "tweedie_variance_power",
       .type = Type::kFloat,
       .min = 1,
       .max = 2,
       .min_bound = Bound::kExclusive,
       .max_bound = Bound::kExclusive,
       .default_value = "1.5",
       .doc = "Of reg:tweedie."},
      Number("huber_slope", 0, kInf, Bound::kExclusive, "1", "Of reg:pseudohubererror."),
      Choice("aft_loss_distribution", {"normal", "logistic", "extreme"}, "normal", "Of survival:aft."),
      Number("aft_loss_distribution_scale", 0, kInf, Bound::kExclusive, "1", "Of survival:aft."),
      Whole("seed", -kMax, kMax, "0", "Of all that is drawn."),
      {.name = "nthread", .type = Type::kInteger, .min = 1, .max = 1024, .doc = "Threads. Not given: all."},
      Whole("verbosity", 0, 3, "1", "Of the library's own lines in the log."),
      Choice("csv_weights", {"0", "1"}, "0",
             "1: the second column of a CSV table, behind the label, is the row's weight."),
      {.name = "_kfold",
       .type = Type::kInteger,
       .min = 2,
       .max = 1000,
       .doc = "Cross-validation: the rows of train and validation together are dealt into so many parts (by class, for "
              "classifiers), and a model is trained for each on the rows of the others. The artifact holds all models; "
              "predictions are their mean (multi:softmax and binary:hinge: most votes)."},
      Whole("_num_cv_round", 1, 1000, "1", "How often the rows are dealt anew, with _kfold models each time."),
      declare::BadRecordsMax(),
      declare::CheckpointSeconds(),
      Flag("save_model_on_termination", "false", "Accepted: a stopped job always keeps the model it has."),
      Flag("deterministic_histogram", "true", "Accepted: XGBoost 1.7's histograms on a CPU are."),
      Flag("single_precision_histogram", "false", "Accepted: XGBoost 1.7 no longer has it."),
  };
  for (HyperparameterSpec& spec :
       TableHyperparameters("Columns whose text becomes the number of its category, in sorted order, which trees split "
                            "like any other number: auto (those that hold text) or a comma-separated list of names or "
                            "positions (counted with the label's column), or both: `auto,3`.")) {
    specs.push_back(std::move(spec));
  }
  return specs;
}

Task TaskOf(std::string_view objective) {
  if (objective.starts_with("multi:")) return Task::kMulticlass;
  if (objective.starts_with("binary:") || objective == "reg:logistic") return Task::kBinary;
  return Task::kRegression;
}

// "auc,error", "auc" or a JSON list; SageMaker's users write lists with either kind of quotes.
std::vector<std::string> SplitList(std::string_view text) {
  text = Trim(text);
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view part = Trim(text.substr(0, comma));
    if (part.size() >= 2 && (part.front() == '"' || part.front() == '\'') && part.back() == part.front()) {
      part = part.substr(1, part.size() - 2);
    }
    parts.emplace_back(part);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return parts;
}

Status ParseMetrics(const ParsedHyperparameters& values, XGBoostSettings& settings) {
  const std::string& text = values.Text("eval_metric");
  for (std::string& metric : SplitList(text)) {
    const std::string_view name = std::string_view(metric).substr(0, metric.find('@'));
    if (IsClassMetric(metric)) {
      const bool classes = settings.task != Task::kRegression;
      if (classes == IsRegressionMetric(metric)) {
        return InvalidHyperparameter("eval_metric", metric, "objective " + settings.objective + " does not have it");
      }
      settings.class_metrics.push_back(std::move(metric));
    } else if (std::ranges::find(kLibraryMetrics, name) != kLibraryMetrics.end()) {
      if (Status s = CheckLibraryMetric(metric, settings.objective); !s) return s;
      settings.library_metrics.push_back(std::move(metric));
    } else {
      return InvalidHyperparameter("eval_metric", metric, "there is no such metric");
    }
  }
  return {};
}

Status ParseClasses(const ParsedHyperparameters& values, XGBoostSettings& settings) {
  const auto given = values.Integer("num_class");
  const size_t mapped = settings.table.options.label_encoding.classes.size();
  const auto size = [&] { return "it has " + std::to_string(mapped) + " classes where "; };
  if (settings.task == Task::kMulticlass) {
    if (!given && mapped == 0 && !settings.table.label_text) {
      return Error(ErrorCode::kInvalidArgument,
                   "Hyperparameter num_class: 'num_class' is a required property of objective " + settings.objective);
    }
    settings.classes = static_cast<uint32_t>(given.value_or(static_cast<int64_t>(mapped)));
    if (mapped > settings.classes) {
      return InvalidHyperparameter("argosy_label_map", values.Text("argosy_label_map"),
                                   size() + std::to_string(settings.classes) + " are expected");
    }
  } else {
    if (given) {
      return InvalidHyperparameter("num_class", values.Text("num_class"),
                                   "only multi:softmax and multi:softprob have it");
    }
    if (mapped > 0 && mapped != 2) {
      return InvalidHyperparameter("argosy_label_map", values.Text("argosy_label_map"), size() + "2 are expected");
    }
  }
  settings.table.options.class_count = settings.classes;
  // Labels of a binary objective may be probabilities.
  if (settings.task == Task::kBinary && settings.table.options.label_kind == data::LabelKind::kClassNumber) {
    settings.table.options.label_kind = data::LabelKind::kNumber;
  }
  return {};
}

}  // namespace

std::span<const HyperparameterSpec> XGBoostHyperparameters() {
  static const std::vector<HyperparameterSpec> specs = Declare();
  return specs;
}

Error BlamedOn(const XGBoostSettings& settings, const Error& error) {
  if (error.code() != ErrorCode::kInvalidArgument) return error;
  const auto speaks_of = [&](std::string_view name) {
    const auto is_part = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    const std::string& text = error.message();
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
      const size_t end = at + name.size();
      if ((at == 0 || !is_part(text[at - 1])) && (end == text.size() || !is_part(text[end]))) return true;
    }
    return false;
  };
  std::string blamed = "objective=" + settings.objective;
  for (const auto& [name, value] : settings.parameters) {
    const auto alias = std::ranges::find(kAliases, name, &std::pair<std::string_view, std::string_view>::second);
    const bool named = speaks_of(name) || (alias != kAliases.end() && speaks_of(alias->first));
    if (named && name != "objective") blamed += ", " + name + "=" + value;
  }
  return Error(error.code(), "Hyperparameters " + blamed + " do not go with this data: " + error.message());
}

std::string DefaultMetric(const XGBoostSettings& settings) {
  static const std::map<std::string_view, std::string_view> kDefaults = {{"reg:squaredlogerror", "rmsle"},
                                                                         {"reg:pseudohubererror", "mphe"},
                                                                         {"reg:absoluteerror", "mae"},
                                                                         {"reg:gamma", "gamma-nloglik"},
                                                                         {"binary:logistic", "logloss"},
                                                                         {"binary:logitraw", "logloss"},
                                                                         {"binary:hinge", "error"},
                                                                         {"multi:softmax", "mlogloss"},
                                                                         {"multi:softprob", "mlogloss"},
                                                                         {"count:poisson", "poisson-nloglik"},
                                                                         {"rank:pairwise", "map"},
                                                                         {"rank:ndcg", "map"},
                                                                         {"rank:map", "map"},
                                                                         {"survival:cox", "cox-nloglik"},
                                                                         {"survival:aft", "aft-nloglik"}};
  if (settings.objective == "reg:tweedie") {
    std::string power = "1.5";
    for (const auto& [name, value] : settings.parameters) {
      if (name == "tweedie_variance_power") power = value;
    }
    return "tweedie-nloglik@" + power;
  }
  const auto known = kDefaults.find(settings.objective);
  return std::string(known == kDefaults.end() ? "rmse" : known->second);
}

bool IsMaximised(std::string_view metric) {
  return std::ranges::find(kMaximised, metric.substr(0, metric.find('@'))) != kMaximised.end();
}

Result<XGBoostSettings> ParseXGBoostSettings(Hyperparameters given) {
  for (const auto& [alias, name] : kAliases) {
    if (auto node = given.extract(std::string(alias)); !node.empty()) given.emplace(name, node.mapped());
  }
  if (given.contains("tree_method") && given["tree_method"] == "gpu_hist") {
    return InvalidHyperparameter("tree_method", "gpu_hist",
                                 "this machine's XGBoost has no GPU; hist is the same on the CPU");
  }
  auto parsed = ParseHyperparameters(XGBoostHyperparameters(), given);
  if (!parsed) return parsed.error();
  const ParsedHyperparameters& values = *parsed;
  if (Status s = CheckLibraryRules(values); !s) return s.error();
  XGBoostSettings settings;
  settings.rounds = static_cast<int>(*values.Integer("num_round"));
  settings.objective = values.Text("objective");
  settings.task = TaskOf(settings.objective);
  settings.trees = values.Text("booster") != "gblinear";
  if (const auto rounds = values.Integer("early_stopping_rounds")) {
    settings.early_stopping_rounds = static_cast<int>(*rounds);
  }
  if (const auto threads = values.Integer("nthread")) settings.threads = static_cast<unsigned>(*threads);
  settings.csv_weights = values.Text("csv_weights") == "1";
  settings.seed = *values.Integer("seed");
  settings.folds = static_cast<int>(values.Integer("_kfold").value_or(0));
  settings.cv_rounds = static_cast<int>(*values.Integer("_num_cv_round"));
  if (settings.folds == 0 && values.IsGiven("_num_cv_round")) {
    return InvalidHyperparameter("_num_cv_round", values.Text("_num_cv_round"), "it needs _kfold");
  }
  if (settings.folds > 0 && settings.objective.starts_with("rank:")) {
    return InvalidHyperparameter(
        "_kfold", values.Text("_kfold"),
        "rows of one query group would be parted: objective " + settings.objective + " cannot be cross-validated");
  }
  auto table =
      ParseTableSettings(values, settings.task == Task::kRegression ? LabelMeaning::kNumber : LabelMeaning::kClass);
  if (!table) return table.error();
  settings.table = std::move(*table);
  settings.table.options.missing = data::MissingValues::kKeep;
  if (Status s = ParseClasses(values, settings); !s) return s.error();
  if (Status s = ParseMetrics(values, settings); !s) return s.error();
  for (const HyperparameterSpec& spec : XGBoostHyperparameters()) {
    const bool own = std::ranges::find(kOwn, spec.name) != kOwn.end();
    if (own || !values.IsGiven(spec.name)) continue;
    // Whole numbers may come as 10.0, which the library does not take for one.
    const auto whole = spec.type == Type::kInteger ? values.Integer(spec.name) : std::nullopt;
    settings.parameters.emplace_back(spec.name, whole ? std::to_string(*whole) : values.Text(spec.name));
  }
  return settings;
}

}  // namespace argosy::algorithms::xgboost
