#include "observe/load_forecast.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace argosy::observe {
namespace {

// How many of the minutes that were foretold came out above the forecast.
struct Held {
  size_t above = 0, all = 0;
  double headroom = 0;  // the mean of forecast / what came
};
template <class Load>
Held Hold(LoadForecast& forecast, uint32_t ahead, int64_t minutes, int64_t learn, Load load) {
  Held held;
  for (int64_t minute = 0; minute < minutes; ++minute) {
    forecast.Add(minute, load(minute));
    const auto most = forecast.Most();
    if (!most || minute < learn) continue;
    double came = 0;
    for (int64_t next = minute + 1; next <= minute + ahead; ++next) came = std::max(came, load(next));
    ++held.all;
    held.above += came > *most ? 1 : 0;
    held.headroom += *most / came;
  }
  held.headroom /= static_cast<double>(held.all);
  return held;
}

double Noisy(int64_t minute, double spread) {
  SeededRandom random(static_cast<uint64_t>(minute) + 77);
  return 1000 * (1 + spread * (2 * random.Uniform() - 1));
}

TEST(LoadForecast, OneMinuteInTwentyComesOutAboveItWhateverTheLoadIsLike) {
  for (const double spread : {0.05, 0.2, 0.6}) {
    LoadForecast forecast(1);
    const Held held = Hold(forecast, 1, 20'000, 5'000, [&](int64_t minute) { return Noisy(minute, spread); });
    const double share = static_cast<double>(held.above) / static_cast<double>(held.all);
    EXPECT_GT(share, 0.02) << spread;
    EXPECT_LT(share, 0.08) << spread;
  }
}

TEST(LoadForecast, AJumpyLoadGetsMoreHeadroomThanASmoothOne) {
  LoadForecast smooth(1), jumpy(1);
  const double little = Hold(smooth, 1, 10'000, 5'000, [](int64_t minute) { return Noisy(minute, 0.05); }).headroom;
  const double much = Hold(jumpy, 1, 10'000, 5'000, [](int64_t minute) { return Noisy(minute, 0.6); }).headroom;
  EXPECT_LT(little, 1.2);
  EXPECT_GT(much, little + 0.3);
}

TEST(LoadForecast, ItSeesADailyPeakComing) {
  // Each day at noon the load is tenfold for an hour.
  const auto load = [](int64_t minute) { return minute % 1440 >= 720 && minute % 1440 < 780 ? 1000.0 : 100.0; };
  LoadForecast forecast(5);
  double before_peak = 0, at_night = 0;
  for (int64_t minute = 0; minute < 1440 * 20; ++minute) {
    forecast.Add(minute, load(minute));
    if (minute == 1440 * 19 + 717) before_peak = *forecast.Most();
    if (minute == 1440 * 19 + 300) at_night = *forecast.Most();
  }
  EXPECT_GT(before_peak, 2.5 * at_night);
}

TEST(LoadForecast, NothingIsForetoldOfNothing) {
  LoadForecast forecast(3);
  EXPECT_FALSE(forecast.Most().has_value());
  for (int64_t minute = 0; minute < 100; ++minute) forecast.Add(minute, 0);
  EXPECT_EQ(forecast.Most(), 0.0);
}

TEST(LoadForecast, WhatWasLearnedIsKeptAndOtherTextIsNoKnowledge) {
  LoadForecast forecast(2);
  for (int64_t minute = 0; minute < 3000; ++minute) forecast.Add(minute, Noisy(minute, 0.3));
  LoadForecast again = LoadForecast::FromJson(forecast.ToJson(), 2);
  forecast.Add(3000, 900);
  again.Add(3000, 900);
  // But for the forecasts that were waiting for their minutes.
  EXPECT_NEAR(*forecast.Most(), *again.Most(), 0.01 * *forecast.Most());
  for (const char* text : {"", "{}", "[1]", R"({"next":1,"minutes":["x"],"weights":[1]})"}) {
    EXPECT_FALSE(LoadForecast::FromJson(text, 2).Most().has_value()) << text;
  }
}

TEST(LoadForecast, UnknownMinutesTeachNothing) {
  LoadForecast forecast(1);
  for (int64_t minute = 0; minute < 200; ++minute) forecast.Add(minute, 100);
  const double before = *forecast.Most();
  forecast.Add(260, 100);  // an hour was not seen
  EXPECT_NEAR(*forecast.Most(), before, 0.1 * before);
  forecast.Add(1'000'000, 100);
  EXPECT_FALSE(forecast.Most().has_value()) << "what lies so far back says nothing";
}

}  // namespace
}  // namespace argosy::observe
