#include "observe/statistic.h"

#include <algorithm>

#include "base/bytes.h"

namespace argosy::observe {

std::optional<Statistic> Statistic::Parse(std::string_view name) {
  constexpr size_t kDecimalsMax = 10;
  if (name == "SampleCount") return Statistic(Kind::kSampleCount);
  if (name == "Average") return Statistic(Kind::kAverage);
  if (name == "Sum") return Statistic(Kind::kSum);
  if (name == "Minimum") return Statistic(Kind::kMinimum);
  if (name == "Maximum") return Statistic(Kind::kMaximum);
  if (!name.starts_with('p')) return std::nullopt;
  name.remove_prefix(1);
  const auto digits = [](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const size_t point = name.find('.');
  if (!digits(name.substr(0, point)) || std::min(point, name.size()) > 3) return std::nullopt;
  if (point != std::string_view::npos) {
    const std::string_view decimals = name.substr(point + 1);
    if (!digits(decimals) || decimals.size() > kDecimalsMax) return std::nullopt;
  }
  const std::optional<double> percent = ParseDouble(name);
  if (!percent || *percent > 100) return std::nullopt;
  return Statistic(Kind::kPercentile, *percent);
}

double Statistic::Of(const Distribution& values) const {
  switch (kind_) {
    case Kind::kSampleCount:
      return static_cast<double>(values.count());
    case Kind::kAverage:
      return values.mean();
    case Kind::kSum:
      return values.sum();
    case Kind::kMinimum:
      return values.min();
    case Kind::kMaximum:
      return values.max();
    case Kind::kPercentile:
      return values.Percentile(percent_);
  }
  return 0;
}

}  // namespace argosy::observe
