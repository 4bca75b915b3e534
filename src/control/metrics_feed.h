// What the platform counts, as the metrics that SageMaker publishes: requests of endpoints' variants by the second,
// what the processes of instances hold every ten seconds, the metrics that training jobs report.
//
// Names, dimensions and units are those of "Monitor SageMaker with CloudWatch" in its developer guide
// (docs/guides/metrics.md lists them). Lives on the control thread; an answer of compute that comes after
// its end is let be.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/scheduler.h"
#include "compute/compute.h"
#include "observe/metrics.h"
#include "serving/load.h"

namespace argosy::control {

inline constexpr Duration kUsePeriod = std::chrono::seconds(10);  // between looks at instances' processes

class MetricsFeed {
 public:
  // `instances_of` says how many instances answer for a variant at present.
  using InstancesOf = std::function<size_t(const serving::VariantName&)>;
  MetricsFeed(observe::MetricSink* sink, compute::Compute* compute, Scheduler* scheduler, const Clock* clock,
              InstancesOf instances_of);
  ~MetricsFeed();
  MetricsFeed(const MetricsFeed&) = delete;
  MetricsFeed& operator=(const MetricsFeed&) = delete;

  // Looks at instances from now on.
  void Start();

  // A piece of a second's counts, as LoadBook tells it.
  void OnLoad(const serving::VariantName& name, int64_t second, const serving::VariantCounts& counts);

  // The newest report of a job's first host.
  void OnReport(const std::string& job_name, const protocol::Report& report);
  // The job has ended.
  void Forget(const std::string& job_name);

  // Told of each look. Before Start.
  void OnLook(std::function<void(const std::vector<compute::InstanceUse>&)> listener) {
    listener_ = std::move(listener);
  }

 private:
  struct Seen {
    Duration cpu{};
    Duration at{};  // monotonic
  };

  void Look();
  void OnUses(const std::vector<compute::InstanceUse>& uses);
  void RecordUse(const compute::InstanceUse& use, Duration at);

  observe::MetricSink* sink_;
  compute::Compute* compute_;
  Scheduler* scheduler_;
  const Clock* clock_;
  InstancesOf instances_of_;
  std::map<std::string, Seen> seen_;                         // by instance
  std::map<std::string, std::map<std::string, Time>> told_;  // by job and metric: the newest value recorded
  std::function<void(const std::vector<compute::InstanceUse>&)> listener_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace argosy::control
