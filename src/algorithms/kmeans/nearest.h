// Which of many centres a row is nearest to: the inner loop of k-means, with run-time dispatch.
//
// |x - c|² = |x|² - 2 x·c + |c|²: the products of a block of rows with all centres are one matrix product, which keeps
// the processor's multipliers busy and reads centres once for several rows. Rows should be centred near zero, or the
// three terms cancel each other's digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/vectors.h"

namespace argosy::algorithms::kmeans {

// Centres as the product wants them: column by column, so that one load gives a value of many centres.
class PackedCenters {
 public:
  PackedCenters() = default;
  // `centers`: [count × n], n a multiple of kLane.
  PackedCenters(std::span<const float> centers, size_t count, size_t n);

  size_t count() const { return count_; }
  size_t n() const { return n_; }
  size_t padded_count() const { return PadToLane(count_); }
  const float* columns() const { return columns_.data(); }  // [n × padded_count]
  const float* norms() const { return norms_.data(); }      // [padded_count]: |c|², infinite where there is no centre

 private:
  size_t count_ = 0;
  size_t n_ = 0;
  std::vector<float> columns_;
  std::vector<float> norms_;
};

struct Nearest {
  std::vector<uint32_t> center;  // [rows]; of several as near, the first
  std::vector<float> distance;   // [rows]: squared, not below 0
  std::vector<float> products;   // to work in
};
// x: [rows × centers.n()].
void FindNearest(const float* x, size_t rows, const PackedCenters& centers, Nearest& found);

}  // namespace argosy::algorithms::kmeans
