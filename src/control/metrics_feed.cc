#include "control/metrics_feed.h"

#include <algorithm>
#include <utility>

#include "catalog/training_job.h"

namespace argosy::control {
namespace {

using observe::Distribution;
using observe::MetricKey;

constexpr const char* kInvocationSpace = "AWS/SageMaker";
constexpr const char* kEndpointSpace = "/aws/sagemaker/Endpoints";
constexpr const char* kTrainingSpace = "/aws/sagemaker/TrainingJobs";
constexpr const char* kNoUnit = "None";
constexpr const char* kMicroseconds = "Microseconds";
constexpr const char* kPercent = "Percent";

// One value for each request: 1 for those that count, 0 for the others.
Distribution Marks(uint64_t marked, uint64_t all) {
  Distribution out;
  out.Add(1, marked);
  out.Add(0, all - std::min(all, marked));
  return out;
}

Distribution Alike(double value, uint64_t times) {
  Distribution out;
  out.Add(value, times);
  return out;
}

MetricKey VariantKey(const char* name_space, const char* metric, const std::string& endpoint,
                     const std::string& variant) {
  return {name_space, metric, {{"EndpointName", endpoint}, {"VariantName", variant}}};
}

}  // namespace

MetricsFeed::MetricsFeed(observe::MetricSink* sink, compute::Compute* compute, Scheduler* scheduler, const Clock* clock,
                         InstancesOf instances_of)
    : sink_(sink), compute_(compute), scheduler_(scheduler), clock_(clock), instances_of_(std::move(instances_of)) {}

MetricsFeed::~MetricsFeed() {
  *alive_ = false;
}

void MetricsFeed::Start() {
  Look();
}

void MetricsFeed::OnLoad(const serving::VariantName& name, int64_t second, const serving::VariantCounts& counts) {
  const Time at{std::chrono::seconds(second)};
  const auto record = [&](const char* metric, const char* unit, const Distribution& values) {
    sink_->Record(VariantKey(kInvocationSpace, metric, name.endpoint, name.variant), at, unit, values);
  };
  if (const uint64_t all = counts.invocations; all != 0) {
    record("Invocations", kNoUnit, Alike(1, all));
    // A variant that has none just now still had one for each request that it answered.
    const size_t instances = std::max<size_t>(instances_of_(name), 1);
    record("InvocationsPerInstance", kNoUnit, Alike(1 / static_cast<double>(instances), all));
    record("Invocation4XXErrors", kNoUnit, Marks(counts.errors_4xx, all));
    record("Invocation5XXErrors", kNoUnit, Marks(counts.errors_5xx, all));
    // Without those that never came to a model.
    record("InvocationModelErrors", kNoUnit,
           Marks(counts.errors_4xx + counts.errors_5xx - std::min(counts.errors_5xx, counts.refused_busy), all));
  }
  if (counts.concurrent_max != 0) {
    record("ConcurrentRequestsPerModel", kNoUnit, Alike(static_cast<double>(counts.concurrent_max), 1));
  }
  record("ModelLatency", kMicroseconds, counts.model_microseconds);
  record("OverheadLatency", kMicroseconds, counts.overhead_microseconds);
}

void MetricsFeed::OnReport(const std::string& job_name, const protocol::Report& report) {
  std::map<std::string, Time>& told = told_[job_name];
  for (const protocol::MetricValue& metric : report.metrics) {
    const auto [at, fresh] = told.try_emplace(metric.name, metric.timestamp);
    if (!fresh && at->second >= metric.timestamp) continue;
    at->second = metric.timestamp;
    sink_->Record({kTrainingSpace, metric.name, {{"TrainingJobName", job_name}}}, metric.timestamp, kNoUnit,
                  Alike(metric.value, 1));
  }
}

void MetricsFeed::Forget(const std::string& job_name) {
  told_.erase(job_name);
}

void MetricsFeed::Look() {
  compute_->Measure([this, alive = alive_](const std::vector<compute::InstanceUse>& uses) {
    if (*alive) OnUses(uses);
  });
  scheduler_->After(kUsePeriod, [this, alive = alive_] {
    if (*alive) Look();
  });
}

void MetricsFeed::OnUses(const std::vector<compute::InstanceUse>& uses) {
  const Duration now = clock_->Monotonic();
  std::map<std::string, Seen> seen;
  for (const compute::InstanceUse& use : uses) {
    RecordUse(use, now);
    seen[use.instance_id] = {use.cpu, now};
  }
  seen_ = std::move(seen);
  if (listener_) listener_(uses);
}

void MetricsFeed::RecordUse(const compute::InstanceUse& use, Duration now) {
  const auto record = [&](const char* metric, double percent) {
    const MetricKey key =
        use.role == protocol::Role::kServing
            ? VariantKey(kEndpointSpace, metric, use.name, use.variant)
            : MetricKey{kTrainingSpace, metric, {{"Host", use.name + "/" + catalog::HostName(use.host)}}};
    sink_->Record(key, clock_->Now(), kPercent, Alike(percent, 1));
  };
  const uint64_t memory = use.memory_bytes != 0 ? use.memory_bytes : compute_->GetCapacity().memory_total_bytes;
  if (memory != 0) {
    record("MemoryUtilization", 100 * static_cast<double>(use.resident_bytes) / static_cast<double>(memory));
  }
  const auto before = seen_.find(use.instance_id);
  if (before == seen_.end() || now <= before->second.at) return;
  // Less than before: another process under the same name, or one whose children nobody waited for.
  const Duration spent = std::max(use.cpu - before->second.cpu, Duration::zero());
  record("CPUUtilization",
         100 * static_cast<double>(spent.count()) / static_cast<double>((now - before->second.at).count()));
}

}  // namespace argosy::control
