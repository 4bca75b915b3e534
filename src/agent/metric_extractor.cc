#include "agent/metric_extractor.h"

#include <cmath>
#include <regex>

#include "base/bytes.h"

namespace argosy::agent {

struct MetricExtractor::Pattern {
  std::string name;
  std::regex regex;
};

MetricExtractor::~MetricExtractor() = default;

MetricExtractor::MetricExtractor(const std::vector<catalog::MetricDefinition>& definitions) {
  for (const catalog::MetricDefinition& definition : definitions) {
    const auto complain = [&](std::string_view why) {
      complaints_.push_back("metric '" + definition.name + "' is not collected: its regex " + std::string(why));
    };
    if (definition.regex.size() > kMetricRegexBytesMax) {
      complain("is longer than " + std::to_string(kMetricRegexBytesMax) + " characters");
      continue;
    }
    try {
      auto pattern = std::make_unique<Pattern>();
      pattern->name = definition.name;
      pattern->regex.assign(definition.regex, std::regex::ECMAScript | std::regex_constants::__polynomial);
      if (pattern->regex.mark_count() < 1) {
        complain("has no group for the value");
        continue;
      }
      patterns_.push_back(std::move(pattern));
    } catch (const std::regex_error& e) {
      complain(std::string("is not valid: ") + e.what());
    }
  }
}

std::vector<ExtractedMetric> MetricExtractor::Extract(std::string_view line) const {
  std::vector<ExtractedMetric> out;
  line = line.substr(0, kMetricLineBytesMax);
  for (const auto& pattern : patterns_) {
    std::match_results<std::string_view::const_iterator> match;
    try {
      if (!std::regex_search(line.begin(), line.end(), match, pattern->regex)) continue;
    } catch (const std::regex_error&) {
      continue;  // the library's own bound on its memory
    }
    const std::optional<double> value = ParseDouble(Trim(std::string_view(match[1].first, match[1].second)));
    if (value && std::isfinite(*value)) out.push_back({pattern->name, *value});
  }
  return out;
}

}  // namespace argosy::agent
