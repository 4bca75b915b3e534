#include "algorithms/algorithm.h"
#include "algorithms/kmeans/kmeans.h"
#include "algorithms/linear/linear_learner.h"

namespace argosy::algorithms {

const Algorithm* FindAlgorithm(std::string_view image_uri) {
  // registry.host/path/repository:tag@digest; a colon before the last slash belongs to the host's port.
  std::string_view repository = image_uri.substr(image_uri.rfind('/') + 1);
  repository = repository.substr(0, repository.find_first_of(":@"));
  for (const Algorithm* algorithm : AllAlgorithms()) {
    if (algorithm->name() == repository) return algorithm;
  }
  return nullptr;
}

std::vector<const Algorithm*> AllAlgorithms() {
  static const linear::LinearLearner linear_learner;
  static const kmeans::KMeans k_means;
  return {&linear_learner, &k_means};
}

}  // namespace argosy::algorithms
