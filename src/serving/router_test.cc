#include "serving/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace argosy::serving {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Router, InstancesOfBothFleetsCountWhileTheTrafficMoves) {
  EventLoop loop;
  ManualClock clock{Time()};
  Router router(loop, {&loop}, clock, nullptr, 1);
  Route route;
  route.variants = {{"v", 3, {{"i-1", ""}, {"i-2", ""}, {"i-3", ""}}},
                    {"v", 1, {{"i-4", ""}}},
                    {"other", 1, {{"i-5", ""}, {"i-6", ""}}}};
  router.SetRoute("e", route);
  EXPECT_THAT(router.InstanceCounts(), ElementsAre(Pair(VariantName{"e", "other"}, 2), Pair(VariantName{"e", "v"}, 4)));
  EXPECT_EQ(router.InstanceCount({"e", "v"}), 4U);
  EXPECT_EQ(router.InstanceCount({"e", "gone"}), 0U);
  EXPECT_EQ(router.InstanceCount({"f", "v"}), 0U);
}

}  // namespace
}  // namespace argosy::serving
