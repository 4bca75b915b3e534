// Answers with the objective's prediction; of several models with their mean, or most votes where it is a class.
// Formats: see model/row_predictor.h; text/csv is the reply when none is asked for, as of SageMaker's container.
#pragma once

#include <vector>

#include "algorithms/xgboost/xgboost_model.h"
#include "model/row_predictor.h"

namespace argosy::algorithms::xgboost {

class XGBoostPredictor final : public model::RowPredictor {
 public:
  explicit XGBoostPredictor(XGBoostModel model);

 private:
  void Score(std::span<const float> rows, size_t count, std::span<float> values) const override;
  void Vote(std::span<const float> rows, size_t count, std::span<float> values) const;

  const std::vector<TreeModel> models_;
};

}  // namespace argosy::algorithms::xgboost
