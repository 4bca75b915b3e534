#include "algorithms/pca/pca.h"

#include "algorithms/pca/pca_model.h"
#include "algorithms/pca/pca_predictor.h"
#include "algorithms/pca/settings.h"
#include "algorithms/pca/trainer.h"

namespace argosy::algorithms::pca {

Status Pca::Validate(const Hyperparameters& hyperparameters) const {
  const auto settings = ParsePcaSettings(hyperparameters, 0);
  return settings ? Status() : Status(settings.error());
}

std::vector<LoggedMetric> Pca::Metrics(const Hyperparameters& /*hyperparameters*/) const {
  return {
      {"train:explained_variance_ratio", R"(#quality_metric: host=\S+, train explained_variance_ratio <score>=(\S+))"}};
}

Status Pca::Train(const TrainingRequest& request, TrainingObserver& observer) const {
  const auto settings = ParsePcaSettings(request.hyperparameters, request.seed);
  if (!settings) return settings.error();
  auto model = TrainPca(request, *settings, observer);
  if (!model) return model.error();
  return SavePcaModel(*model, request.model_dir);
}

Result<std::unique_ptr<model::Predictor>> Pca::Load(const std::filesystem::path& model_dir) const {
  const auto model = LoadPcaModel(model_dir);
  if (!model) return model.error();
  return std::unique_ptr<model::Predictor>(new PcaPredictor(*model));
}

std::string Pca::HyperparameterTable() const {
  return RenderHyperparameterTable(PcaHyperparameters());
}

}  // namespace argosy::algorithms::pca
