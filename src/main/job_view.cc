#include "main/job_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "cost/instance_types.h"
#include "main/format.h"
#include "main/json_access.h"

namespace argosy::main {

JobView ReadJob(const Json& described) {
  JobView job;
  job.name = TextAt(described, "TrainingJobName");
  job.status = TextAt(described, "TrainingJobStatus");
  job.secondary_status = TextAt(described, "SecondaryStatus");
  job.failure_reason = TextAt(described, "FailureReason");
  // The service names the place of the artifact of every job, also where nothing will ever be.
  if (job.status != "Failed") job.artifact = TextAt(ObjectAt(described, "ModelArtifacts"), "S3ModelArtifacts");
  job.image = TextAt(ObjectAt(described, "AlgorithmSpecification"), "TrainingImage");
  job.maker = MakerAt(described);
  const Json& resources = ObjectAt(described, "ResourceConfig");
  job.instance_type = TextAt(resources, "InstanceType");
  job.instance_count = static_cast<int64_t>(NumberAt(resources, "InstanceCount").value_or(1));
  job.created = TimeAt(described, "CreationTime");
  job.training_start = TimeAt(described, "TrainingStartTime");
  job.training_end = TimeAt(described, "TrainingEndTime");
  job.billable_seconds = static_cast<int64_t>(NumberAt(described, "BillableTimeInSeconds").value_or(0));
  const Json& transitions = ArrayAt(described, "SecondaryStatusTransitions");
  if (!transitions.empty()) job.message = TextAt(transitions.back(), "StatusMessage");
  for (const Json& metric : ArrayAt(described, "FinalMetricDataList")) {
    job.metrics.emplace_back(TextAt(metric, "MetricName"), NumberAt(metric, "Value").value_or(0));
  }
  return job;
}

std::optional<int64_t> JobCost(const JobView& job) {
  const std::optional<cost::InstanceType> type = cost::FindInstanceType(job.instance_type);
  if (!type) return std::nullopt;
  return cost::CostOf(*type, job.billable_seconds, job.instance_count);
}

std::map<std::string, double> MetricsInLogLine(std::string_view line) {
  std::map<std::string, double> metrics;
  const size_t mark = line.find("#quality_metric:");
  if (mark == std::string_view::npos) return metrics;
  std::string_view rest = line.substr(mark + 16);
  // host=algo-1, epoch=3, train binary_classification_cross_entropy_objective <loss>=0.12
  while (!rest.empty()) {
    const size_t comma = rest.find(", ");
    const std::string_view part = Trim(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 2);
    const size_t equals = part.rfind('=');
    if (equals == std::string_view::npos) continue;
    const std::optional<double> value = ParseDouble(Trim(part.substr(equals + 1)));
    if (!value) continue;
    std::string name(Trim(part.substr(0, equals)));
    // "train some_objective <loss>" is the channel and what it measures.
    if (const size_t bracket = name.find('<'); bracket != std::string::npos && name.back() == '>') {
      const std::string kind = name.substr(bracket + 1, name.size() - bracket - 2);
      const size_t blank = name.find(' ');
      if (kind == "loss") name = name.substr(0, blank) + " loss";
      if (kind != "loss") name = std::string(Trim(std::string_view(name).substr(0, bracket)));
    }
    metrics[name] = *value;
  }
  return metrics;
}

std::string RenderJobEnd(const JobView& job, size_t width) {
  std::string out;
  if (!job.metrics.empty()) {
    Table metrics({{"METRIC"}, {"VALUE", Align::kRight}});
    for (const auto& [name, value] : job.metrics) metrics.Add({name, FormatNumber(value)});
    out += metrics.Render(width) + "\n";
  }
  Table facts({{"JOB"}, {job.name, Align::kLeft, TooLong::kWrap}});
  facts.Add({"status", job.status == job.secondary_status ? job.status : job.status + ", " + job.secondary_status});
  if (!job.maker.empty()) facts.Add({"made by", job.maker});
  if (!job.failure_reason.empty()) facts.Add({"reason", job.failure_reason});
  if (job.created && job.training_end) facts.Add({"took", FormatDuration(*job.training_end - *job.created)});
  if (job.training_start) {
    const std::optional<int64_t> cost = JobCost(job);
    facts.Add({"billed", fmt::format("{} s of {} × {}{}", job.billable_seconds, job.instance_count, job.instance_type,
                                     cost ? ", " + FormatNanoDollars(*cost) : "")});
  }
  if (!job.artifact.empty()) facts.Add({"artifact", job.artifact});
  return out + facts.Render(width);
}

Json JobJson(const Json& described) {
  Json json = described;
  if (const std::optional<int64_t> cost = JobCost(ReadJob(described))) {
    json["ArgosyCostInDollars"] = static_cast<double>(*cost) * 1e-9;
  }
  return json;
}

}  // namespace argosy::main
