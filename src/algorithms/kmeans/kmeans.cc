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
