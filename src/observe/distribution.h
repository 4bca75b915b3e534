// What many values were like, in little room: count, sum, least, greatest, and how many fell where, from which
// percentiles follow.
//
// Positive values are counted in buckets an eighth of their power of two wide, so a percentile is right to 1/16; zero
// and negative values have one bucket each. Merging gives what adding all values to one would have given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace argosy::observe {

class Distribution {
 public:
  using Bucket = std::pair<int16_t, uint64_t>;  // where, how many

  // `value` is finite.
  void Add(double value, uint64_t times = 1);
  void Merge(const Distribution& other);
  void Clear();

  uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  double min() const { return min_; }  // 0 when there is none
  double max() const { return max_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  // The value that `percent` (0 to 100) of all do not exceed; 0 when there is none.
  double Percentile(double percent) const;
  // How many are less than 2^power.
  uint64_t CountBelow(int power) const;

  const std::vector<Bucket>& buckets() const { return buckets_; }  // ascending
  // As it was before it was stored. `buckets` ascend.
  static Distribution FromParts(double sum, double min, double max, std::vector<Bucket> buckets);
  // Values of which only these are known (CloudWatch's StatisticValues): they count at their mean. Percentiles of them
  // are not known and come out as that.
  static Distribution FromSummary(uint64_t count, double sum, double min, double max);

 private:
  uint64_t count_ = 0;
  double sum_ = 0;
  double min_ = 0;
  double max_ = 0;
  std::vector<Bucket> buckets_;
  size_t last_ = 0;  // where the last value fell: the next often falls there too
};

}  // namespace argosy::observe
