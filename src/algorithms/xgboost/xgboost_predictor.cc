#include "algorithms/xgboost/xgboost_predictor.h"

#include <map>

namespace argosy::algorithms::xgboost {
namespace {

model::RowRules RulesOf(XGBoostModel& model) {
  return {.width = model.models.front().features(), .missing = true, .table = std::move(model.table)};
}

model::ReplyField ScoreOf(const XGBoostModel& model) {
  const size_t outputs = model.models.front().outputs();
  return {"score", outputs, outputs > 1};
}

}  // namespace

XGBoostPredictor::XGBoostPredictor(XGBoostModel model)
    : RowPredictor(RulesOf(model), "predictions", {ScoreOf(model)}, model::kCsv), models_(std::move(model.models)) {}

void XGBoostPredictor::Score(std::span<const float> rows, size_t count, std::span<float> values) const {
  if (models_.size() > 1 && models_.front().is_class()) return Vote(rows, count, values);
  models_.front().Predict(rows, count, values);
  if (models_.size() == 1) return;
  std::vector<double> sums(values.begin(), values.end());
  for (size_t m = 1; m < models_.size(); ++m) {
    models_[m].Predict(rows, count, values);
    for (size_t i = 0; i < values.size(); ++i) sums[i] += values[i];
  }
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(sums[i] / static_cast<double>(models_.size()));
  }
}

// Of classes with the same number of votes the lowest, as scipy's mode.
void XGBoostPredictor::Vote(std::span<const float> rows, size_t count, std::span<float> values) const {
  std::vector<std::map<float, int>> votes(count);
  for (const TreeModel& model : models_) {
    model.Predict(rows, count, values);
    for (size_t row = 0; row < count; ++row) ++votes[row][values[row]];
  }
  for (size_t row = 0; row < count; ++row) {
    int most = 0;
    for (const auto& [label, number] : votes[row]) {
      if (number <= most) continue;
      most = number;
      values[row] = label;
    }
  }
}

}  // namespace argosy::algorithms::xgboost
