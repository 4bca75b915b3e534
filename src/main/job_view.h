// A training job as the verbs show it, read from a DescribeTrainingJob answer and the job's log.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace argosy::main {

struct JobView {
  std::string name;
  std::string status;
  std::string secondary_status;
  std::string message;  // of the newest transition
  std::string failure_reason;
  std::string artifact;  // s3:// of model.tar.gz; empty for a job that failed: it has none
  std::string image;
  std::string maker;  // "vision/alice", "owner"
  std::string instance_type;
  int64_t instance_count = 1;
  std::optional<Time> created, training_start, training_end;
  int64_t billable_seconds = 0;
  std::vector<std::pair<std::string, double>> metrics;  // final ones, as the service lists them

  bool ended() const { return status == "Completed" || status == "Failed" || status == "Stopped"; }
};

JobView ReadJob(const Json& described);

// What the billable seconds cost at the instance type's price, in nano-dollars; nothing for a type without a price.
std::optional<int64_t> JobCost(const JobView& job);

// The metrics in a line of an algorithm's log (`#quality_metric: host=algo-1, epoch=3, train some_objective
// <loss>=0.12`): "train loss", "validation macro_recall", and "epoch" when the line has one. Empty for other lines.
std::map<std::string, double> MetricsInLogLine(std::string_view line);

// The end of a job: metrics, time, cost, artifact.
std::string RenderJobEnd(const JobView& job, size_t width);

// What `--json` prints: the service's own answer, and the cost.
Json JobJson(const Json& described);

}  // namespace argosy::main
