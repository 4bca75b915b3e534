// SageMaker's kmeans: clusters rows by squared Euclidean distance.
#pragma once

#include "algorithms/algorithm.h"

namespace argosy::algorithms::kmeans {

class KMeans final : public Algorithm {
 public:
  std::string_view name() const override { return "kmeans"; }
  std::string_view artifact_format() const override { return "argosy-kmeans"; }
  Status Validate(const Hyperparameters& hyperparameters) const override;
  std::vector<LoggedMetric> Metrics(const Hyperparameters& hyperparameters) const override;
  Status Train(const TrainingRequest& request, TrainingObserver& observer) const override;
  Result<std::unique_ptr<model::Predictor>> Load(const std::filesystem::path& model_dir) const override;
  std::string HyperparameterTable() const override;
};

}  // namespace argosy::algorithms::kmeans
