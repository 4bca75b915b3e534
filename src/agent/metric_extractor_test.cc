#include "agent/metric_extractor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace argosy::agent {
namespace {

TEST(MetricExtractor, TakesTheFirstGroupOfEachPatternThatMatches) {
  const MetricExtractor extractor({{"loss", "loss=([0-9.e-]+)"}, {"accuracy", R"(accuracy: (\d+\.\d+)%)"}});
  EXPECT_THAT(extractor.complaints(), testing::IsEmpty());
  const auto found = extractor.Extract("epoch 3 loss=1.5e-3 accuracy: 97.25% done");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "loss");
  EXPECT_EQ(found[0].value, 1.5e-3);
  EXPECT_EQ(found[1].value, 97.25);
  EXPECT_TRUE(extractor.Extract("nothing here").empty());
  EXPECT_TRUE(extractor.Extract("loss=..").empty());
}

TEST(MetricExtractor, SaysWhichDefinitionsItCannotUse) {
  const MetricExtractor extractor({{"broken", "(["}, {"groupless", "loss"}, {"long", std::string(1000, 'x')}});
  ASSERT_EQ(extractor.complaints().size(), 3U);
  EXPECT_THAT(extractor.complaints()[0], testing::HasSubstr("broken"));
  EXPECT_THAT(extractor.complaints()[1], testing::HasSubstr("no group"));
}

// A backtracking matcher needs 2^n steps for this one.
TEST(MetricExtractor, APatternThatInvitesBacktrackingEnds) {
  const MetricExtractor extractor({{"trap", "(a+)+(b)"}});
  EXPECT_TRUE(extractor.Extract(std::string(1500, 'a')).empty());
}

TEST(MetricExtractor, AVeryLongLineIsLookedAtOnlyInFront) {
  const MetricExtractor extractor({{"m", "v=([0-9]+);"}});
  EXPECT_EQ(extractor.Extract("v=1;" + std::string(10'000'000, 'x')).size(), 1U);
  EXPECT_TRUE(extractor.Extract(std::string(kMetricLineBytesMax, 'x') + "v=1;").empty());
}

}  // namespace
}  // namespace argosy::agent
