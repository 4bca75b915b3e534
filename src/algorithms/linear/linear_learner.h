// SageMaker's linear-learner: logistic regression, softmax regression, and linear regression with several losses.
#pragma once

#include "algorithms/algorithm.h"

namespace argosy::algorithms::linear {

class LinearLearner final : public Algorithm {
 public:
  std::string_view name() const override { return "linear-learner"; }
  std::string_view artifact_format() const override { return "argosy-linear-learner"; }
  Status Validate(const Hyperparameters& hyperparameters) const override;
  std::vector<LoggedMetric> Metrics(const Hyperparameters& hyperparameters) const override;
  Status Train(const TrainingRequest& request, TrainingObserver& observer) const override;
  Result<std::unique_ptr<model::Predictor>> Load(const std::filesystem::path& model_dir) const override;
  std::string HyperparameterTable() const override;
};

}  // namespace argosy::algorithms::linear
