#include "control/metrics_feed.h"

#include <gtest/gtest.h>

#include "base/sim_scheduler.h"

namespace argosy::control {
namespace {

using std::chrono::seconds;

class Kept final : public observe::MetricSink {
 public:
  void Record(const observe::MetricKey& key, Time at, const std::string& unit,
              const observe::Distribution& values) override {
    if (values.count() == 0) return;
    all[key].Merge(values);
    units[key.name] = unit;
    last = at;
  }
  std::map<observe::MetricKey, observe::Distribution> all;
  std::map<std::string, std::string> units;
  Time last{};
};

// Tells what it was set to.
class Measured final : public compute::Compute {
 public:
  void SetListener(std::function<void(const std::string&)>) override {}
  void Adopt(const std::vector<std::string>&, const std::set<std::string>&) override {}
  Status Start(const compute::InstanceRequest&) override { return {}; }
  void Send(const std::string&, const protocol::Command&) override {}
  void Kill(const std::string&) override {}
  void Forget(const std::string&) override {}
  std::optional<compute::InstanceView> View(const std::string&) const override { return std::nullopt; }
  compute::Capacity GetCapacity() const override { return {.memory_total_bytes = 1000}; }
  void Measure(std::function<void(std::vector<compute::InstanceUse>)> done) override { done(uses); }
  std::vector<compute::InstanceUse> uses;
};

class MetricsFeedTest : public testing::Test {
 protected:
  const observe::Distribution& Of(const char* metric) {
    return kept_.all[{"AWS/SageMaker", metric, {{"EndpointName", "e"}, {"VariantName", "v"}}}];
  }
  observe::Distribution& Host(const char* metric) {
    return kept_.all[{"/aws/sagemaker/TrainingJobs", metric, {{"Host", "job/algo-2"}}}];
  }

  SimQueue queue_{FromUnixSeconds(1'700'000'000)};
  SimProcess process_{&queue_};
  Kept kept_;
  Measured compute_;
  size_t instances_ = 4;
  MetricsFeed feed_{&kept_, &compute_, &process_, queue_.clock(),
                    [this](const serving::VariantName&) { return instances_; }};
};

TEST_F(MetricsFeedTest, CountsOfASecondBecomeTheServicesMetrics) {
  serving::VariantCounts counts;
  counts.invocations = 10;
  counts.errors_4xx = 2;
  counts.errors_5xx = 3;
  counts.refused_busy = 1;
  counts.concurrent_max = 7;
  counts.model_microseconds.Add(250, 7);
  counts.overhead_microseconds.Add(40, 7);
  feed_.OnLoad({"e", "v"}, 1'700'000'005, counts);
  EXPECT_EQ(kept_.last, FromUnixSeconds(1'700'000'005));
  const struct {
    const char* metric;
    double sum;
    uint64_t count;
    const char* unit;
  } rows[] = {{"Invocations", 10, 10, "None"},           {"InvocationsPerInstance", 2.5, 10, "None"},
              {"Invocation4XXErrors", 2, 10, "None"},    {"Invocation5XXErrors", 3, 10, "None"},
              {"InvocationModelErrors", 4, 10, "None"},  {"ConcurrentRequestsPerModel", 7, 1, "None"},
              {"ModelLatency", 1750, 7, "Microseconds"}, {"OverheadLatency", 280, 7, "Microseconds"}};
  for (const auto& row : rows) {
    EXPECT_DOUBLE_EQ(Of(row.metric).sum(), row.sum) << row.metric;
    EXPECT_EQ(Of(row.metric).count(), row.count) << row.metric;
    EXPECT_EQ(kept_.units[row.metric], row.unit) << row.metric;
  }
}

TEST_F(MetricsFeedTest, ASecondWithoutAnEndedRequestHasOnlyItsConcurrency) {
  serving::VariantCounts counts;
  counts.concurrent_max = 2;
  instances_ = 0;
  feed_.OnLoad({"e", "v"}, 1'700'000'005, counts);
  EXPECT_EQ(kept_.all.size(), 1U);
  counts.invocations = 3;
  feed_.OnLoad({"e", "v"}, 1'700'000'006, counts);
  EXPECT_EQ(Of("InvocationsPerInstance").sum(), 3);
}

TEST_F(MetricsFeedTest, WhatInstancesHoldIsAShareOfTimeAndMemory) {
  compute::InstanceUse use{.instance_id = "i",
                           .role = protocol::Role::kTraining,
                           .name = "job",
                           .host = 1,
                           .cpu = seconds(100),
                           .resident_bytes = 250};
  compute_.uses = {use};
  int looks = 0;
  feed_.OnLook([&](const std::vector<compute::InstanceUse>& uses) { looks += static_cast<int>(uses.size()); });
  feed_.Start();
  EXPECT_EQ(Host("MemoryUtilization").sum(), 25) << "of the machine's, since it has no limit";
  EXPECT_EQ(Host("CPUUtilization").count(), 0U) << "nothing to compare with yet";
  compute_.uses[0].cpu = seconds(115);
  compute_.uses[0].memory_bytes = 500;
  queue_.RunUntil(queue_.Now() + seconds(15));
  EXPECT_EQ(Host("CPUUtilization").sum(), 150) << "fifteen seconds of ten: a core and a half";
  EXPECT_EQ(Host("MemoryUtilization").max(), 50);
  EXPECT_EQ(kept_.units["CPUUtilization"], "Percent");
  compute_.uses[0].cpu = seconds(1);
  queue_.RunUntil(queue_.Now() + seconds(10));
  EXPECT_EQ(Host("CPUUtilization").min(), 0);
  EXPECT_EQ(looks, 3);
}

TEST_F(MetricsFeedTest, EachReportedValueIsRecordedOnce) {
  protocol::Report report;
  report.metrics = {{"train:loss", 0.5, FromUnixSeconds(1'700'000'001)}};
  feed_.OnReport("job", report);
  feed_.OnReport("job", report);
  report.metrics = {{"train:loss", 0.25, FromUnixSeconds(1'700'000'002)}};
  feed_.OnReport("job", report);
  const auto& values = kept_.all[{"/aws/sagemaker/TrainingJobs", "train:loss", {{"TrainingJobName", "job"}}}];
  EXPECT_EQ(values.count(), 2U);
  EXPECT_EQ(values.sum(), 0.75);
}

}  // namespace
}  // namespace argosy::control
