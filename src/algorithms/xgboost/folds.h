// Cross-validation: which rows each fold holds out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace argosy::algorithms::xgboost {

// The fold of each row, 0 … folds - 1, drawn at random: folds differ by at most one row, and where labels are classes
// (`stratified`) also in each class.
std::vector<int> DealFolds(std::span<const float> labels, bool stratified, int folds, Random& random);

// The rows that a fold holds out, or all others, in their order.
std::vector<int> RowsOfFold(std::span<const int> fold_of_row, int fold, bool held_out);

}  // namespace argosy::algorithms::xgboost
