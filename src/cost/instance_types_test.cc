#include "cost/instance_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace argosy::cost {
namespace {

TEST(InstanceTypes, AreFoundByTheirWholeName) {
  const std::optional<InstanceType> type = FindInstanceType("ml.m5.xlarge");
  ASSERT_TRUE(type);
  EXPECT_EQ(type->vcpus, 4U);
  EXPECT_EQ(type->memory_bytes, uint64_t{16} << 30);
  EXPECT_EQ(type->nano_dollars_per_hour, 230'000'000);
  EXPECT_EQ(type->price_source, PriceSource::kListed);
  EXPECT_FALSE(FindInstanceType("m5.xlarge"));
  EXPECT_FALSE(FindInstanceType("ml.m5.xl"));
  EXPECT_FALSE(FindInstanceType(""));
}

TEST(InstanceTypes, EachNameStandsOnceAndHasASizeAndAPrice) {
  std::set<std::string> names;
  for (const std::string& name : InstanceTypeNames()) {
    EXPECT_TRUE(names.insert(name).second) << name;
    const std::optional<InstanceType> type = FindInstanceType(name);
    ASSERT_TRUE(type) << name;
    EXPECT_GT(type->vcpus, 0U) << name;
    EXPECT_GE(type->memory_bytes, uint64_t{1} << 30) << name;
    EXPECT_GT(type->nano_dollars_per_hour, 0) << name;
  }
  EXPECT_GT(names.size(), 100U);
}

TEST(InstanceTypes, CostIsPerSecondAndPerInstance) {
  const InstanceType type{.name = "ml.some", .nano_dollars_per_hour = 3'600'000'000};
  EXPECT_EQ(CostOf(type, 1, 1), 1'000'000);
  EXPECT_EQ(CostOf(type, 90, 4), 360'000'000);
  EXPECT_EQ(CostOf(type, 0, 4), 0);
  // Ten years of a hundred of the dearest: far beyond 64 bits on the way.
  const std::optional<InstanceType> dear = FindInstanceType("ml.p5.48xlarge");
  ASSERT_TRUE(dear);
  EXPECT_EQ(CostOf(*dear, 87'600 * 3600, 100), dear->nano_dollars_per_hour * 87'600 * 100);
}

}  // namespace
}  // namespace argosy::cost
