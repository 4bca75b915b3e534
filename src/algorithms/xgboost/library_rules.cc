#include "algorithms/xgboost/library_rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "algorithms/xgboost/settings.h"
#include "base/bytes.h"
#include "base/json.h"

namespace argosy::algorithms::xgboost {
namespace {

constexpr std::array<std::string_view, 6> kTreeUpdaters = {"grow_colmaker", "grow_histmaker", "grow_quantile_histmaker",
                                                           "prune",         "refresh",        "sync"};
constexpr std::array<std::string_view, 3> kTreeChangers = {"prune", "refresh", "sync"};  // of trees that are there
constexpr std::array<std::string_view, 2> kLinearUpdaters = {"shotgun", "coord_descent"};
constexpr std::array<std::string_view, 2> kClassMetrics = {"merror", "mlogloss"};  // of multi:… alone
constexpr std::array<std::string_view, 2> kAnyClassMetrics = {"auc", "aucpr"};     // of multi:… too
constexpr std::array<std::string_view, 3> kRankMetrics = {"map", "ndcg", "pre"};

template <size_t kCount>
bool Has(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// "(1,0,-1)"
bool IsMonotone(std::string_view text) {
  text = Trim(text);
  if (!text.starts_with('(') || !text.ends_with(')')) return false;
  text = text.substr(1, text.size() - 2);
  while (!Trim(text).empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const auto constraint = ParseInt(Trim(text.substr(0, comma)));
    if (!constraint || *constraint < -1 || *constraint > 1) return false;
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return true;
}

// "[[0,1],[2,3]]"
bool IsInteraction(std::string_view text) {
  const auto json = ParseJson(text);
  if (!json || !json->is_array()) return false;
  return std::ranges::all_of(*json, [](const Json& branch) {
    return branch.is_array() && std::ranges::all_of(branch, [](const Json& column) {
             return column.is_number_unsigned() && column.get<uint64_t>() <= std::numeric_limits<int32_t>::max();
           });
  });
}

Status CheckUpdaters(const ParsedHyperparameters& values) {
  const bool linear = values.Text("booster") == "gblinear";
  const bool update = values.Text("process_type") == "update" && !linear;
  const std::string& text = values.Text("updater");
  if (text.empty()) {
    return update ? InvalidHyperparameter("process_type", "update",
                                          "it works on trees that are there: updater must be prune or refresh")
                  : Status();
  }
  if (linear) {
    return Has(kLinearUpdaters, text)
               ? Status()
               : InvalidHyperparameter("updater", text, "booster gblinear has shotgun and coord_descent, one of them");
  }
  const std::string_view first = std::string_view(text).substr(0, text.find(','));
  bool grows = false;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view name = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (!Has(kTreeUpdaters, name) || (rest.empty() && text.ends_with(','))) {
      return InvalidHyperparameter("updater", text,
                                   "it is a comma-separated list of grow_colmaker, grow_histmaker, "
                                   "grow_quantile_histmaker, prune, refresh and sync");
    }
    grows = grows || !Has(kTreeChangers, name);
  }
  if (update && grows) {
    return InvalidHyperparameter("updater", text,
                                 "process_type update has prune, refresh and sync, which grow no tree");
  }
  if (!update && (!grows || first == "prune" || first == "refresh")) {
    return InvalidHyperparameter("updater", text,
                                 "trees must be grown before they are changed, or process_type be update");
  }
  return {};
}

Status CheckText(const ParsedHyperparameters& values) {
  if (const std::string& text = values.Text("monotone_constraints"); !text.empty() && !IsMonotone(text)) {
    return InvalidHyperparameter("monotone_constraints", text, "it must be a list of -1, 0 and 1 like (1,0,-1)");
  }
  if (const std::string& text = values.Text("interaction_constraints"); !text.empty() && !IsInteraction(text)) {
    return InvalidHyperparameter("interaction_constraints", text,
                                 "it must be a list of lists of column numbers like [[0,1],[2,3]]");
  }
  return CheckUpdaters(values);
}

// The library holds numbers in single precision, and does not round those that are none there.
Status CheckPrecision(const ParsedHyperparameters& values) {
  for (const HyperparameterSpec& spec : XGBoostHyperparameters()) {
    if (spec.type != HyperparameterType::kFloat || !values.IsGiven(spec.name)) continue;
    const double size = std::abs(values.Float(spec.name).value_or(0));
    if (size == 0 || (size >= std::numeric_limits<float>::min() && size <= std::numeric_limits<float>::max())) continue;
    return InvalidHyperparameter(spec.name, values.Text(spec.name),
                                 "it must be 0 or, without its sign, from 1.2e-38 to 3.4e38");
  }
  return {};
}

// The method that grows by levels alone, and objectives that take logarithms.
Status CheckCombinations(const ParsedHyperparameters& values) {
  if (values.Integer("max_depth") == 0 && values.Text("tree_method") == "exact" && values.Text("updater").empty() &&
      values.Text("booster") != "gblinear") {
    return InvalidHyperparameter("max_depth", "0", "trees without a limit need tree_method hist or approx, not exact");
  }
  if (!values.IsGiven("base_score")) return {};
  const double score = values.Float("base_score").value_or(0);
  const std::string& objective = values.Text("objective");
  const auto refused = [&](std::string_view rule) {
    return InvalidHyperparameter("base_score", values.Text("base_score"), "objective " + objective + std::string(rule));
  };
  if (objective == "binary:logistic" || objective == "reg:logistic") {
    return score > 0 && score < 1 ? Status() : refused(" begins with a probability above 0 and below 1");
  }
  if (objective == "count:poisson" || objective == "reg:gamma" || objective == "reg:tweedie" ||
      objective.starts_with("survival:")) {
    return score > 0 ? Status() : refused(" begins with a number above 0");
  }
  if (objective == "reg:squaredlogerror") return score > -1 ? Status() : refused(" begins with a number above -1");
  return {};
}

}  // namespace

Status CheckLibraryRules(const ParsedHyperparameters& values) {
  if (Status s = CheckText(values); !s) return s;
  if (Status s = CheckPrecision(values); !s) return s;
  return CheckCombinations(values);
}

Status CheckLibraryMetric(std::string_view metric, std::string_view objective) {
  const size_t at = metric.find('@');
  const std::string_view name = metric.substr(0, at);
  const bool multiclass = objective.starts_with("multi:");
  const bool fits = Has(kClassMetrics, name) ? multiclass : !multiclass || Has(kAnyClassMetrics, name);
  if (!fits) {
    return InvalidHyperparameter("eval_metric", metric, "objective " + std::string(objective) + " does not have it");
  }
  const bool survival = name == "aft-nloglik" || name == "interval-regression-accuracy";
  if (survival && objective != "survival:aft") {
    return InvalidHyperparameter("eval_metric", metric, "only objective survival:aft has it");
  }
  std::string_view parameter = at == std::string_view::npos ? std::string_view() : metric.substr(at + 1);
  const bool has = at != std::string_view::npos;
  if (name == "error") {
    return !has || ParseDouble(parameter)
               ? Status()
               : InvalidHyperparameter("eval_metric", metric, "behind error@ stands the threshold, a number");
  }
  if (name == "tweedie-nloglik") {
    const auto power = ParseDouble(parameter);
    return power && *power >= 1 && *power < 2
               ? Status()
               : InvalidHyperparameter("eval_metric", metric,
                                       "behind tweedie-nloglik@ stands the variance power, at least 1 and below 2");
  }
  if (Has(kRankMetrics, name)) {
    if (parameter.ends_with('-')) parameter.remove_suffix(1);  // what lists without a relevant row count for: 0
    const auto places = ParseInt(parameter);
    return !has || parameter.empty() || (places && *places >= 1)
               ? Status()
               : InvalidHyperparameter("eval_metric", metric,
                                       "behind " + std::string(name) + "@ stands a number of places, at least 1");
  }
  return has ? Status(InvalidHyperparameter("eval_metric", metric, std::string(name) + " has no parameter")) : Status();
}

}  // namespace argosy::algorithms::xgboost
