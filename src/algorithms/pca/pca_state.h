// What passes over rows add up to: of fixed size, exact under Merge to rounding, in the fixed tree always the same
// bytes (see algorithms/state.h). All sums are of rows moved by a shift, so that large means do not eat the digits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/batches.h"
#include "base/result.h"

namespace argosy::algorithms::pca {

struct PcaSums {
  uint64_t rows = 0;
  std::vector<double> sums;      // [n]: Σ x
  std::vector<double> products;  // [n × width]: Σ x (xᵀ D), with the directions D; without them Σ x xᵀ, width = n, of
                                 // which what stands on or above the diagonal counts
  double squares = 0;            // Σ |x|²
};

class PcaState {
 public:
  // A thousand products are added in floats before they go to the doubles; behind so many batches a state is flushed.
  static constexpr size_t kBatchesInFloats = 8;

  // n: columns, padded. `directions`: [n × width], must outlive the state; none for the whole covariance.
  PcaState(size_t n, const std::vector<float>* directions, size_t width);

  // At most kTransposedRowsMax rows.
  void Update(const RowBatch& batch);
  void Merge(const PcaState& other);
  const PcaSums& Finalize() const { return sums_; }
  std::string Save() const;
  Status Load(std::string_view bytes);

  // Brings what is still summed in floats into the doubles: before Merge, Finalize and Save.
  void Flush();

 private:
  size_t n_;
  const std::vector<float>* directions_;
  size_t width_;
  PcaSums sums_;
  std::vector<float> partial_;  // products of the last batches
  size_t batches_in_partial_ = 0;
  std::vector<float> along_;  // xᵀ D of one batch
};

}  // namespace argosy::algorithms::pca
