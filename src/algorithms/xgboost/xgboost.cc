#include "algorithms/xgboost/xgboost.h"

#include "algorithms/xgboost/settings.h"
#include "algorithms/xgboost/trainer.h"
#include "algorithms/xgboost/xgboost_predictor.h"

namespace argosy::algorithms::xgboost {

Status XGBoost::Validate(const Hyperparameters& hyperparameters) const {
  const auto settings = ParseXGBoostSettings(hyperparameters);
  return settings ? Status() : Status(settings.error());
}

Status XGBoost::Train(const TrainingRequest& request, TrainingObserver& observer) const {
  const auto settings = ParseXGBoostSettings(request.hyperparameters);
  if (!settings) return settings.error();
  return TrainXGBoost(request, *settings, observer);
}

Result<std::unique_ptr<model::Predictor>> XGBoost::Load(const std::filesystem::path& model_dir) const {
  auto model = LoadXGBoostModel(model_dir);
  if (!model) return model.error();
  return std::unique_ptr<model::Predictor>(new XGBoostPredictor(std::move(*model)));
}

std::string XGBoost::HyperparameterTable() const {
  return RenderHyperparameterTable(XGBoostHyperparameters());
}

}  // namespace argosy::algorithms::xgboost
