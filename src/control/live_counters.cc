#include "control/live_counters.h"

#include "catalog/visit.h"

namespace argosy::control {
namespace {

using observe::PrometheusText;
using Type = PrometheusText::Type;

bool GoesOn(const std::string& job_status) {
  return job_status == "InProgress" || job_status == "Stopping";
}

PrometheusText::Labels LabelsOf(const serving::VariantName& name) {
  return {{"endpoint", name.endpoint}, {"variant", name.variant}};
}

}  // namespace

Status LiveCounters::Load(catalog::Catalog& catalog) {
  const std::lock_guard lock(mutex_);
  const auto take = [this](const catalog::Resource& resource) { Take(resource); };
  for (const char* status : {"InProgress", "Stopping"}) {
    const Status read = catalog::VisitAll(catalog, {.kind = catalog::Kind::kTrainingJob, .status = status}, take);
    if (!read.ok()) return read;
  }
  return catalog::VisitAll(catalog, {.kind = catalog::Kind::kAlarm}, take);
}

void LiveCounters::Take(const catalog::Resource& resource) {
  if (resource.kind == catalog::Kind::kAlarm) alarms_[resource.uid] = resource.status;
  if (resource.kind != catalog::Kind::kTrainingJob) return;
  if (GoesOn(resource.status)) {
    jobs_[resource.uid] = resource.status;
  } else if (jobs_.erase(resource.uid) != 0) {
    ++ended_[resource.status];
  }
}

void LiveCounters::OnLoad(const serving::VariantName& name, const serving::VariantCounts& counts) {
  const std::lock_guard lock(mutex_);
  requests_[name].Merge(counts);
}

void LiveCounters::OnUses(const std::vector<compute::InstanceUse>& uses) {
  const std::lock_guard lock(mutex_);
  uses_ = uses;
}

void LiveCounters::OnChange(const catalog::Change& change) {
  const std::lock_guard lock(mutex_);
  for (const catalog::Resource& resource : change.written) Take(resource);
  for (const catalog::Resource& resource : change.removed) {
    alarms_.erase(resource.uid);
    jobs_.erase(resource.uid);
    if (resource.kind != catalog::Kind::kEndpoint) continue;
    std::erase_if(requests_, [&](const auto& entry) { return entry.first.endpoint == resource.name; });
  }
}

void LiveCounters::WriteRequests(PrometheusText& page) const {
  page.Begin("argosy_invocations_total", Type::kCounter, "Requests that ended, however.");
  for (const auto& [name, counts] : requests_) {
    page.Sample(LabelsOf(name), static_cast<double>(counts.invocations));
  }
  page.Begin("argosy_invocation_errors_total", Type::kCounter,
             "Requests that ended with an error: 4xx, 5xx; of the 5xx busy (the queue was full), lost (the instance "
             "went away).");
  for (const auto& [name, counts] : requests_) {
    for (const auto& [kind, count] : {std::pair{"4xx", counts.errors_4xx},
                                      {"5xx", counts.errors_5xx},
                                      {"busy", counts.refused_busy},
                                      {"lost", counts.lost}}) {
      PrometheusText::Labels labels = LabelsOf(name);
      labels.emplace_back("kind", kind);
      page.Sample(labels, static_cast<double>(count));
    }
  }
  page.Begin("argosy_model_latency_seconds", Type::kHistogram, "From the sending to an instance to its answer.");
  for (const auto& [name, counts] : requests_) page.Histogram(LabelsOf(name), counts.model_microseconds);
  page.Begin("argosy_overhead_latency_seconds", Type::kHistogram, "All other time of an answered request.");
  for (const auto& [name, counts] : requests_) page.Histogram(LabelsOf(name), counts.overhead_microseconds);
}

void LiveCounters::WriteUses(PrometheusText& page) const {
  const auto labels = [](const compute::InstanceUse& use) {
    const bool serves = use.role == protocol::Role::kServing;
    return PrometheusText::Labels{
        {"instance", use.instance_id}, {serves ? "endpoint" : "training_job", use.name}, {"variant", use.variant}};
  };
  page.Begin("argosy_instance_cpu_seconds_total", Type::kCounter, "Processor time of an instance's processes.");
  for (const compute::InstanceUse& use : uses_) {
    page.Sample(labels(use), std::chrono::duration<double>(use.cpu).count());
  }
  page.Begin("argosy_instance_resident_bytes", Type::kGauge, "Memory that an instance's processes hold.");
  for (const compute::InstanceUse& use : uses_) page.Sample(labels(use), static_cast<double>(use.resident_bytes));
}

void LiveCounters::WriteStatuses(PrometheusText& page) const {
  const auto write = [&page](const char* label, const std::map<std::string, std::string>& statuses) {
    std::map<std::string, uint64_t> counts;
    for (const auto& [uid, status] : statuses) ++counts[status];
    for (const auto& [status, count] : counts) page.Sample({{label, status}}, static_cast<double>(count));
  };
  page.Begin("argosy_training_jobs", Type::kGauge, "Training jobs that have not ended.");
  write("status", jobs_);
  page.Begin("argosy_training_jobs_ended_total", Type::kCounter, "Training jobs that have ended since the start.");
  for (const auto& [status, count] : ended_) page.Sample({{"status", status}}, static_cast<double>(count));
  page.Begin("argosy_alarms", Type::kGauge, "Alarms by state.");
  write("state", alarms_);
}

void LiveCounters::Write(PrometheusText& page, const std::map<serving::VariantName, size_t>& instances) const {
  page.Begin("argosy_endpoint_instances", Type::kGauge, "Instances that answer for a variant.");
  for (const auto& [name, count] : instances) page.Sample(LabelsOf(name), static_cast<double>(count));
  const std::lock_guard lock(mutex_);
  WriteRequests(page);
  WriteUses(page);
  WriteStatuses(page);
}

}  // namespace argosy::control
