// Metrics from log lines: each line is searched with each definition's regex, group 1 is the value (SageMaker's
// MetricDefinitions).
//
// Patterns come from outside. They run by the standard library's breadth-first matcher, whose time is bounded by
// (states of the pattern) × (length of the line), and lines are looked at only up to kMetricLineBytesMax. Not
// thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/training_job.h"

namespace argosy::agent {

inline constexpr size_t kMetricLineBytesMax = 2048;  // metric lines are short; bounds the time a line can take
inline constexpr size_t kMetricRegexBytesMax = 500;  // SageMaker's bound

struct ExtractedMetric {
  std::string_view name;  // of the definition; lives as long as the extractor
  double value = 0;
};

class MetricExtractor {
 public:
  explicit MetricExtractor(const std::vector<catalog::MetricDefinition>& definitions);
  ~MetricExtractor();
  MetricExtractor(const MetricExtractor&) = delete;
  MetricExtractor& operator=(const MetricExtractor&) = delete;

  // One sentence for each definition that is not used, and why.
  const std::vector<std::string>& complaints() const { return complaints_; }

  std::vector<ExtractedMetric> Extract(std::string_view line) const;

 private:
  struct Pattern;
  std::vector<std::unique_ptr<Pattern>> patterns_;
  std::vector<std::string> complaints_;
};

}  // namespace argosy::agent
