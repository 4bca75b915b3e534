#include "algorithms/kmeans/kmeans_predictor.h"

#include <cmath>

namespace argosy::algorithms::kmeans {

KMeansPredictor::KMeansPredictor(const KMeansModel& model)
    : RowPredictor({.width = model.feature_dim}, "predictions", {{"closest_cluster"}, {"distance_to_cluster"}}),
      feature_dim_(model.feature_dim),
      shift_(model.feature_dim) {
  const size_t n = PadToLane(feature_dim_);
  for (size_t j = 0; j < feature_dim_; ++j) {
    double sum = 0;
    for (size_t c = 0; c < model.k; ++c) sum += model.centers[c * feature_dim_ + j];
    shift_[j] = static_cast<float>(sum / static_cast<double>(model.k));
  }
  std::vector<float> padded(model.k * n);
  for (size_t c = 0; c < model.k; ++c) {
    for (size_t j = 0; j < feature_dim_; ++j) {
      padded[c * n + j] = static_cast<float>(model.centers[c * feature_dim_ + j] - shift_[j]);
    }
  }
  centers_ = PackedCenters(padded, model.k, n);
}

void KMeansPredictor::Score(std::span<const float> rows, size_t count, std::span<float> values) const {
  const size_t n = centers_.n();
  std::vector<float> padded(count * n);
  for (size_t r = 0; r < count; ++r) {
    for (size_t j = 0; j < feature_dim_; ++j) padded[r * n + j] = rows[r * feature_dim_ + j] - shift_[j];
  }
  Nearest nearest;
  FindNearest(padded.data(), count, centers_, nearest);
  for (size_t r = 0; r < count; ++r) {
    values[2 * r] = static_cast<float>(nearest.center[r]);
    values[2 * r + 1] = std::sqrt(nearest.distance[r]);
  }
}

}  // namespace argosy::algorithms::kmeans
