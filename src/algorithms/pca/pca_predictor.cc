#include "algorithms/pca/pca_predictor.h"

#include <algorithm>

#include "algorithms/matrix.h"
#include "algorithms/vectors.h"

namespace argosy::algorithms::pca {

PcaPredictor::PcaPredictor(const PcaModel& model)
    : RowPredictor({.width = model.feature_dim}, "projections", {{"projection", model.components, true}}),
      feature_dim_(model.feature_dim),
      components_(model.components),
      width_(PadToLane(model.components)),
      mean_(model.mean.begin(), model.mean.end()),
      v_(model.feature_dim * width_) {
  for (size_t j = 0; j < feature_dim_; ++j) {
    for (size_t c = 0; c < components_; ++c) v_[j * width_ + c] = static_cast<float>(model.v[j * components_ + c]);
  }
}

void PcaPredictor::Score(std::span<const float> rows, size_t count, std::span<float> values) const {
  std::vector<float> centered(count * feature_dim_);
  for (size_t i = 0; i < centered.size(); ++i) centered[i] = rows[i] - mean_[i % feature_dim_];
  std::vector<float> projected(count * width_);
  Multiply(centered.data(), count, feature_dim_, v_.data(), width_, projected.data());
  for (size_t r = 0; r < count; ++r) {
    std::copy_n(projected.begin() + static_cast<ptrdiff_t>(r * width_), components_,
                values.begin() + static_cast<ptrdiff_t>(r * components_));
  }
}

}  // namespace argosy::algorithms::pca
