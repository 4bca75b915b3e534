#include "algorithms/xgboost/xgboost.h"

#include "algorithms/xgboost/settings.h"
#include "algorithms/xgboost/trainer.h"
#include "algorithms/xgboost/xgboost_predictor.h"

namespace argosy::algorithms::xgboost {

Status XGBoost::Validate(const Hyperparameters& hyperparameters) const {
  const auto settings = ParseXGBoostSettings(hyperparameters);
  return settings ? Status() : Status(settings.error());
}

std::vector<LoggedMetric> XGBoost::Metrics(const Hyperparameters& hyperparameters) const {
  const auto settings = ParseXGBoostSettings(hyperparameters);
  if (!settings) return {};
  std::vector<std::string> names = settings->library_metrics;
  if (names.empty()) names.push_back(DefaultMetric(*settings));
  names.insert(names.end(), settings->class_metrics.begin(), settings->class_metrics.end());
  std::vector<LoggedMetric> metrics;
  for (const std::string_view channel : {"train", "validation"}) {
    for (const std::string& name : names) {
      metrics.push_back(
          {std::string(channel) + ":" + name, R"(\[\d+\].*\s)" + std::string(channel) + "-" + name + R"(:(\S+))"});
    }
  }
  return metrics;
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
