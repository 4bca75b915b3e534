#include "control/load_window.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace argosy::control {
namespace {

// Against sums over a map of everything.
TEST(LoadWindow, CountsWhatWasToldWhateverTheOrderAndTheGaps) {
  std::mt19937_64 random(3);
  LoadWindow window;
  std::map<int64_t, std::pair<uint64_t, uint64_t>> told;
  int64_t now = 1'700'000'000;
  const auto sum = [&](int64_t end, uint32_t length) {
    uint64_t all = 0;
    for (auto it = told.lower_bound(end - length); it != told.end() && it->first < end; ++it) all += it->second.first;
    return all;
  };
  for (int step = 0; step < 3000; ++step) {
    now += static_cast<int64_t>(random() % 100 == 0 ? random() % 2000 : random() % 3);
    const int64_t second = now - static_cast<int64_t>(random() % 5);
    const uint64_t requests = random() % 50;
    window.Add(second, requests, requests / 3);
    told[second].first += requests;
    told[second].second = std::max(told[second].second, requests / 3);
    const int64_t end = now + 1;
    for (const uint32_t length : {1U, 10U, 60U, 180U}) {
      ASSERT_EQ(window.Invocations(end, length), sum(end, length)) << step << " " << length;
    }
    uint64_t most = 0;
    for (int64_t stop = end - 300 + 60; stop <= end; ++stop) most = std::max(most, sum(stop, 60));
    ASSERT_EQ(window.MostInvocations(end, 60, 300), most) << step;
    ASSERT_EQ(window.Concurrent(second), told[second].second);
  }
}

TEST(LoadWindow, KnowsWhenTheLastRequestWas) {
  LoadWindow window;
  EXPECT_FALSE(window.LastBusy().has_value());
  window.Add(100, 0, 1);
  window.Add(5000, 0, 0);
  EXPECT_EQ(window.LastBusy(), 100);
  EXPECT_EQ(window.Invocations(5001, 900), 0U);
}

}  // namespace
}  // namespace argosy::control
