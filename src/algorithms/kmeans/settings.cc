#include "algorithms/kmeans/settings.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "data/table_schema.h"

namespace argosy::algorithms::kmeans {
namespace {

constexpr double kCentersMax = 1'000'000;

std::vector<HyperparameterSpec> Declare() {
  using declare::Bound;
  using declare::Choice;
  using declare::Count;
  using declare::Flag;
  using declare::Fraction;
  using declare::kIntegerMax;
  using declare::Seed;
  std::vector<HyperparameterSpec> specs = {
      {.name = "feature_dim",
       .type = HyperparameterType::kInteger,
       .min = 1,
       .max = data::kColumnsMax,
       .required = true,
       .doc = "Number of feature columns. A table with one column more begins with a label, which is not looked at."},
      {.name = "k",
       .type = HyperparameterType::kInteger,
       .min = 1,
       .max = kCentersMax,
       .required = true,
       .doc = "Number of clusters."},
      Count("epochs", {}, "1", "Passes over the data in mini-batches, before the final ones of argosy_lloyd_passes."),
      Count("mini_batch_size", {}, "5000", "Rows after which the centres move, over all virtual shards."),
      Choice("init_method", {"random", "kmeans++"}, "random", "How the first centres are drawn from a sample of rows."),
      Count("extra_center_factor", {"auto"}, "auto",
            "The passes in mini-batches move k times so many centres, which the local Lloyd algorithm then reduces to "
            "k. auto: 10, less from k = 20 on (200 / k, at least 1)."),
      {.name = "half_life_time_size",
       .type = HyperparameterType::kInteger,
       .min = 0,
       .max = 9007199254740991.0,
       .default_value = "0",
       .doc = "Rows after which an earlier row counts half in a centre's mean. 0: all count alike."},
      Choice("local_lloyd_init_method", {"random", "kmeans++"}, "kmeans++",
             "How the local Lloyd algorithm draws its k centres from the many."),
      Count("local_lloyd_max_iter", {}, "300", "Steps of the local Lloyd algorithm at most."),
      Count("local_lloyd_num_trials", {"auto"}, "auto",
            "Runs of the local Lloyd algorithm; the best is kept. auto: 10."),
      Fraction("local_lloyd_tol", Bound::kInclusive, {}, "0.0001",
               "A Lloyd algorithm ends when a step makes the sum of squared distances smaller by less than this part."),
      {.name = "eval_metrics",
       .type = HyperparameterType::kText,
       .default_value = "[\"msd\"]",
       .doc = "JSON list of the metrics of the test channel: msd (mean squared distance), ssd (sum)."},
      {.name = "argosy_lloyd_passes",
       .type = HyperparameterType::kInteger,
       .min = 0,
       .max = kIntegerMax,
       .words = {"auto"},
       .default_value = "auto",
       .doc =
           "Passes of Lloyd's algorithm over all rows at the end, at most; it ends earlier by local_lloyd_tol. auto: "
           "as many as 4·10¹¹ multiplications allow, at most 50. 0 is SageMaker's way."},
      Flag("force_dense", "true", "Sent by SageMaker's SDK. Rows are always worked on densely."),
  };
  for (HyperparameterSpec& spec : UnlabelledTableHyperparameters()) specs.push_back(std::move(spec));
  specs.insert(specs.end(), {Seed(), declare::BadRecordsMax(), declare::CheckpointSeconds()});
  return specs;
}

std::optional<size_t> Optional(const std::optional<int64_t>& value) {
  return value ? std::optional(static_cast<size_t>(*value)) : std::nullopt;
}

}  // namespace

std::span<const HyperparameterSpec> KMeansHyperparameters() {
  static const std::vector<HyperparameterSpec> specs = Declare();
  return specs;
}

Result<KMeansSettings> ParseKMeansSettings(const Hyperparameters& given, uint64_t seed) {
  auto parsed = ParseHyperparameters(KMeansHyperparameters(), given);
  if (!parsed) return parsed.error();
  const ParsedHyperparameters& values = *parsed;
  const auto count = [&](std::string_view name) { return static_cast<size_t>(values.Integer(name).value_or(0)); };
  const auto init = [&](std::string_view name) {
    return values.Text(name) == "random" ? Init::kRandom : Init::kPlusPlus;
  };
  KMeansSettings settings;
  settings.table = ParseUnlabelledTable(values);
  settings.feature_dim = count("feature_dim");
  settings.k = count("k");
  settings.epochs = count("epochs");
  settings.mini_batch_size = count("mini_batch_size");
  settings.init = init("init_method");
  settings.extra_center_factor = Optional(values.Integer("extra_center_factor"));
  settings.half_life_time_size = count("half_life_time_size");
  settings.local_init = init("local_lloyd_init_method");
  settings.local_iterations_max = count("local_lloyd_max_iter");
  settings.local_trials = Optional(values.Integer("local_lloyd_num_trials"));
  settings.local_tolerance = *values.Float("local_lloyd_tol");
  settings.lloyd_passes = Optional(values.Integer("argosy_lloyd_passes"));
  settings.seed = static_cast<uint64_t>(values.Integer("argosy_seed").value_or(static_cast<int64_t>(seed)));
  const std::string& metrics = values.Text("eval_metrics");
  const auto list = ParseJson(metrics);
  if (!list || !list->is_array()) return InvalidHyperparameter("eval_metrics", metrics, "it is no JSON list");
  settings.msd = settings.ssd = false;
  for (const Json& metric : *list) {
    if (metric == "msd") {
      settings.msd = true;
    } else if (metric == "ssd") {
      settings.ssd = true;
    } else {
      return InvalidHyperparameter("eval_metrics", metrics, "it may hold msd and ssd");
    }
  }
  constexpr size_t kNumbersMax = 100'000'000;  // of all centres, so that a wrong number ends in a message
  const size_t extra = settings.extra_center_factor.value_or(1);
  if (settings.k > kNumbersMax / settings.feature_dim / extra) {
    return InvalidHyperparameter("k", std::to_string(settings.k),
                                 "all centres together may have " + std::to_string(kNumbersMax) +
                                     " numbers (k × extra_center_factor × feature_dim)");
  }
  return settings;
}

}  // namespace argosy::algorithms::kmeans
