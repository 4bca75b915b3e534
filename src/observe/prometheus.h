// A page of metrics in Prometheus's text format (version 0.0.4).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "observe/distribution.h"

namespace argosy::observe {

inline constexpr std::string_view kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

class PrometheusText {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;
  enum class Type { kCounter, kGauge, kHistogram };

  // Begins a metric: all its samples follow, before the next one begins. `name` and label names are valid ones.
  void Begin(std::string_view name, Type type, std::string_view help);
  void Sample(const Labels& labels, double value);
  // Of a kHistogram of microseconds, told in seconds: cumulative buckets up to powers of two from 16 µs to 67 s. A
  // value that is a power of two exactly counts in the bucket above.
  void Histogram(const Labels& labels, const Distribution& microseconds);

  std::string Take() { return std::move(text_); }

 private:
  void Line(std::string_view suffix, const Labels& labels, double value);

  std::string name_;
  std::string text_;
};

}  // namespace argosy::observe
