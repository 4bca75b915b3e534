#include "algorithms/kmeans/kmeans.h"

#include "algorithms/kmeans/kmeans_model.h"
#include "algorithms/kmeans/kmeans_predictor.h"
#include "algorithms/kmeans/settings.h"
#include "algorithms/kmeans/trainer.h"

namespace argosy::algorithms::kmeans {

Status KMeans::Validate(const Hyperparameters& hyperparameters) const {
  const auto settings = ParseKMeansSettings(hyperparameters, 0);
  return settings ? Status() : Status(settings.error());
}

std::vector<LoggedMetric> KMeans::Metrics(const Hyperparameters& hyperparameters) const {
  const auto settings = ParseKMeansSettings(hyperparameters, 0);
  if (!settings) return {};
  std::vector<LoggedMetric> metrics = {{"train:msd", R"(#quality_metric: host=\S+, .*train msd <loss>=(\S+))"},
                                       {"train:ssd", R"(#quality_metric: host=\S+, .*train ssd <loss>=(\S+))"}};
  if (settings->msd) metrics.push_back({"test:msd", R"(#quality_metric: host=\S+, test msd <loss>=(\S+))"});
  if (settings->ssd) metrics.push_back({"test:ssd", R"(#quality_metric: host=\S+, test ssd <loss>=(\S+))"});
  return metrics;
}

Status KMeans::Train(const TrainingRequest& request, TrainingObserver& observer) const {
  const auto settings = ParseKMeansSettings(request.hyperparameters, request.seed);
  if (!settings) return settings.error();
  auto model = TrainKMeans(request, *settings, observer);
  if (!model) return model.error();
  return SaveKMeansModel(*model, request.model_dir);
}

Result<std::unique_ptr<model::Predictor>> KMeans::Load(const std::filesystem::path& model_dir) const {
  const auto model = LoadKMeansModel(model_dir);
  if (!model) return model.error();
  return std::unique_ptr<model::Predictor>(new KMeansPredictor(*model));
}

std::string KMeans::HyperparameterTable() const {
  return RenderHyperparameterTable(KMeansHyperparameters());
}

}  // namespace argosy::algorithms::kmeans
