#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/patterns.h"
#include "api/sagemaker/context.h"
#include "api/sagemaker/descriptions.h"
#include "api/sagemaker/families.h"
#include "catalog/json_fields.h"
#include "catalog/training_job.h"

namespace argosy::api::sagemaker {
namespace {

using catalog::ArrayField;
using catalog::Kind;
using catalog::ObjectField;
using catalog::TextField;
using catalog::TrainingJobState;

constexpr int64_t kMaxRuntimeDefaultSeconds = 86400;

ServiceError Missing() {
  return ValidationError("Requested resource not found.");
}

std::optional<ServiceError> CheckCreate(const Context& context, const Json& input) {
  if (auto error = CheckTags(input)) return error;
  if (auto error = CheckImage(context, TextField(ObjectField(input, "AlgorithmSpecification"), "TrainingImage")))
    return error;
  std::set<std::string> names;
  for (const Json& channel : ArrayField(input, "InputDataConfig")) {
    const std::string name = TextField(channel, "ChannelName");
    if (!names.insert(name).second) {
      return ValidationError("Duplicate channel name '" + name + "' in InputDataConfig: channel names must be unique.");
    }
    const Json& source = ObjectField(ObjectField(channel, "DataSource"), "S3DataSource");
    const std::string uri = TextField(source, "S3Uri");
    if (!uri.starts_with("s3://")) {
      return ValidationError(fmt::format("The S3Uri '{}' of channel '{}' must begin with s3://.", uri, name));
    }
    std::string mode = TextField(channel, "InputMode");
    if (mode.empty()) mode = TextField(ObjectField(input, "AlgorithmSpecification"), "TrainingInputMode");
    if (mode == "FastFile" && TextField(source, "S3DataType") != "S3Prefix") {
      return ValidationError("The channel '" + name + "' has InputMode FastFile, which needs S3DataType S3Prefix.");
    }
  }
  const std::string output = TextField(ObjectField(input, "OutputDataConfig"), "S3OutputPath");
  if (!output.starts_with("s3://")) return ValidationError("The S3OutputPath '" + output + "' must begin with s3://.");
  return std::nullopt;
}

void Create(const Context& context, const Call& call, Reply reply) {
  if (auto error = CheckCreate(context, call.input)) return reply(std::move(*error));
  const std::string name = TextField(call.input, "TrainingJobName");
  catalog::Resource resource = context.NewResource(Kind::kTrainingJob, name, call);
  TrainingJobState state;
  state.Enter("Starting", resource.created, "Starting the training job");
  resource.status = state.status;
  resource.state = state.ToJson();
  ServiceError taken{
      400, "ResourceInUse",
      "Training job names must be unique within an AWS account and region, and a training job with this name "
      "already exists (" +
          context.Arn(Kind::kTrainingJob, name) + ")"};
  Insert(context, std::move(resource), "TrainingJobArn", std::move(taken), std::move(reply));
}

// Whole seconds as the service reports them: what has begun counts.
int64_t CeilSeconds(Duration duration) {
  constexpr int64_t kNanos = 1'000'000'000;
  return (std::max<int64_t>(duration.count(), 0) + kNanos - 1) / kNanos;
}

// Where the artifact is, or will be.
std::string ArtifactUri(const Json& sent, const std::string& name) {
  std::string path = TextField(ObjectField(sent, "OutputDataConfig"), "S3OutputPath");
  while (path.ends_with('/')) path.pop_back();
  return path + "/" + name + "/output/model.tar.gz";
}

Json TransitionsJson(const TrainingJobState& state) {
  Json list = Json::array();
  for (const catalog::StatusTransition& transition : state.transitions) {
    Json entry = {
        {"Status", transition.status}, {"StartTime", Seconds(transition.start)}, {"StatusMessage", transition.message}};
    if (transition.end) entry["EndTime"] = Seconds(*transition.end);
    list.push_back(std::move(entry));
  }
  if (!list.empty() && !state.terminal() && !state.status_message.empty())
    list.back()["StatusMessage"] = state.status_message;
  return list;
}

}  // namespace

Result<Json> DescribeTrainingJob(const Context& context, const catalog::Resource& resource) {
  Result<Json> sent = SentRequest(resource);
  if (!sent.ok()) return sent;
  const Result<TrainingJobState> parsed_state = TrainingJobState::FromJson(resource.state);
  if (!parsed_state.ok()) return parsed_state.error().Wrap("state of training job '" + resource.name + "'");
  const TrainingJobState& state = *parsed_state;
  Json& json = *sent;
  json["TrainingJobName"] = resource.name;
  json["TrainingJobArn"] = context.Arn(Kind::kTrainingJob, resource.name);
  json["TrainingJobStatus"] = state.status;
  json["SecondaryStatus"] = state.secondary_status;
  json["SecondaryStatusTransitions"] = TransitionsJson(state);
  json["CreationTime"] = Seconds(resource.created);
  json["LastModifiedTime"] = Seconds(resource.modified);
  json["CreatedBy"] = CreatedBy(resource);
  json["ModelArtifacts"]["S3ModelArtifacts"] =
      state.model_artifacts.empty() ? ArtifactUri(json, resource.name) : state.model_artifacts;
  // Defaults that the service fills in and clients index without asking.
  json["OutputDataConfig"].emplace("KmsKeyId", "");
  json["OutputDataConfig"].emplace("CompressionType", "GZIP");
  if (!json.contains("StoppingCondition")) json["StoppingCondition"] = Json::object();
  json["StoppingCondition"].emplace("MaxRuntimeInSeconds", kMaxRuntimeDefaultSeconds);
  json.emplace("HyperParameters", Json::object());
  for (const char* flag :
       {"EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"}) {
    json.emplace(flag, false);
  }
  Json& algorithm = json["AlgorithmSpecification"];
  algorithm.emplace("EnableSageMakerMetricsTimeSeries", false);
  // A built-in's own, which clients that plot a training go by; not told of hyperparameters that it refuses.
  if (ArrayField(algorithm, "MetricDefinitions").empty()) {
    Json& definitions = algorithm["MetricDefinitions"] = Json::array();
    for (const catalog::MetricDefinition& metric : context.options.builtin_metrics(
             TextField(algorithm, "TrainingImage"), catalog::TextMapField(json, "HyperParameters"))) {
      definitions.push_back({{"Name", metric.name}, {"Regex", metric.regex}});
    }
  }

  if (!state.failure_reason.empty()) json["FailureReason"] = state.failure_reason;
  if (state.training_start) json["TrainingStartTime"] = Seconds(*state.training_start);
  if (state.training_end) json["TrainingEndTime"] = Seconds(*state.training_end);
  if (state.terminal()) {
    const Duration trained =
        state.training_start && state.training_end ? *state.training_end - *state.training_start : Duration{};
    // The model's least value is 1: a job that never trained has neither.
    if (trained > Duration{}) json["TrainingTimeInSeconds"] = CeilSeconds(trained);
    if (state.billable_nanos > 0) json["BillableTimeInSeconds"] = CeilSeconds(Duration(state.billable_nanos));
  }
  if (!state.final_metrics.empty()) {
    Json metrics = Json::array();
    for (const catalog::FinalMetric& metric : state.final_metrics) {
      metrics.push_back(
          {{"MetricName", metric.name}, {"Value", metric.value}, {"Timestamp", Seconds(metric.timestamp)}});
    }
    json["FinalMetricDataList"] = std::move(metrics);
  }
  return sent;
}

namespace {

void Describe(const Context& context, const Call& call, const Reply& reply) {
  const Result<catalog::Resource> resource =
      context.deps.catalog->Get(Kind::kTrainingJob, TextField(call.input, "TrainingJobName"));
  if (!resource.ok()) {
    return reply(resource.error().code() == ErrorCode::kNotFound ? Answer(Missing()) : ErrorAnswer(resource.error()));
  }
  const Result<Json> json = DescribeTrainingJob(context, *resource);
  reply(json.ok() ? JsonAnswer(*json) : ErrorAnswer(json.error()));
}

Json Summary(const Context& context, const catalog::Resource& resource) {
  Json json = {{"TrainingJobName", resource.name},
               {"TrainingJobArn", context.Arn(Kind::kTrainingJob, resource.name)},
               {"CreationTime", Seconds(resource.created)},
               {"LastModifiedTime", Seconds(resource.modified)},
               {"TrainingJobStatus", resource.status}};
  const Result<catalog::TrainingJobProgress> progress = catalog::TrainingJobProgress::FromStateJson(resource.state);
  if (progress.ok()) {
    json["SecondaryStatus"] = progress->secondary_status;
    if (progress->training_end) json["TrainingEndTime"] = Seconds(*progress->training_end);
  }
  return json;
}

std::variant<Decision, Answer> DecideStop(const Context& context, const catalog::Resource& resource) {
  Result<TrainingJobState> state = TrainingJobState::FromJson(resource.state);
  if (!state.ok()) return ErrorAnswer(state.error());
  if (state->terminal()) {
    return Answer(
        ValidationError("The request was rejected because the training job is in status " + state->status + "."));
  }
  if (state->stop_requested) return Answer(std::string());  // asked before: nothing more to do
  const Time now = context.Now();
  state->stop_requested = true;
  state->status = "Stopping";
  state->Enter("Stopping", now, "Stopping the training job");
  Decision decision;
  catalog::Transaction::Update update = UpdateOf(resource, now);
  update.status = state->status;
  update.state = state->ToJson();
  decision.transaction.updates.push_back(std::move(update));
  return decision;
}

// What UpdateTrainingJob may change; nothing else of a job can be.
constexpr const char* kUpdatedMembers[] = {"ProfilerConfig", "ProfilerRuleConfigurations", "ResourceConfig",
                                           "RemoteDebugConfig"};

std::variant<Decision, Answer> DecideUpdate(const Context& context, const Json& input,
                                            const catalog::Resource& resource) {
  const Result<TrainingJobState> state = TrainingJobState::FromJson(resource.state);
  if (!state.ok()) return ErrorAnswer(state.error());
  if (state->status != "InProgress") {
    return Answer(
        ValidationError("The request was rejected because the training job is in status " + state->status + "."));
  }
  const std::string& secondary = state->secondary_status;
  if (input.contains("RemoteDebugConfig") && secondary != "Downloading" && secondary != "Training") {
    return Answer(
        ValidationError("RemoteDebugConfig can be updated while the training job is in secondary status "
                        "Downloading or Training; it is in " +
                        secondary + "."));
  }
  Result<Json> spec = catalog::ParseObject(resource.spec, "stored request of '" + resource.name + "'");
  if (!spec.ok()) return ErrorAnswer(spec.error());
  for (const char* member : kUpdatedMembers) {
    if (!input.contains(member)) continue;
    Json& stored = (*spec)[member];
    if (stored.is_object()) {
      stored.update(input[member]);  // what is not sent stays
    } else {
      stored = input[member];
    }
  }
  Decision decision;
  catalog::Transaction::Update update = UpdateOf(resource, context.Now());
  update.spec = DumpJson(*spec);
  decision.transaction.updates.push_back(std::move(update));
  decision.answer = DumpJson(Json{{"TrainingJobArn", context.Arn(Kind::kTrainingJob, resource.name)}});
  return decision;
}

void Update(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  Json input = call.input;
  for (auto member = input.begin(); member != input.end();) {
    member = member->is_null() ? input.erase(member) : std::next(member);
  }
  const bool changes = std::any_of(std::begin(kUpdatedMembers), std::end(kUpdatedMembers),
                                   [&](const char* member) { return input.contains(member); });
  if (!changes) {
    return reply(
        ValidationError("UpdateTrainingJob needs at least one of ProfilerConfig, ProfilerRuleConfigurations, "
                        "ResourceConfig and RemoteDebugConfig."));
  }
  Change(
      context, Kind::kTrainingJob, TextField(input, "TrainingJobName"), Missing(),
      [context, input](const catalog::Resource& r) { return DecideUpdate(*context, input, r); }, std::move(reply));
}

std::variant<Decision, Answer> DecideDelete(const catalog::Resource& resource) {
  if (resource.status != "Completed" && resource.status != "Failed" && resource.status != "Stopped") {
    return Answer(ServiceError{400, "ResourceInUse",
                               "The request was rejected because the training job is in status " + resource.status +
                                   ". Stop it first; only jobs that have ended can be deleted."});
  }
  Decision decision;
  decision.transaction.removes.push_back({resource.uid, resource.version});
  return decision;
}

Shape JobNameInput() {
  return Structure({Required("TrainingJobName", NameShape(1))});
}

Shape UpdateJobInput() {
  return Structure({
      Required("TrainingJobName", NameShape(1)),
      Optional("ProfilerConfig", Structure({
                                     Optional("S3OutputPath", S3UriShape()),
                                     Optional("ProfilingIntervalInMilliseconds", Long()),
                                     Optional("ProfilingParameters", Document()),
                                     Optional("DisableProfiler", Boolean()),
                                 }))
          .Echoed(),
      Optional("ProfilerRuleConfigurations", List(Document()).Length(0, 20)).Echoed(),
      Optional("ResourceConfig", Structure({Required("KeepAlivePeriodInSeconds", Integer().Range(0, 21600))})).Echoed(),
      Optional("RemoteDebugConfig", Structure({Optional("EnableRemoteDebug", Boolean())})).Echoed(),
  });
}

Shape ListJobsInput() {
  Shape input = ListInput({.sort_by = {"Name", "CreationTime", "Status"},
                           .statuses = {"InProgress", "Completed", "Failed", "Stopping", "Stopped", "Deleting"},
                           .by_modified = true});
  input.members.push_back(
      Optional("WarmPoolStatusEquals", Enum({"Available", "Terminated", "Reused", "InUse"})).Refused("warm pools"));
  input.members.push_back(Optional("TrainingPlanArnEquals", String().Length(50, 2048)).Refused("training plans"));
  return input;
}

}  // namespace

std::vector<Operation> TrainingJobOperations(std::shared_ptr<const Context> context) {
  std::vector<Operation> operations;
  operations.push_back(
      {.name = "CreateTrainingJob",
       .summary = "Submits a training job; it is durable once this answers.",
       .input = CreateTrainingJobInput(*context),
       .run_on = RunOn::kLoop,
       .handle = [context](const Call& call, Reply reply) { Create(*context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "DescribeTrainingJob",
       .summary = "What was asked for and how far the job is.",
       .access = auth::Access::kRead,
       .input = JobNameInput(),
       .handle = [context](const Call& call, const Reply& reply) { Describe(*context, call, reply); }});
  operations.push_back({.name = "ListTrainingJobs",
                        .summary = "Training jobs by name, status and time, in pages.",
                        .access = auth::Access::kRead,
                        .input = ListJobsInput(),
                        .handle = [context](const Call& call, const Reply& reply) {
                          reply(ListAnswer(*context, ListQuery(Kind::kTrainingJob, call.input, ListRules::kOldestFirst),
                                           "TrainingJobSummaries",
                                           [&](const catalog::Resource& r) { return Summary(*context, r); }));
                        }});
  operations.push_back(
      {.name = "UpdateTrainingJob",
       .summary =
           "Changes what is kept of a running job's profiling, warm pool and debugging; nothing of how it trains.",
       .input = UpdateJobInput(),
       .handle = [context](const Call& call, Reply reply) { Update(context, call, std::move(reply)); }});
  operations.push_back({.name = "StopTrainingJob",
                        .summary = "Asks a job to end early and keep its artifact: SIGTERM, 120 s, SIGKILL.",
                        .input = JobNameInput(),
                        .handle = [context](const Call& call, Reply reply) {
                          Change(
                              context, Kind::kTrainingJob, TextField(call.input, "TrainingJobName"), Missing(),
                              [context](const catalog::Resource& r) { return DecideStop(*context, r); },
                              std::move(reply));
                        }});
  operations.push_back({.name = "DeleteTrainingJob",
                        .summary = "Forgets a job that has ended; its name is free again. Its objects and logs stay.",
                        .input = JobNameInput(),
                        .handle = [context](const Call& call, Reply reply) {
                          Change(context, Kind::kTrainingJob, TextField(call.input, "TrainingJobName"), Missing(),
                                 DecideDelete, std::move(reply));
                        }});
  return operations;
}

}  // namespace argosy::api::sagemaker
