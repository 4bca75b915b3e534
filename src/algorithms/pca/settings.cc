#include "algorithms/pca/settings.h"

#include <algorithm>

#include "data/table_schema.h"

namespace argosy::algorithms::pca {
namespace {

constexpr size_t kRegularDimMax = 10'000;           // a matrix of this many rows and columns is 800 MB
constexpr size_t kRandomizedNumbersMax = 1u << 27;  // feature_dim × directions: 1 GB

std::vector<HyperparameterSpec> Declare() {
  using declare::Choice;
  using declare::Flag;
  using declare::kIntegerMax;
  using declare::Seed;
  std::vector<HyperparameterSpec> specs = {
      {.name = "feature_dim",
       .type = HyperparameterType::kInteger,
       .min = 1,
       .max = data::kColumnsMax,
       .required = true,
       .doc = "Number of feature columns. A table with one column more begins with a label, which is not looked at."},
      {.name = "num_components",
       .type = HyperparameterType::kInteger,
       .min = 1,
       .max = data::kColumnsMax,
       .required = true,
       .doc = "Number of principal components, at most feature_dim."},
      {.name = "mini_batch_size",
       .type = HyperparameterType::kInteger,
       .min = 1,
       .max = kIntegerMax,
       .required = true,
       .doc = "Required by SageMaker. Here the result does not depend on it."},
      Choice(
          "algorithm_mode", {"regular", "randomized"}, "regular",
          "regular: the covariance of all features, exact. randomized: of a few random directions, for many features."),
      {.name = "extra_components",
       .type = HyperparameterType::kInteger,
       .min = -1,
       .max = kIntegerMax,
       .default_value = "-1",
       .doc =
           "randomized: directions beyond num_components, for accuracy. -1: as many as num_components, at least 10."},
      Flag("subtract_mean", "true", "Whether the features are shifted to mean 0, in training and in answers."),
      Flag("force_dense", "true", "Sent by SageMaker's SDK. Rows are always worked on densely."),
  };
  for (HyperparameterSpec& spec : UnlabelledTableHyperparameters()) specs.push_back(std::move(spec));
  specs.insert(specs.end(), {Seed(), declare::BadRecordsMax(), declare::CheckpointSeconds()});
  return specs;
}

}  // namespace

std::span<const HyperparameterSpec> PcaHyperparameters() {
  static const std::vector<HyperparameterSpec> specs = Declare();
  return specs;
}

Result<PcaSettings> ParsePcaSettings(const Hyperparameters& given, uint64_t seed) {
  auto parsed = ParseHyperparameters(PcaHyperparameters(), given);
  if (!parsed) return parsed.error();
  const ParsedHyperparameters& values = *parsed;
  PcaSettings settings;
  settings.table = ParseUnlabelledTable(values);
  settings.feature_dim = static_cast<size_t>(*values.Integer("feature_dim"));
  settings.components = static_cast<size_t>(*values.Integer("num_components"));
  settings.mini_batch_size = static_cast<size_t>(*values.Integer("mini_batch_size"));
  settings.randomized = values.Text("algorithm_mode") == "randomized";
  settings.subtract_mean = values.IsTrue("subtract_mean");
  settings.seed = static_cast<uint64_t>(values.Integer("argosy_seed").value_or(static_cast<int64_t>(seed)));
  const int64_t extra = *values.Integer("extra_components");
  settings.extra_components = extra < 0 ? std::max<size_t>(10, settings.components) : static_cast<size_t>(extra);
  if (settings.components > settings.feature_dim) {
    return InvalidHyperparameter("num_components", values.Text("num_components"),
                                 "there are only " + std::to_string(settings.feature_dim) + " features");
  }
  if (!settings.randomized && settings.feature_dim > kRegularDimMax) {
    return InvalidHyperparameter(
        "algorithm_mode", "regular",
        "with more than " + std::to_string(kRegularDimMax) + " features the covariance does not fit: use randomized");
  }
  if (settings.randomized &&
      settings.components + settings.extra_components > kRandomizedNumbersMax / settings.feature_dim) {
    return InvalidHyperparameter("num_components", values.Text("num_components"),
                                 "components and extra_components times feature_dim may be " +
                                     std::to_string(kRandomizedNumbersMax) + " numbers");
  }
  return settings;
}

}  // namespace argosy::algorithms::pca
