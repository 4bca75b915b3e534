// Which of many centres a row is nearest to: the inner loop of k-means, with run-time dispatch.
//
// |x - c|² = |x|² - 2 x·c + |c|²: the products of a block of rows with all centres are one matrix product, which keeps
// the processor's multipliers busy and reads centres once for several rows. Which centre is nearest is decided by
// Σ (x - c)² itself, of those that the product leaves in question. Rows should be centred near zero, or the three terms
// cancel each other's digits and leave many in question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/kmeans/row_bounds.h"
#include "algorithms/vectors.h"

namespace argosy::algorithms::kmeans {

// Centres, also as the product wants them: kLane of them together, so that one load gives a value of many.
class PackedCenters {
 public:
  PackedCenters() = default;
  // `centers`: [count × n], n a multiple of kLane.
  PackedCenters(std::span<const float> centers, size_t count, size_t n);

  size_t count() const { return count_; }
  size_t n() const { return n_; }
  size_t padded_count() const { return PadToLane(count_); }
  const float* rows() const { return rows_.data(); }        // [count × n]
  const float* columns() const { return columns_.data(); }  // [padded_count / kLane × n × kLane]
  const float* norms() const { return norms_.data(); }      // [padded_count]: |c|², infinite where there is no centre
  float norm_max() const { return norm_max_; }              // of centres

 private:
  size_t count_ = 0;
  size_t n_ = 0;
  std::vector<float> rows_;
  std::vector<float> columns_;
  std::vector<float> norms_;
  float norm_max_ = 0;
};

struct Nearest {
  std::vector<uint32_t> center;  // [rows]; of several as near, the first
  std::vector<float> distance;   // [rows]: squared
  uint64_t compared = 0;         // pairs of a row and a centre whose product was taken, since it was last set to 0
  std::vector<float> products;   // to work in, as what follows
  std::vector<uint64_t> asked;
};
// x: [rows × centers.n()]. `bounds`: those of the rows from `first` on, which are brought up to date; or null.
void FindNearest(const float* x, size_t rows, const PackedCenters& centers, Nearest& found, RowBounds* bounds = nullptr,
                 size_t first = 0);

// Σ (a - b)² over n numbers, a multiple of kLane; the distances that FindNearest gives are these.
float SquaredDistance(const float* a, const float* b, size_t n);

}  // namespace argosy::algorithms::kmeans
