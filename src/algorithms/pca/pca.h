// SageMaker's pca: principal components of rows of numbers.
#pragma once

#include "algorithms/algorithm.h"

namespace argosy::algorithms::pca {

class Pca final : public Algorithm {
 public:
  std::string_view name() const override { return "pca"; }
  std::string_view artifact_format() const override { return "argosy-pca"; }
  Status Validate(const Hyperparameters& hyperparameters) const override;
  std::vector<LoggedMetric> Metrics(const Hyperparameters& hyperparameters) const override;
  Status Train(const TrainingRequest& request, TrainingObserver& observer) const override;
  Result<std::unique_ptr<model::Predictor>> Load(const std::filesystem::path& model_dir) const override;
  std::string HyperparameterTable() const override;
};

}  // namespace argosy::algorithms::pca
