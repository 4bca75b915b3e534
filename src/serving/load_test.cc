#include "serving/load.h"

#include <gtest/gtest.h>

namespace argosy::serving {
namespace {

VariantCounts Of(uint64_t invocations) {
  VariantCounts counts;
  counts.invocations = invocations;
  counts.concurrent_max = invocations;
  counts.model_microseconds.Add(100, invocations);
  return counts;
}

Time At(int64_t second) {
  return Time(std::chrono::seconds(second));
}

TEST(LoadBook, SumsWholeSecondsBeforeNow) {
  LoadBook book;
  const VariantName name{"e", "v"};
  for (int64_t second = 100; second < 110; ++second) book.Add(name, second, Of(second));
  EXPECT_EQ(book.Sum(name, At(110), 3).invocations, 107U + 108U + 109U);
  EXPECT_EQ(book.Sum(name, At(109) + std::chrono::milliseconds(999), 1).invocations, 108U) << "109 is not over";
  EXPECT_EQ(book.Sum(name, At(110), 100).model_microseconds.count(), 1045U);
  EXPECT_EQ(book.Sum({"e", "w"}, At(110), 100).invocations, 0U);
}

TEST(LoadBook, LoopsAddTheirPartsAndLateOnesCount) {
  LoadBook book;
  const VariantName name{"e", "v"};
  book.Add(name, 100, Of(1));
  book.Add(name, 102, Of(2));
  book.Add(name, 101, Of(4));
  book.Add(name, 102, Of(8));
  EXPECT_EQ(book.Sum(name, At(103), 2).invocations, 14U);
  EXPECT_EQ(book.Sum(name, At(103), 1).concurrent_max, 10U) << "of loops at one time";
  EXPECT_EQ(book.Sum(name, At(103), 2).concurrent_max, 10U) << "of seconds the busiest";
}

TEST(LoadBook, KeepsAQuarterOfAnHour) {
  LoadBook book;
  const VariantName name{"e", "v"};
  for (int64_t second = 0; second < 3 * kLoadSecondsKept; ++second) book.Add(name, second, Of(1));
  EXPECT_EQ(book.Sum(name, At(3 * kLoadSecondsKept), 100'000).invocations, kLoadSecondsKept);
  book.Forget("e");
  EXPECT_EQ(book.Sum(name, At(3 * kLoadSecondsKept), 100'000).invocations, 0U);
}

TEST(LoadBook, TellsItsListeners) {
  LoadBook book;
  uint64_t told = 0;
  uint64_t concurrent = 0;
  book.Listen([&](const VariantName&, int64_t, const VariantCounts& counts) {
    told += counts.invocations;
    concurrent = counts.concurrent_max;
  });
  book.Add({"e", "v"}, 1, Of(2));
  book.Add({"f", "v"}, 1, Of(3));
  EXPECT_EQ(concurrent, 3U);
  book.Add({"e", "v"}, 1, Of(4));
  EXPECT_EQ(told, 9U);
  EXPECT_EQ(concurrent, 6U) << "of both loops";
}

}  // namespace
}  // namespace argosy::serving
