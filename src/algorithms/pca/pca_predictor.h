// Answers with a row's projection on the components. Formats: see model/row_predictor.h.
#pragma once

#include "algorithms/pca/pca_model.h"
#include "model/row_predictor.h"

namespace argosy::algorithms::pca {

class PcaPredictor final : public model::RowPredictor {
 public:
  explicit PcaPredictor(const PcaModel& model);

 private:
  void Score(std::span<const float> rows, size_t count, std::span<float> values) const override;

  size_t feature_dim_;
  size_t components_;
  size_t width_;  // components, padded
  std::vector<float> mean_;
  std::vector<float> v_;  // [feature_dim × width]
};

}  // namespace argosy::algorithms::pca
