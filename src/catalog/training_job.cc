#include "catalog/training_job.h"

#include <algorithm>
#include <array>

#include "catalog/json_fields.h"
#include "catalog/json_members.h"

namespace argosy::catalog {
namespace {

constexpr uint32_t kAttemptsDefault = 10;
constexpr std::array<std::string_view, 3> kPhases = {"none", "allocated", "publishing"};

Json TransitionToJson(const StatusTransition& t) {
  Json json = {{"status", t.status}, {"start", ToUnixNanos(t.start)}, {"message", t.message}};
  SetTime(json, "end", t.end);
  return json;
}

JobOutcome OutcomeFromJson(const Json& json) {
  return {.status = TextField(json, "status"),
          .secondary_status = TextField(json, "secondary_status"),
          .failure_reason = TextField(json, "failure_reason"),
          .staged_artifact = TextField(json, "staged_artifact"),
          .staged_output = TextField(json, "staged_output")};
}

ChannelSpec ChannelFromJson(const Json& json) {
  const Json& source = ObjectField(ObjectField(json, "DataSource"), "S3DataSource");
  return {.name = TextField(json, "ChannelName"),
          .content_type = TextField(json, "ContentType"),
          .compression = TextField(json, "CompressionType"),
          .input_mode = TextField(json, "InputMode"),
          .s3_data_type = TextField(source, "S3DataType"),
          .s3_uri = TextField(source, "S3Uri"),
          .distribution = TextField(source, "S3DataDistributionType")};
}

}  // namespace

Result<TrainingJobSpec> TrainingJobSpec::FromRequestJson(std::string_view text) {
  Result<Json> parsed = ParseObject(text, "training job request");
  if (!parsed.ok()) return parsed.error();
  const Json& json = *parsed;
  const Json& algorithm = ObjectField(json, "AlgorithmSpecification");
  const Json& output = ObjectField(json, "OutputDataConfig");
  const Json& resources = ObjectField(json, "ResourceConfig");
  TrainingJobSpec spec;
  spec.job_name = TextField(json, "TrainingJobName");
  spec.role_arn = TextField(json, "RoleArn");
  spec.training_image = TextField(algorithm, "TrainingImage");
  spec.input_mode = TextField(algorithm, "TrainingInputMode", "File");
  spec.hyperparameters = TextMapField(json, "HyperParameters");
  for (const Json& channel : ArrayField(json, "InputDataConfig")) {
    if (channel.is_object()) spec.channels.push_back(ChannelFromJson(channel));
  }
  for (const Json& metric : ArrayField(algorithm, "MetricDefinitions")) {
    if (metric.is_object()) spec.metric_definitions.push_back({TextField(metric, "Name"), TextField(metric, "Regex")});
  }
  spec.output_path = TextField(output, "S3OutputPath");
  spec.output_compression = TextField(output, "CompressionType", "GZIP");
  if (const Json& checkpoint = ObjectField(json, "CheckpointConfig"); !checkpoint.empty()) {
    spec.checkpoint_uri = TextField(checkpoint, "S3Uri");
    spec.checkpoint_path = TextField(checkpoint, "LocalPath", "/opt/ml/checkpoints");
  }
  spec.instance_type = TextField(resources, "InstanceType");
  spec.instance_count =
      static_cast<uint32_t>(std::clamp<int64_t>(IntField(resources, "InstanceCount", 1), 1, 1'000'000));
  spec.max_runtime_seconds = IntField(ObjectField(json, "StoppingCondition"), "MaxRuntimeInSeconds", 86400);
  const int64_t retries = IntField(ObjectField(json, "RetryStrategy"), "MaximumRetryAttempts", kAttemptsDefault - 1);
  spec.attempts_max = static_cast<uint32_t>(std::clamp<int64_t>(retries, 0, 30)) + 1;
  spec.environment = TextMapField(json, "Environment");
  spec.request_json = std::string(text);
  return spec;
}

std::string HostName(uint32_t host) {
  return "algo-" + std::to_string(host + 1);
}

std::string CheckpointUri(std::string_view location, std::string_view name) {
  while (location.ends_with('/')) location.remove_suffix(1);
  return std::string(location) + "/" + std::string(name);
}

void TrainingJobState::Enter(std::string secondary, Time at, std::string message) {
  status_message = message;
  if (!transitions.empty() && transitions.back().status == secondary && !transitions.back().end) {
    transitions.back().message = std::move(message);
    return;
  }
  if (!transitions.empty()) {
    at = std::max(at,
                  transitions.back().start);  // clocks of agent and server may differ; the story does not run backwards
    if (!transitions.back().end) transitions.back().end = at;
  }
  transitions.push_back({secondary, at, std::nullopt, std::move(message)});
  secondary_status = std::move(secondary);
}

Result<TrainingJobState> TrainingJobState::FromJson(std::string_view text) {
  Result<Json> parsed = ParseObject(text, "training job state");
  if (!parsed.ok()) return parsed.error();
  const Json& json = *parsed;
  TrainingJobState state;
  state.status = TextField(json, "status", "InProgress");
  state.secondary_status = TextField(json, "secondary_status", "Starting");
  for (const Json& t : ArrayField(json, "transitions")) {
    state.transitions.push_back(
        {TextField(t, "status"), TimeField(t, "start").value_or(Time{}), TimeField(t, "end"), TextField(t, "message")});
  }
  state.status_message = TextField(json, "status_message");
  state.failure_reason = TextField(json, "failure_reason");
  state.model_artifacts = TextField(json, "model_artifacts");
  for (const Json& m : ArrayField(json, "final_metrics")) {
    state.final_metrics.push_back(
        {TextField(m, "name"), NumberField(m, "value"), TimeField(m, "timestamp").value_or(Time{})});
  }
  state.stop_requested = FlagField(json, "stop_requested");
  state.training_start = TimeField(json, "training_start");
  state.training_end = TimeField(json, "training_end");
  state.billable_nanos = IntField(json, "billable_nanos");
  state.attempt = static_cast<uint32_t>(IntField(json, "attempt"));
  const auto phase = std::find(kPhases.begin(), kPhases.end(), TextField(json, "phase", "none"));
  if (phase == kPhases.end()) return Error(ErrorCode::kCorrupt, "training job state: unknown phase");
  state.phase = static_cast<AttemptPhase>(phase - kPhases.begin());
  state.instance_id = TextField(json, "instance_id");
  state.interruptions = static_cast<uint32_t>(IntField(json, "interruptions"));
  state.runtime_exceeded = FlagField(json, "runtime_exceeded");
  state.retry_at = TimeField(json, "retry_at");
  if (json.contains("loss")) {
    const Json& loss = ObjectField(json, "loss");
    state.loss = AttemptLoss{TextField(loss, "reason"), IntField(loss, "counts", 1) != 0};
  }
  if (json.contains("outcome")) state.outcome = OutcomeFromJson(ObjectField(json, "outcome"));
  state.publish_failures = static_cast<uint32_t>(IntField(json, "publish_failures"));
  return state;
}

Result<TrainingJobProgress> TrainingJobProgress::FromStateJson(std::string_view json) {
  const Result<Json> members = ParseMembers(json, {"secondary_status", "training_end"});
  if (!members.ok()) return members.error().Wrap("training job state");
  return TrainingJobProgress{TextField(*members, "secondary_status", "Starting"), TimeField(*members, "training_end")};
}

std::string TrainingJobState::ToJson() const {
  Json json = {{"status", status}, {"secondary_status", secondary_status}, {"attempt", attempt}};
  for (const StatusTransition& t : transitions) json["transitions"].push_back(TransitionToJson(t));
  for (const FinalMetric& m : final_metrics) {
    json["final_metrics"].push_back({{"name", m.name}, {"value", m.value}, {"timestamp", ToUnixNanos(m.timestamp)}});
  }
  const auto set_text = [&json](const char* name, const std::string& text) {
    if (!text.empty()) json[name] = text;
  };
  set_text("status_message", status_message);
  set_text("failure_reason", failure_reason);
  set_text("model_artifacts", model_artifacts);
  set_text("instance_id", instance_id);
  if (stop_requested) json["stop_requested"] = true;
  if (runtime_exceeded) json["runtime_exceeded"] = true;
  if (interruptions != 0) json["interruptions"] = interruptions;
  if (publish_failures != 0) json["publish_failures"] = publish_failures;
  SetTime(json, "training_start", training_start);
  SetTime(json, "training_end", training_end);
  SetTime(json, "retry_at", retry_at);
  json["billable_nanos"] = billable_nanos;
  json["phase"] = kPhases[static_cast<size_t>(phase)];
  if (loss) json["loss"] = {{"reason", loss->reason}, {"counts", loss->counts ? 1 : 0}};
  if (outcome) {
    json["outcome"] = {{"status", outcome->status},
                       {"secondary_status", outcome->secondary_status},
                       {"failure_reason", outcome->failure_reason},
                       {"staged_artifact", outcome->staged_artifact},
                       {"staged_output", outcome->staged_output}};
  }
  return DumpJson(json);
}

bool IsAllowedTransition(std::string_view from, std::string_view to) {
  static constexpr std::pair<std::string_view, std::string_view> kAllowed[] = {
      {"InProgress", "InProgress"}, {"InProgress", "Stopping"}, {"InProgress", "Completed"}, {"InProgress", "Failed"},
      {"InProgress", "Stopped"},    {"Stopping", "Stopping"},   {"Stopping", "Stopped"},     {"Stopping", "Completed"},
      {"Stopping", "Failed"},       {"Completed", "Completed"}, {"Failed", "Failed"},        {"Stopped", "Stopped"},
  };
  return std::find(std::begin(kAllowed), std::end(kAllowed), std::make_pair(from, to)) != std::end(kAllowed);
}

}  // namespace argosy::catalog
