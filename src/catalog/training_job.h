// A training job: what was asked, what is so, and the table of its states.
//
// Names, states and times are SageMaker's (API reference: CreateTrainingJob, DescribeTrainingJob).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace argosy::catalog {

struct ChannelSpec {
  std::string name;
  std::string content_type;  // "" = none sent
  std::string compression;   // "" or "None", "Gzip"
  std::string input_mode;    // "" = the job's
  std::string s3_data_type;  // S3Prefix, ManifestFile
  std::string s3_uri;
  std::string distribution;  // FullyReplicated, ShardedByS3Key
};

struct MetricDefinition {
  std::string name;
  std::string regex;
};

struct TrainingJobSpec {
  std::string job_name;
  std::string role_arn;
  std::string training_image;
  std::string input_mode;
  std::map<std::string, std::string> hyperparameters;
  std::vector<ChannelSpec> channels;
  std::vector<MetricDefinition> metric_definitions;
  std::string output_path;         // s3://bucket/prefix
  std::string output_compression;  // GZIP (default), NONE
  std::string checkpoint_uri;      // s3://bucket/prefix; empty: the job keeps no checkpoints
  std::string checkpoint_path;     // where a container sees them
  std::string instance_type;
  uint32_t instance_count = 1;
  int64_t max_runtime_seconds = 86400;
  uint32_t attempts_max = 10;  // RetryStrategy.MaximumRetryAttempts + 1 when sent
  std::map<std::string, std::string> environment;

  // The request as sent, for what Describe gives back unchanged.
  std::string request_json;

  // `spec` of the resource = the request; reading it back gives the same value. kInvalidArgument when it is none.
  static Result<TrainingJobSpec> FromRequestJson(std::string_view json);
};

// What a job's program calls its host, counted from 0: algo-1, algo-2, …
std::string HostName(uint32_t host);

// The object `name` below a job's checkpoint location, which is a folder, with or without its slash.
std::string CheckpointUri(std::string_view location, std::string_view name);

// How far the present attempt is.
enum class AttemptPhase {
  kNone,        // waiting for capacity
  kAllocated,   // ledger entry open; its instance may exist
  kPublishing,  // its outcome is final and being made visible; never superseded
};

struct StatusTransition {
  std::string status;  // a SecondaryStatus
  Time start{};
  std::optional<Time> end;
  std::string message;
};

struct FinalMetric {
  std::string name;
  double value = 0;
  Time timestamp{};
};

// Where the job ends once publishing is done.
struct JobOutcome {
  std::string status;            // Completed, Failed, Stopped
  std::string secondary_status;  // Completed, Failed, Stopped, MaxRuntimeExceeded
  std::string failure_reason;
  std::string staged_artifact;  // path of model.tar.gz in the attempt's staging area; "" = none
  std::string staged_output;    // path of output.tar.gz; "" = none
};

// Why an attempt ends without an outcome.
struct AttemptLoss {
  std::string reason;
  bool counts = true;  // among the interruptions that a job may have
};

struct TrainingJobState {
  std::string status = "InProgress";  // InProgress, Stopping, Completed, Failed, Stopped
  std::string secondary_status = "Starting";
  std::vector<StatusTransition> transitions;
  std::string status_message;  // shown with the newest transition: what is being waited for
  std::string failure_reason;
  std::string model_artifacts;  // s3:// of model.tar.gz
  std::vector<FinalMetric> final_metrics;

  bool stop_requested = false;
  std::optional<Time> training_start;  // when the first attempt's data download began
  std::optional<Time> training_end;
  int64_t billable_nanos = 0;  // of ended attempts; per instance

  uint32_t attempt = 0;  // number of the present attempt, from 1
  AttemptPhase phase = AttemptPhase::kNone;
  std::string instance_id;            // of the present attempt
  uint32_t interruptions = 0;         // attempts that were lost after they had begun
  bool runtime_exceeded = false;      // stopped because MaxRuntimeInSeconds is over
  std::optional<Time> retry_at;       // not to be tried before
  std::optional<AttemptLoss> loss;    // of the present attempt: one of its hosts is lost, the others are being ended
  std::optional<JobOutcome> outcome;  // set while publishing
  uint32_t publish_failures = 0;      // tries to publish that failed so far

  bool terminal() const { return status == "Completed" || status == "Failed" || status == "Stopped"; }

  // Closes the newest transition and opens one of `secondary`; the same secondary again only changes the message.
  void Enter(std::string secondary, Time at, std::string message);

  static Result<TrainingJobState> FromJson(std::string_view json);
  std::string ToJson() const;
};

// What lists tell of a job, read without the rest of its state.
struct TrainingJobProgress {
  std::string secondary_status;
  std::optional<Time> training_end;

  static Result<TrainingJobProgress> FromStateJson(std::string_view json);
};

// The one table of moves between TrainingJobStatus values: whether a job may go from `from` to `to`.
bool IsAllowedTransition(std::string_view from, std::string_view to);

}  // namespace argosy::catalog
