#include "objectstore/outside/retry.h"

#include <gtest/gtest.h>

namespace argosy::objectstore {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Draws the greatest value, so that each pause is its bound.
class Greatest : public Random {
 public:
  uint64_t Next() override { return UINT64_MAX; }
};

Duration Rounded(Duration pause) {
  return std::chrono::round<milliseconds>(pause);
}

TEST(Retries, BoundsOfPausesDoubleUpToTheGreatest) {
  Greatest random;
  Retries retries({.attempts_max = 9, .pause_first = milliseconds(100), .pause_max = seconds(1)}, Duration::zero());
  for (const int expected : {100, 200, 400, 800, 1000, 1000}) {
    EXPECT_EQ(Rounded(*retries.Next(Duration::zero(), {}, random)), Duration(milliseconds(expected)));
  }
}

TEST(Retries, PausesLieAnywhereBelowTheirBound) {
  SeededRandom random(1);
  int below_half = 0;
  for (int i = 0; i < 1000; ++i) {
    Retries retries({}, Duration::zero());
    const Duration pause = *retries.Next(Duration::zero(), {}, random);
    EXPECT_GE(pause, Duration::zero());
    EXPECT_LT(pause, RetryPolicy().pause_first);
    if (pause < RetryPolicy().pause_first / 2) ++below_half;
  }
  EXPECT_NEAR(below_half, 500, 100);
}

TEST(Retries, EndAfterTheLastAttempt) {
  SeededRandom random(1);
  Retries retries({.attempts_max = 3}, Duration::zero());
  EXPECT_TRUE(retries.Next(Duration::zero(), {}, random));
  EXPECT_TRUE(retries.Next(Duration::zero(), {}, random));
  EXPECT_FALSE(retries.Next(Duration::zero(), {}, random));
}

TEST(Retries, EndWhenTheTimeIsUp) {
  SeededRandom random(1);
  const Duration begin = seconds(1000);
  Retries retries({.time_max = seconds(30)}, begin);
  EXPECT_TRUE(retries.Next(begin + seconds(29), {}, random));
  EXPECT_FALSE(retries.Next(begin + seconds(31), {}, random));
}

TEST(Retries, WhatTheOutsideAsksForIsHeededWithinReason) {
  SeededRandom random(1);
  Retries retries({.pause_max = seconds(5)}, Duration::zero());
  EXPECT_EQ(*retries.Next(Duration::zero(), seconds(2), random), Duration(seconds(2)));
  EXPECT_EQ(*retries.Next(Duration::zero(), seconds(3600), random), Duration(seconds(5)));
}

TEST(MayPass, OnlyWhatPassesByItself) {
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kDeadlineExceeded, ErrorCode::kCorrupt}) {
    EXPECT_TRUE(MayPass(Error(code, ""))) << ErrorCodeName(code);
  }
  for (const ErrorCode code : {ErrorCode::kNotFound, ErrorCode::kConflict, ErrorCode::kInvalidArgument,
                               ErrorCode::kNoSpace, ErrorCode::kIo, ErrorCode::kInternal}) {
    EXPECT_FALSE(MayPass(Error(code, ""))) << ErrorCodeName(code);
  }
}

}  // namespace
}  // namespace argosy::objectstore
