#include "algorithms/xgboost/metrics.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "base/result.h"

namespace argosy::algorithms::xgboost {
namespace {

constexpr std::array<std::string_view, 13> kNames = {
    "accuracy",        "balanced_accuracy", "f1", "f1_binary", "f1_macro",     "mse",         "precision",
    "precision_macro", "precision_micro",   "r2", "recall",    "recall_macro", "recall_micro"};

double Ratio(double part, double whole) {
  return whole == 0 ? 0 : part / whole;
}

// Counts of one class.
struct Counts {
  double hits = 0;       // predicted and true
  double predicted = 0;  // times predicted
  double actual = 0;     // times true

  double precision() const { return Ratio(hits, predicted); }
  double recall() const { return Ratio(hits, actual); }
  double f1() const { return Ratio(2 * hits, predicted + actual); }
};

double MeanSquare(std::span<const float> labels, std::span<const float> predicted) {
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const double miss = static_cast<double>(labels[i]) - predicted[i];
    sum += miss * miss;
  }
  return Ratio(sum, static_cast<double>(labels.size()));
}

double ExplainedVariance(std::span<const float> labels, std::span<const float> predicted) {
  double mean = 0;
  for (const float label : labels) mean += label;
  mean = Ratio(mean, static_cast<double>(labels.size()));
  double variance = 0;
  for (const float label : labels) variance += (label - mean) * (label - mean);
  return variance == 0 ? 0 : 1 - MeanSquare(labels, predicted) * static_cast<double>(labels.size()) / variance;
}

}  // namespace

bool IsClassMetric(std::string_view name) {
  return std::ranges::find(kNames, name) != kNames.end();
}

bool IsRegressionMetric(std::string_view name) {
  return name == "mse" || name == "r2";
}

double ClassMetric(std::string_view name, std::span<const float> labels, std::span<const float> predicted,
                   size_t classes) {
  if (name == "mse") return MeanSquare(labels, predicted);
  if (name == "r2") return ExplainedVariance(labels, predicted);
  std::vector<Counts> counts(std::max<size_t>(classes, 2));
  double hits = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto actual = static_cast<size_t>(labels[i]);
    const auto guess = static_cast<size_t>(predicted[i]);
    ++counts[actual].actual;
    ++counts[guess].predicted;
    if (actual != guess) continue;
    ++counts[actual].hits;
    ++hits;
  }
  // All averages over single labels are this one (micro).
  const double accuracy = Ratio(hits, static_cast<double>(labels.size()));
  if (name == "accuracy" || name.ends_with("_micro")) return accuracy;
  double (Counts::*of)() const = name.starts_with("precision")                               ? &Counts::precision
                                 : name.starts_with("recall") || name == "balanced_accuracy" ? &Counts::recall
                                                                                             : &Counts::f1;
  const bool mean = name == "balanced_accuracy" || name.ends_with("_macro") || counts.size() > 2;
  if (!mean) return (counts[1].*of)();
  // As scikit-learn: over the classes that occur; balanced accuracy over those that are true somewhere.
  double sum = 0;
  double present = 0;
  for (const Counts& one : counts) {
    if (one.actual == 0 && (name == "balanced_accuracy" || one.predicted == 0)) continue;
    sum += (one.*of)();
    ++present;
  }
  return Ratio(sum, present);
}

}  // namespace argosy::algorithms::xgboost
