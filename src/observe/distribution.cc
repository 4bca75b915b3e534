#include "observe/distribution.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace argosy::observe {
namespace {

constexpr int kBitsBelow = 3;  // eight buckets for each power of two
constexpr int16_t kZero = INT16_MIN + 1;
constexpr int16_t kNegative = INT16_MIN;

// Exponent and first bits of the mantissa as they stand in the number: ordered like the values. Zero is 1.0.
int16_t BucketOf(double value) {
  if (value < 0) return kNegative;
  if (value == 0) return kZero;
  const auto bits = static_cast<int64_t>(std::bit_cast<uint64_t>(value) >> (52 - kBitsBelow));
  return static_cast<int16_t>(bits - (int64_t{1023} << kBitsBelow));
}

double StartOf(int bucket) {
  const auto bits = static_cast<uint64_t>(bucket + (1023 << kBitsBelow)) << (52 - kBitsBelow);
  return std::bit_cast<double>(bits);
}

double MiddleOf(int16_t bucket) {
  return bucket <= kZero ? 0 : (StartOf(bucket) + StartOf(bucket + 1)) / 2;
}

bool Before(const Distribution::Bucket& a, int16_t at) {
  return a.first < at;
}

}  // namespace

void Distribution::Add(double value, uint64_t times) {
  if (times == 0) return;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  count_ += times;
  sum_ += value * static_cast<double>(times);
  const int16_t at = BucketOf(value);
  if (last_ < buckets_.size() && buckets_[last_].first == at) {
    buckets_[last_].second += times;
    return;
  }
  const auto place = std::lower_bound(buckets_.begin(), buckets_.end(), at, Before);
  last_ = static_cast<size_t>(place - buckets_.begin());
  if (place != buckets_.end() && place->first == at) {
    place->second += times;
  } else {
    buckets_.insert(place, {at, times});
  }
}

void Distribution::Merge(const Distribution& other) {
  if (other.count_ == 0) return;
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
  for (const auto& [at, times] : other.buckets_) {
    const auto place = std::lower_bound(buckets_.begin(), buckets_.end(), at, Before);
    if (place != buckets_.end() && place->first == at) {
      place->second += times;
    } else {
      buckets_.insert(place, {at, times});
    }
  }
}

void Distribution::Clear() {
  count_ = 0;
  sum_ = min_ = max_ = 0;
  buckets_.clear();  // keeps its room
}

double Distribution::Percentile(double percent) const {
  if (count_ == 0) return 0;
  if (percent <= 0) return min_;
  if (percent >= 100) return max_;
  const double rank = percent / 100 * static_cast<double>(count_);
  uint64_t seen = 0;
  for (const auto& [at, times] : buckets_) {
    seen += times;
    if (static_cast<double>(seen) >= rank) return at == kNegative ? min_ : std::clamp(MiddleOf(at), min_, max_);
  }
  return max_;
}

uint64_t Distribution::CountBelow(int power) const {
  uint64_t seen = 0;
  for (const auto& [at, times] : buckets_) {
    if (at >= power * (1 << kBitsBelow)) break;
    seen += times;
  }
  return seen;
}

Distribution Distribution::FromParts(double sum, double min, double max, std::vector<Bucket> buckets) {
  Distribution out;
  for (const auto& [at, times] : buckets) out.count_ += times;
  out.sum_ = sum;
  out.min_ = min;
  out.max_ = max;
  out.buckets_ = std::move(buckets);
  return out;
}

Distribution Distribution::FromSummary(uint64_t count, double sum, double min, double max) {
  Distribution out;
  if (count == 0) return out;
  out.Add(std::clamp(sum / static_cast<double>(count), min, max), count);
  out.sum_ = sum;
  out.min_ = min;
  out.max_ = max;
  return out;
}

}  // namespace argosy::observe
