// CloudWatch's statistics of the values of a period. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "observe/distribution.h"

namespace argosy::observe {

class Statistic {
 public:
  // SampleCount, Average, Sum, Minimum, Maximum, p0 to p100 with up to ten decimals; nothing for any other text.
  static std::optional<Statistic> Parse(std::string_view name);

  // Of values that are at least one.
  double Of(const Distribution& values) const;
  bool is_percentile() const { return kind_ == Kind::kPercentile; }

 private:
  enum class Kind { kSampleCount, kAverage, kSum, kMinimum, kMaximum, kPercentile };
  explicit Statistic(Kind kind, double percent = 0) : kind_(kind), percent_(percent) {}

  Kind kind_;
  double percent_;
};

}  // namespace argosy::observe
