#include "observe/prometheus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace argosy::observe {
namespace {

using testing::HasSubstr;

TEST(PrometheusText, HasHelpTypeAndEscapedLabels) {
  PrometheusText page;
  page.Begin("things_total", PrometheusText::Type::kCounter, "Things.");
  page.Sample({}, 3);
  page.Sample({{"name", "a\\b\"c\nd"}, {"kind", "x"}}, 0.5);
  EXPECT_EQ(page.Take(),
            "# HELP things_total Things.\n# TYPE things_total counter\nthings_total 3\n"
            "things_total{name=\"a\\\\b\\\"c\\nd\",kind=\"x\"} 0.5\n");
}

TEST(PrometheusText, HistogramsAreCumulativeAndInSeconds) {
  Distribution microseconds;
  for (const double value : {0.0, 10.0, 100.0, 1000.0, 1e9}) microseconds.Add(value);
  PrometheusText page;
  page.Begin("latency_seconds", PrometheusText::Type::kHistogram, "Latency.");
  page.Histogram({{"e", "x"}}, microseconds);
  const std::string text = page.Take();
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{e=\"x\",le=\"1.6e-05\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{e=\"x\",le=\"0.000128\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{e=\"x\",le=\"0.001024\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{e=\"x\",le=\"67.108864\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{e=\"x\",le=\"+Inf\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_sum{e=\"x\"} 1000.00111\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_count{e=\"x\"} 5\n"));
}

}  // namespace
}  // namespace argosy::observe
