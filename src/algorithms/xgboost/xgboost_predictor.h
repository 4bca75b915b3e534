// Answers with the objective's prediction. Formats: see model/row_predictor.h; text/csv is the reply when none is asked
// for, as of SageMaker's container.
#pragma once

#include "algorithms/xgboost/xgboost_model.h"
#include "model/row_predictor.h"

namespace argosy::algorithms::xgboost {

class XGBoostPredictor final : public model::RowPredictor {
 public:
  explicit XGBoostPredictor(XGBoostModel model)
      : RowPredictor({.width = model.trees.features(), .missing = true, .table = std::move(model.table)}, "predictions",
                     {{"score", model.trees.outputs(), model.trees.outputs() > 1}}, model::kCsv),
        trees_(std::move(model.trees)) {}

 private:
  void Score(std::span<const float> rows, size_t count, std::span<float> values) const override {
    trees_.Predict(rows, count, values);
  }

  const TreeModel trees_;
};

}  // namespace argosy::algorithms::xgboost
