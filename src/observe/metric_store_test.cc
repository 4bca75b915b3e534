#include "observe/metric_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "base/files.h"

namespace argosy::observe {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int64_t kStart = 1'700'000'040;  // a whole minute

Time Second(int64_t after) {
  return Time(seconds(kStart + after));
}

Distribution One(double value) {
  Distribution out;
  out.Add(value);
  return out;
}

MetricKey Key(const std::string& name, const std::string& endpoint = "e") {
  return {"AWS/SageMaker", name, {{"EndpointName", endpoint}, {"VariantName", "v"}}};
}

class MetricStoreTest : public testing::Test {
 protected:
  MetricStoreTest() {
    std::string pattern = testing::TempDir() + "/metricsXXXXXX";
    directory_ = mkdtemp(pattern.data());
    Reopen();
  }
  ~MetricStoreTest() override {
    store_.reset();
    (void)RemoveTree(directory_);
  }

  void Reopen(MetricBounds bounds = {}) {
    store_.reset();
    Result<std::unique_ptr<MetricStore>> store = MetricStore::Open(directory_ / "metrics.db", &clock_, bounds);
    ASSERT_TRUE(store.ok()) << store.error().message();
    store_ = std::move(*store);
  }

  std::vector<MetricPeriod> Read(const MetricKey& key, int64_t begin, int64_t end, int64_t length) {
    Result<std::vector<MetricPeriod>> out = store_->Read(key, Second(begin), Second(end), seconds(length));
    EXPECT_TRUE(out.ok());
    return out.ok() ? std::move(*out) : std::vector<MetricPeriod>();
  }
  // "start:count …" of the periods.
  std::string Counts(const MetricKey& key, int64_t begin, int64_t end, int64_t length) {
    std::string text;
    for (const MetricPeriod& period : Read(key, begin, end, length)) {
      const int64_t at = std::chrono::floor<seconds>(period.start).time_since_epoch().count() - kStart;
      text += (text.empty() ? "" : " ") + std::to_string(at) + ":" + std::to_string(period.values.count());
    }
    return text;
  }

