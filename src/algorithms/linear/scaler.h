// Where the features and the label lie and how far they spread.
//
// ScalerState is the state (see algorithms/state.h): exact under Merge to rounding, in the fixed tree always the same.
// Means and sums of squared deviations are merged as in Chan, Golub and LeVeque, "Updating Formulae and a Pairwise
// Algorithm for Computing Sample Variances" (1979).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/dataset.h"

namespace argosy::algorithms::linear {

struct ScalerBatch {
  const data::RowView& block;
  uint64_t first_row;  // number of the block's first row among all rows of the data
};

struct Moments {
  uint64_t count = 0;
  double mean = 0;
  double squares = 0;  // Σ (x - mean)²

  void Add(double x);
  void Add(const Moments& other);
  double variance() const { return count == 0 ? 0 : squares / static_cast<double>(count); }
};

struct Scaler {
  std::vector<Moments> numeric;        // by numeric column, over the rows looked at
  Moments label;                       // over the rows looked at
  std::vector<uint64_t> class_counts;  // by class, over all rows; empty for a regressor
};

class ScalerState {
 public:
  // Looks at every `stride`-th row; counts classes in all rows.
  ScalerState(size_t numeric_columns, size_t classes, uint64_t stride);

  void Update(const ScalerBatch& batch);
  void Merge(const ScalerState& other);
  Scaler Finalize() const { return scaler_; }
  std::string Save() const;
  Status Load(std::string_view bytes);

 private:
  uint64_t stride_;
  Scaler scaler_;
};

}  // namespace argosy::algorithms::linear
