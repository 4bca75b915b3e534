// What one pass of k-means over some rows adds up to: the rows of each centre. Of fixed size; see algorithms/state.h.
//
// Merge adds; in the fixed tree over fixed shards the sums are the same bytes whoever made them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/batches.h"
#include "algorithms/kmeans/nearest.h"
#include "base/result.h"

namespace argosy::algorithms::kmeans {

struct KMeansSums {
  std::vector<double> sums;      // [centres × n]
  std::vector<uint64_t> counts;  // [centres]
  double squared_distance = 0;   // of all rows to their nearest centre
  uint64_t rows = 0;
  std::vector<float> farthest;  // the row that is farthest from its centre: where one without rows goes
  float farthest_distance = -1;
};

class KMeansState {
 public:
  // `centers` must outlive the state, and stay as they are between two Clears.
  explicit KMeansState(const PackedCenters& centers);

  // `bounds`: of all rows of the batch's reader; or null.
  void Update(const RowBatch& batch, RowBounds* bounds = nullptr);
  void Merge(const KMeansState& other);
  const KMeansSums& Finalize() const { return sums_; }
  std::string Save() const;
  Status Load(std::string_view bytes);

  void Clear();

 private:
  const PackedCenters* centers_;
  KMeansSums sums_;
  Nearest nearest_;
  std::vector<float> partial_;  // sums of one batch: added in floats, then to the doubles
};

}  // namespace argosy::algorithms::kmeans
