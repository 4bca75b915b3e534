#include "observe/statistic.h"

#include <gtest/gtest.h>

namespace argosy::observe {
namespace {

TEST(Statistic, SaysWhatTheValuesAre) {
  Distribution values;
  for (const double value : {1.0, 2.0, 3.0, 10.0}) values.Add(value);
  const struct {
    const char* name;
    double expected;
  } rows[] = {{"SampleCount", 4}, {"Average", 4}, {"Sum", 16}, {"Minimum", 1},
              {"Maximum", 10},    {"p0", 1},      {"p50", 2},  {"p100", 10}};
  for (const auto& row : rows) {
    const std::optional<Statistic> statistic = Statistic::Parse(row.name);
    ASSERT_TRUE(statistic.has_value()) << row.name;
    EXPECT_NEAR(statistic->Of(values), row.expected, row.expected / 16) << row.name;
  }
}

TEST(Statistic, OthersAreNone) {
  EXPECT_TRUE(Statistic::Parse("p99.9999999999").has_value());
  for (const char* name : {"", "sum", "p", "p101", "p-1", "p1e1", "p99.", "p.5", "p99.99999999999", "p0x1", "tm90",
                           "TM(10%:90%)", "IQM", "p100.1", "p0099"}) {
    EXPECT_FALSE(Statistic::Parse(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace argosy::observe
