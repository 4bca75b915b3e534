#include "control/alarms_executor.h"

#include <gtest/gtest.h>

#include "base/sim_scheduler.h"
#include "control/store_catalog.h"

namespace argosy::control {
namespace {

using std::chrono::seconds;

class OneMetric final : public observe::MetricReader {
 public:
  Result<std::vector<observe::MetricPeriod>> Read(const observe::MetricKey& key, Time begin, Time end,
                                                  Duration) override {
    ++reads;
    std::vector<observe::MetricPeriod> out;
    for (const auto& [start, value] : values) {
      if (key.name != "m" || start < begin || start >= end) continue;
      observe::Distribution one;
      one.Add(value);
      out.push_back({start, "None", one});
    }
    return out;
  }
  std::map<Time, double> values;  // by minute
  int reads = 0;
};

class Heard final : public AlarmListener {
 public:
  void OnAlarm(const AlarmNews& one) override { news.push_back(one); }
  std::vector<AlarmNews> news;
};

class AlarmsExecutorTest : public testing::Test {
 protected:
  using Names = std::set<std::string, std::less<>>;

  AlarmsExecutorTest() {
    catalog_.SetChangeListener([this](const catalog::Change& c) { executor_->OnChange(c); });
  }

  // A server's life; what the last one had scheduled dies with it.
  void Make() {
    executor_.reset();
    process_ = std::make_unique<SimProcess>(&queue_);
    executor_ = std::make_unique<AlarmsExecutor>(
        &catalog_, &reader_, [this](const std::function<Task()>& work) { process_->Post(work()); }, process_.get(),
        queue_.clock(), "us-east-1", "000000000000");
    executor_->AddListener(&heard_);
    in_alarm_ = {"not told yet"};
    executor_->OnInAlarm([this](Names names) { in_alarm_ = std::move(names); });
    ASSERT_TRUE(executor_->Start().ok());
  }

  static std::string Request(double threshold) {
    return R"({"AlarmName":"a","Namespace":"n","MetricName":"m","Statistic":"Sum","Period":60,"EvaluationPeriods":1,)"
           R"("ComparisonOperator":"GreaterThanThreshold","AlarmActions":["arn:aws:sns:r:1:t"],"Threshold":)" +
           std::to_string(threshold) + "}";
  }
  void Put(const std::string& request) {
    catalog::Transaction transaction;
    if (!catalog_.GetByUid("u").ok()) {
      catalog::Resource resource;
      resource.kind = catalog::Kind::kAlarm;
      resource.name = "a";
      resource.uid = "u";
      resource.spec = request;
      resource.state = catalog::AlarmState().ToJson();
      transaction.inserts.push_back({resource});
    } else {
      transaction.updates.push_back({.uid = "u", .spec = request});
    }
    catalog_.Commit(std::move(transaction), [](const auto& result) { ASSERT_TRUE(result.ok()); });
  }
  catalog::AlarmState State() { return *catalog::AlarmState::FromJson(catalog_.GetByUid("u")->state); }
  // To so many seconds after the first minute.
  void RunTo(int64_t second) { queue_.RunUntil(kMinute + seconds(second)); }
  void Value(int64_t minute, double value) { reader_.values[kMinute + std::chrono::minutes(minute)] = value; }

  const Time kMinute = FromUnixSeconds(1'700'000'040);
  SimQueue queue_{FromUnixSeconds(1'700'000'040)};
  std::unique_ptr<SimProcess> process_;
  StoreCatalog catalog_;
  OneMetric reader_;
  Heard heard_;
  Names in_alarm_;
  std::unique_ptr<AlarmsExecutor> executor_;
};

TEST_F(AlarmsExecutorTest, AnAlarmIsLookedAtOnceItIsMadeAndThenEachPeriod) {
  Make();
  Value(-1, 10);
  RunTo(5);
  Put(Request(5));
  RunTo(6);
  EXPECT_EQ(State().value, "ALARM");
  EXPECT_EQ(in_alarm_, Names{"a"});
  ASSERT_EQ(heard_.news.size(), 1U);
  EXPECT_EQ(heard_.news[0].old_state, "INSUFFICIENT_DATA");
  EXPECT_EQ(heard_.news[0].actions, std::vector<std::string>{"arn:aws:sns:r:1:t"});
  EXPECT_EQ(heard_.news[0].value, 10);
  Value(0, 20);
  RunTo(61);
  EXPECT_EQ(heard_.news.size(), 1U) << "the minute has not settled yet";
  RunTo(63);
  ASSERT_EQ(heard_.news.size(), 2U);
  EXPECT_FALSE(heard_.news[1].changed());
  EXPECT_EQ(heard_.news[1].value, 20);
  Value(1, 1);
  RunTo(123);
  EXPECT_EQ(State().value, "OK");
  ASSERT_EQ(heard_.news.size(), 3U);
  EXPECT_EQ(heard_.news[2].state, "OK");
  EXPECT_TRUE(in_alarm_.empty());
  Value(2, 1);
  RunTo(183);
  EXPECT_EQ(heard_.news.size(), 3U) << "an alarm that stays OK is no news";
}

TEST_F(AlarmsExecutorTest, OnlyChangesAreWritten) {
  Make();
  for (int64_t minute = -1; minute < 60; ++minute) Value(minute, 1);
  Put(Request(5));
  RunTo(3000);
  EXPECT_EQ(State().value, "OK");
  EXPECT_EQ(catalog_.GetByUid("u")->version, 2U);
  EXPECT_GT(reader_.reads, 45);
  EXPECT_EQ(State().history.back().type, "StateUpdate");
}

TEST_F(AlarmsExecutorTest, AStateThatWasSetStaysUntilTheNextLook) {
  Make();
  for (int64_t minute = -1; minute < 10; ++minute) Value(minute, 1);
  Put(Request(5));
  RunTo(10);
  catalog::AlarmState state = State();
  state.Enter(*catalog::AlarmSpec::FromRequestJson(Request(5)), "ALARM", "somebody said so", "", queue_.Now());
  catalog::Transaction transaction;
  transaction.updates.push_back({.uid = "u", .status = state.value, .state = state.ToJson()});
  catalog_.Commit(std::move(transaction), [](const auto&) {});
  RunTo(50);
  EXPECT_EQ(State().value, "ALARM");
  EXPECT_EQ(in_alarm_, Names{"a"});
  EXPECT_EQ(heard_.news.back().state, "ALARM");
  RunTo(63);
  EXPECT_EQ(State().value, "OK");
}

TEST_F(AlarmsExecutorTest, WhatIsAskedForAnewCountsAtOnce) {
  Make();
  Value(-1, 10);
  RunTo(5);
  Put(Request(5));
  RunTo(6);
  EXPECT_EQ(State().value, "ALARM");
  Put(Request(50));
  RunTo(7);
  EXPECT_EQ(State().value, "OK");
}

TEST_F(AlarmsExecutorTest, AlarmsGoOnAfterARestartAndEndWhenDeleted) {
  Make();
  Value(-1, 10);
  RunTo(5);
  Put(Request(5));
  RunTo(6);
  Make();
  EXPECT_EQ(in_alarm_, Names{"a"});
  RunTo(7);
  EXPECT_EQ(heard_.news.back().state, "ALARM");
  catalog::Transaction transaction;
  transaction.removes.push_back({"u", 0});
  catalog_.Commit(std::move(transaction), [](const auto&) {});
  RunTo(8);
  const int reads = reader_.reads;
  RunTo(600);
  EXPECT_EQ(reader_.reads, reads);
  EXPECT_TRUE(in_alarm_.empty());
}

}  // namespace
}  // namespace argosy::control