  std::filesystem::path directory_;
  ManualClock clock_{Second(0)};
  std::unique_ptr<MetricStore> store_;
};

TEST_F(MetricStoreTest, ValuesAreKnownByTheSecondTheTenAndTheMinute) {
  for (const int64_t at : {0, 0, 1, 9, 10, 59, 60, 125}) store_->Record(Key("a"), Second(at), "Count", One(1));
  for (int written = 0; written < 2; ++written) {
    EXPECT_EQ(Counts(Key("a"), 0, 130, 1), "0:2 1:1 9:1 10:1 59:1 60:1 125:1");
    EXPECT_EQ(Counts(Key("a"), 0, 130, 5), "0:3 5:1 10:1 55:1 60:1 125:1");
    EXPECT_EQ(Counts(Key("a"), 0, 130, 10), "0:4 10:1 50:1 60:1 120:1");
    EXPECT_EQ(Counts(Key("a"), 0, 130, 30), "0:5 30:1 60:1 120:1");
    EXPECT_EQ(Counts(Key("a"), 0, 130, 60), "0:6 60:1 120:1");
    EXPECT_EQ(Counts(Key("a"), 60, 120, 60), "60:1");
    EXPECT_EQ(Counts(Key("a"), 1, 10, 1), "1:1 9:1");
    store_->Flush();
  }
  EXPECT_EQ(Counts(Key("b"), 0, 130, 60), "");
}

TEST_F(MetricStoreTest, BeginsAreCutDownAndEndsAreLeftOut) {
  store_->Record(Key("a"), Second(0), "Count", One(1));
  store_->Record(Key("a"), Second(60), "Count", One(1));
  EXPECT_EQ(Counts(Key("a"), 59, 60, 60), "0:1");
  EXPECT_EQ(Counts(Key("a"), 59, 61, 60), "0:1 60:1");
  EXPECT_EQ(Counts(Key("a"), 10, 10, 60), "");
}

TEST_F(MetricStoreTest, WhatWasWrittenIsThereAfterARestartAndAddsUp) {
  store_->Record(Key("a"), Second(3), "Microseconds", One(100));
  store_->Flush();
  store_->Record(Key("a"), Second(4), "Microseconds", One(300));
  Reopen();  // the end writes what waits
  store_->Record(Key("a"), Second(5), "Microseconds", One(200));
  const std::vector<MetricPeriod> periods = Read(Key("a"), 0, 60, 60);
  ASSERT_EQ(periods.size(), 1u);
  EXPECT_EQ(periods[0].unit, "Microseconds");
  EXPECT_EQ(periods[0].values.count(), 3u);
  EXPECT_EQ(periods[0].values.sum(), 600);
  EXPECT_EQ(periods[0].values.min(), 100);
  EXPECT_EQ(periods[0].values.max(), 300);
  EXPECT_NEAR(periods[0].values.Percentile(50), 200, 13);
  // The seconds of the first life are gone: what is known is the ten.
  EXPECT_EQ(Counts(Key("a"), 0, 60, 1), "0:3");
}

TEST_F(MetricStoreTest, UnitsStayApart) {
  store_->Record(Key("a"), Second(0), "Seconds", One(1));
  store_->Record(Key("a"), Second(0), "Milliseconds", One(5));
  const std::vector<MetricPeriod> periods = Read(Key("a"), 0, 60, 60);
  ASSERT_EQ(periods.size(), 2u);
  EXPECT_EQ(periods[0].unit, "Milliseconds");
  EXPECT_EQ(periods[1].unit, "Seconds");
  EXPECT_EQ(store_->List({}, std::nullopt, 10).size(), 1u);
}

TEST_F(MetricStoreTest, OldPeriodsAreForgottenTheFinerOnesSooner) {
  store_->Record(Key("a"), Second(5), "Count", One(1));
  store_->Flush();
  clock_.Advance(hours(4));
  store_->Record(Key("b"), Second(4 * 3600), "Count", One(1));
  store_->Flush();
  EXPECT_EQ(Counts(Key("a"), 0, 60, 10), "0:1") << "the minute is known at its start";
  EXPECT_EQ(Counts(Key("a"), 0, 60, 60), "0:1");
  clock_.Advance(hours(24 * 15) + minutes(1));
  store_->Record(Key("c"), clock_.Now(), "Count", One(1));
  store_->Flush();
  EXPECT_EQ(store_->series(), 1u);
  EXPECT_EQ(Counts(Key("a"), 0, 60, 60), "");
  Reopen();
  EXPECT_EQ(store_->series(), 1u);
}

TEST_F(MetricStoreTest, LateValuesGoWhereTheyBelong) {
  clock_.Advance(hours(24));
  store_->Record(Key("a"), Second(61), "Count", One(1));
  store_->Record(Key("a"), clock_.Now(), "Count", One(1));
  store_->Flush();
  store_->Record(Key("a"), Second(62), "Count", One(1));
  EXPECT_EQ(Counts(Key("a"), 0, 180, 60), "60:2");
  store_->Record(Key("a"), Second(-24 * 3600 * 15), "Count", One(1));  // before anything that is kept
  EXPECT_EQ(Counts(Key("a"), -24 * 3600 * 15, 180, 60), "60:2");
}

TEST_F(MetricStoreTest, TooManySeriesAreDroppedAndCounted) {
  Reopen({.series_max = 2});
  store_->Record(Key("a"), Second(0), "Count", One(1));
  store_->Record(Key("a"), Second(0), "None", One(1));
  store_->Record(Key("b"), Second(0), "Count", One(1));
  store_->Record(Key("a"), Second(1), "Count", One(1));
  EXPECT_EQ(store_->dropped(), 1u);
  EXPECT_EQ(store_->series(), 2u);
}

TEST_F(MetricStoreTest, ANewSeriesTakesThePlaceOfTheQuietestOne) {
  Reopen({.series_max = 2});
  store_->Record(Key("quiet"), Second(0), "Count", One(1));
  store_->Flush();
  clock_.Advance(hours(2));
  store_->Record(Key("busy"), clock_.Now(), "Count", One(1));
  store_->Record(Key("quiet"), Second(60), "Count", One(1));  // late, and still the quietest
  store_->Record(Key("new"), clock_.Now(), "Count", One(1));
  EXPECT_EQ(store_->dropped(), 0u);
  EXPECT_EQ(Counts(Key("quiet"), 0, 3600, 60), "");
  store_->Record(Key("newer"), clock_.Now(), "Count", One(1));
  EXPECT_EQ(store_->dropped(), 1u) << "nobody is quiet any more";
  store_->Flush();
  Reopen();
  EXPECT_EQ(store_->series(), 2u);
  store_->Record(Key("quiet"), Second(120), "Count", One(1));
  EXPECT_EQ(Counts(Key("quiet"), 0, 3600, 60), "120:1") << "nothing is left of what it was";
}

TEST_F(MetricStoreTest, WhatWaitsIsBounded) {
  Reopen({.waiting_max = 4});
  for (int64_t at = 0; at < 600; at += 60) store_->Record(Key("a"), Second(at), "Count", One(1));
  EXPECT_EQ(store_->dropped(), 8u);
  store_->Flush();
  store_->Record(Key("a"), Second(600), "Count", One(1));
  EXPECT_EQ(store_->dropped(), 8u);
  EXPECT_EQ(Counts(Key("a"), 0, 660, 60), "0:1 60:1 600:1");
}

TEST_F(MetricStoreTest, SecondsInMemoryAreBoundedTheTensStay) {
  Reopen({.seconds_max = 3});
  for (int64_t at = 0; at < 20; ++at) store_->Record(Key("a"), Second(at), "Count", One(1));
  EXPECT_EQ(Counts(Key("a"), 0, 20, 1), "0:10 10:10");
  EXPECT_EQ(store_->dropped(), 0u);
}

TEST_F(MetricStoreTest, TheFileStaysWithinItsBound) {
  Reopen({.file_bytes_max = 200'000});
  Distribution wide;
  for (double value = 1; value < 1e6; value *= 1.1) wide.Add(value);
  for (int64_t day = 0; day < 10; ++day) {
    for (int64_t minute = 0; minute < 200; ++minute)
      store_->Record(Key("a"), clock_.Now() + minutes(minute), "None", wide);
    store_->Flush();
    clock_.Advance(hours(24));
  }
  store_->Record(Key("a"), clock_.Now(), "None", wide);
  store_->Flush();
  EXPECT_EQ(Counts(Key("a"), 0, 200 * 60, 86'400), "") << "the oldest minutes go";
  EXPECT_FALSE(Read(Key("a"), 9 * 86'400, 10 * 86'400, 60).empty());
}

TEST_F(MetricStoreTest, MetricsAreListedInPages) {
  for (const char* name : {"a", "b", "c"}) {
    store_->Record(Key(name, "e"), Second(0), "Count", One(1));
    store_->Record(Key(name, "f"), Second(0), "Count", One(1));
  }
  store_->Record({"Mine", "a", {}}, Second(0), "Count", One(1));
  EXPECT_EQ(store_->List({}, std::nullopt, 100).size(), 7u);
  EXPECT_EQ(store_->List({.name_space = "Mine"}, std::nullopt, 100).size(), 1u);
  EXPECT_EQ(store_->List({.name = "a"}, std::nullopt, 100).size(), 3u);
  EXPECT_EQ(store_->List({.dimensions = {{"EndpointName", "f"}}}, std::nullopt, 100).size(), 3u);
  EXPECT_EQ(store_->List({.dimensions = {{"EndpointName", std::nullopt}}}, std::nullopt, 100).size(), 6u);
  const std::vector<MetricKey> first = store_->List({.name_space = "AWS/SageMaker"}, std::nullopt, 4);
  ASSERT_EQ(first.size(), 4u);
  EXPECT_EQ(store_->List({.name_space = "AWS/SageMaker"}, first.back(), 4).size(), 2u);
  clock_.Advance(hours(4));
  store_->Record(Key("a", "e"), clock_.Now(), "Count", One(1));
  EXPECT_EQ(store_->List({.active_since = clock_.Now() - hours(3)}, std::nullopt, 100).size(), 1u);
}

TEST_F(MetricStoreTest, AFileThatIsNoneIsPutAside) {
  store_->Record(Key("a"), Second(0), "Count", One(1));
  store_.reset();
  for (const char* part : {"", "-wal", "-shm"})
    std::filesystem::remove(directory_ / ("metrics.db" + std::string(part)));
  std::ofstream(directory_ / "metrics.db") << std::string(8192, 'x');
  Reopen();
  EXPECT_EQ(store_->series(), 0u);
  store_->Record(Key("a"), Second(0), "Count", One(1));
  Reopen();
  EXPECT_EQ(Counts(Key("a"), 0, 60, 60), "0:1");
  EXPECT_TRUE(std::filesystem::exists(directory_ / "metrics.db.broken"));
}

TEST_F(MetricStoreTest, ItsThreadWritesWithoutBeingAsked) {
  store_->Start();
  store_->Record(Key("a"), Second(0), "Count", One(1));
  Reopen();
  EXPECT_EQ(Counts(Key("a"), 0, 60, 60), "0:1");
}

}  // namespace
}  // namespace argosy::observe
