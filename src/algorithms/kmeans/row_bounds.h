// What is known about rows from an earlier pass of Lloyd's algorithm: each row's centre, and how near the others can be
// at least. Since centres move little from pass to pass, most rows need be compared with few of them (Ding et al.,
// "Yinyang K-Means", ICML 2015). What is found is the same with bounds and without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "algorithms/vectors.h"

namespace argosy::algorithms::kmeans {

// A sum of n products of floats is off by at most this part of the sum of their magnitudes (Higham, "Accuracy and
// Stability of Numerical Algorithms", 3.1); square roots and differences behind it are in the 16.
constexpr float RoundingOf(size_t n) {
  return static_cast<float>(n + 16) * (std::numeric_limits<float>::epsilon() / 2);
}

class RowBounds {
 public:
  static constexpr uint32_t kUnknown = std::numeric_limits<uint32_t>::max();

  // Centres are taken together in groups of some kLane, as many as fit into `bytes_max`; none when not even one fits.
  RowBounds(size_t rows, size_t centers, size_t bytes_max);

  // How far each centre has moved since the pass before, at least 0. Not before that pass has met all rows.
  void Moved(std::span<const float> distances);

  size_t groups() const { return groups_; }
  size_t lanes_per_group() const { return lanes_per_group_; }  // of kLane centres each
  const float* moved() const { return moved_.data(); }         // [groups]: the farthest of each
  uint32_t* centers(size_t row) { return centers_.data() + row; }
  float* lower(size_t row) { return lower_.data() + row * groups_; }  // [groups]: of all centres but the row's own

 private:
  size_t lanes_per_group_ = 1;
  size_t groups_ = 0;
  std::vector<uint32_t> centers_;  // [rows]
  std::vector<float> lower_;       // [rows × groups]
  std::vector<float> moved_;       // [groups]
};

}  // namespace argosy::algorithms::kmeans
