// SageMaker's XGBoost: the library's trainer, with our readers before it and our walk over its trees behind it.
#pragma once

#include "algorithms/algorithm.h"

namespace argosy::algorithms::xgboost {

// Image repositories are xgboost (version 1) and sagemaker-xgboost (the later ones).
class XGBoost final : public Algorithm {
 public:
  std::string_view name() const override { return "xgboost"; }
  std::string_view artifact_format() const override { return "argosy-xgboost"; }
  Status Validate(const Hyperparameters& hyperparameters) const override;
  std::vector<LoggedMetric> Metrics(const Hyperparameters& hyperparameters) const override;
  Status Train(const TrainingRequest& request, TrainingObserver& observer) const override;
  Result<std::unique_ptr<model::Predictor>> Load(const std::filesystem::path& model_dir) const override;
  std::string HyperparameterTable() const override;
};

}  // namespace argosy::algorithms::xgboost
