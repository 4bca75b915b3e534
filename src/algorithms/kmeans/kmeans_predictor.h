// Answers with the nearest centre and the distance to it. Formats: see model/row_predictor.h.
#pragma once

#include "algorithms/kmeans/kmeans_model.h"
#include "algorithms/kmeans/nearest.h"
#include "model/row_predictor.h"

namespace argosy::algorithms::kmeans {

class KMeansPredictor final : public model::RowPredictor {
 public:
  explicit KMeansPredictor(const KMeansModel& model);

 private:
  void Score(std::span<const float> rows, size_t count, std::span<float> values) const override;

  size_t feature_dim_;
  std::vector<float> shift_;  // the centres' mean: see nearest.h
  PackedCenters centers_;
};

}  // namespace argosy::algorithms::kmeans
