#include "algorithms/kmeans/row_bounds.h"

#include <algorithm>

namespace argosy::algorithms::kmeans {

RowBounds::RowBounds(size_t rows, size_t centers, size_t bytes_max) {
  const size_t lanes = PadToLane(centers) / kLane;
  const size_t numbers_per_row = bytes_max / sizeof(float) / std::max<size_t>(rows, 1);
  if (numbers_per_row < 2) return;  // one is the row's centre
  const size_t groups_max = std::min(lanes, numbers_per_row - 1);
  lanes_per_group_ = (lanes + groups_max - 1) / groups_max;
  groups_ = (lanes + lanes_per_group_ - 1) / lanes_per_group_;
  centers_.assign(rows, kUnknown);
  lower_.resize(rows * groups_);
  moved_.resize(groups_);
}

void RowBounds::Moved(std::span<const float> distances) {
  if (groups_ == 0) return;
  std::fill(moved_.begin(), moved_.end(), 0.0F);
  for (size_t c = 0; c < distances.size(); ++c) {
    float& moved = moved_[c / kLane / lanes_per_group_];
    moved = std::max(moved, distances[c]);
  }
}

}  // namespace argosy::algorithms::kmeans
