#include "algorithms/algorithm.h"
#include "algorithms/artifact_files.h"
#include "algorithms/kmeans/kmeans.h"
#include "algorithms/linear/linear_learner.h"
#include "algorithms/pca/pca.h"
#include "algorithms/xgboost/xgboost.h"
#include "algorithms/xgboost/xgboost_model.h"

namespace argosy::algorithms {

const Algorithm* FindAlgorithm(std::string_view image_uri) {
  // registry.host/path/repository:tag@digest; a colon before the last slash belongs to the host's port.
  std::string_view repository = image_uri.substr(image_uri.rfind('/') + 1);
  repository = repository.substr(0, repository.find_first_of(":@"));
  constexpr std::string_view kFamily = "sagemaker-";  // as in sagemaker-xgboost, XGBoost's images from version 1 on
  if (repository.starts_with(kFamily)) repository.remove_prefix(kFamily.size());
  for (const Algorithm* algorithm : AllAlgorithms()) {
    if (algorithm->name() == repository) return algorithm;
  }
  return nullptr;
}

Result<const Algorithm*> FindAlgorithmOfArtifact(const std::filesystem::path& directory) {
  std::error_code ignored;
  if (!std::filesystem::exists(directory / kModelFile, ignored) && !xgboost::BoosterFiles(directory).empty()) {
    return FindAlgorithm("xgboost");  // as SageMaker's own jobs leave it
  }
  const Result<std::string> format = ReadArtifactFormat(directory);
  if (!format.ok()) return format.error();
  for (const Algorithm* algorithm : AllAlgorithms()) {
    if (algorithm->artifact_format() == *format) return algorithm;
  }
  return CorruptArtifact("no built-in algorithm makes the format '" + *format + "'");
}

std::vector<const Algorithm*> AllAlgorithms() {
  static const linear::LinearLearner linear_learner;
  static const kmeans::KMeans k_means;
  static const pca::Pca principal_components;
  static const xgboost::XGBoost boosted_trees;
  return {&linear_learner, &k_means, &principal_components, &boosted_trees};
}

}  // namespace argosy::algorithms
