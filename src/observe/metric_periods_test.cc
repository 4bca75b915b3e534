#include "observe/metric_periods.h"

#include <gtest/gtest.h>

namespace argosy::observe {
namespace {

Distribution Times(double value, uint64_t times) {
  Distribution out;
  out.Add(value, times);
  return out;
}

TEST(StartOfPeriod, CutsDownBelowZeroToo) {
  EXPECT_EQ(StartOfPeriod(119, 60), 60);
  EXPECT_EQ(StartOfPeriod(120, 60), 120);
  EXPECT_EQ(StartOfPeriod(-1, 60), -60);
  EXPECT_EQ(StartOfPeriod(-60, 60), -60);
}

TEST(Refine, TakesFinerPartsOnlyWhereTheyAreAll) {
  Periods minutes{{0, Times(1, 3)}, {60, Times(1, 5)}, {120, Times(1, 1)}};
  const Periods tens{{0, Times(1, 1)}, {50, Times(1, 2)}, {70, Times(1, 4)}, {600, Times(1, 1)}};
  const Periods out = Refine(std::move(minutes), tens, 60);
  ASSERT_EQ(out.size(), 4u);
  EXPECT_EQ(out.at(0).count(), 1u);
  EXPECT_EQ(out.at(50).count(), 2u);
  EXPECT_EQ(out.at(60).count(), 5u) << "four of five values are not the whole minute";
  EXPECT_EQ(out.at(120).count(), 1u);
}

TEST(Gather, PutsTogetherByMultiples) {
  const Periods out = Gather({{60, Times(2, 1)}, {120, Times(4, 1)}, {300, Times(8, 1)}}, 300);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out.at(0).sum(), 6);
  EXPECT_EQ(out.at(300).sum(), 8);
}

TEST(Buckets, ComeBackAsTheyWere) {
  Distribution values;
  for (const double value : {-3.0, 0.0, 1e-300, 0.5, 1.0, 1.01, 250.0, 1e300}) values.Add(value, 3);
  values.Add(7, 1ULL << 40);
  const Result<std::vector<Distribution::Bucket>> back = DecodeBuckets(EncodeBuckets(values));
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(*back, values.buckets());
}

TEST(Buckets, BytesThatAreNoneAreRefused) {
  using namespace std::string_view_literals;
  for (const std::string_view bytes : {"\x01"sv, "\x80"sv, "\x01\x00"sv, "\xff\xff\x7f\x01"sv, "\x01\x01\x00\x01"sv,
                                       "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv}) {
    const auto out = DecodeBuckets(bytes);
    ASSERT_FALSE(out.ok());
    EXPECT_EQ(out.error().code(), ErrorCode::kCorrupt);
  }
  EXPECT_TRUE(DecodeBuckets("").ok());
}

}  // namespace
}  // namespace argosy::observe
