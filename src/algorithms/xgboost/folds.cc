#include "algorithms/xgboost/folds.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace argosy::algorithms::xgboost {
std::vector<int> DealFolds(std::span<const float> labels, bool stratified, int folds, Random& random) {
  // Rows in random order; class after class where they are to be even in each, one class going on where the one before
  // has ended.
  std::vector<size_t> order(labels.size());
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
  std::vector<std::pair<float, size_t>> ranked;  // by label, then as drawn
  for (size_t i = 0; i < order.size(); ++i) ranked.emplace_back(stratified ? labels[order[i]] : 0.0F, i);
  std::ranges::sort(ranked);
  std::vector<int> fold_of_row(labels.size());
  for (size_t i = 0; i < ranked.size(); ++i) {
    fold_of_row[order[ranked[i].second]] = static_cast<int>(i % static_cast<size_t>(folds));
  }
  return fold_of_row;
}

std::vector<int> RowsOfFold(std::span<const int> fold_of_row, int fold, bool held_out) {
  std::vector<int> rows;
  for (size_t row = 0; row < fold_of_row.size(); ++row) {
    if ((fold_of_row[row] == fold) == held_out) rows.push_back(static_cast<int>(row));
  }
  return rows;
}

}  // namespace argosy::algorithms::xgboost
