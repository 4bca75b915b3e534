#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/patterns.h"
#include "api/sagemaker/context.h"
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

Shape JobNameShape() {
  return NameShape(1);
}

// The built-in algorithms read objects where they lie, in every mode, and never wait for a whole download.
Shape InputModeShape() {
  return Enum({"Pipe", "File", "FastFile"});
}

Shape AlgorithmShape() {
  return Structure({
      // One of image and algorithm is needed; only images are known here.
      Required("TrainingImage", String().AtMost(255).Matching(kLinePattern)),
      Optional("AlgorithmName", String().Length(1, 170)).Refused("algorithm resources; give TrainingImage"),
      // A FastFile channel is the same files, opened instead of copied.
      Required("TrainingInputMode", InputModeShape()),
      Optional("MetricDefinitions", List(Structure({
                                             Required("Name", String().Length(1, 255).Matching(kNonEmptyLinePattern)),
                                             Required("Regex", String().Length(1, 500).Matching(kNonEmptyLinePattern)),
                                         }))
                                        .Length(0, 40)),
      Optional("EnableSageMakerMetricsTimeSeries", Boolean()).Echoed(),
      Optional("ContainerEntrypoint", List(String().AtMost(256)).Length(1, 100)).Refused("programs of the user's own"),
      Optional("ContainerArguments", List(String().AtMost(256)).Length(1, 100)).Refused("programs of the user's own"),
      Optional("TrainingImageConfig", Document()).Echoed(),
  });
}

Shape ChannelShape() {
  Shape s3_source = Structure({
      Required("S3DataType", Enum({"ManifestFile", "S3Prefix", "AugmentedManifestFile", "Converse"}))
          .Only({"S3Prefix", "ManifestFile"}),
      Required("S3Uri", S3UriShape()),
      Optional("S3DataDistributionType", Enum({"FullyReplicated", "ShardedByS3Key"})),
      Optional("AttributeNames", List(String().Length(1, 256)).AtMost(16)).Refused("augmented manifests"),
      Optional("InstanceGroupNames", List(String().Length(1, 64)).AtMost(5)).Refused("instance groups"),
      Optional("ModelAccessConfig", Document()).Refused("model access configurations"),
      Optional("HubAccessConfig", Document()).Refused("hub content"),
  });
  return Structure({
      Required("ChannelName", String().Length(1, 64).Matching(kChannelNamePattern)),
      Required("DataSource", Structure({
                                 Required("S3DataSource", std::move(s3_source)),
                                 Optional("FileSystemDataSource", Document()).Refused("EFS and FSx file systems"),
                                 Optional("DatasetSource", Document()).Refused("hub data sets"),
                             })),
      Optional("ContentType", String().AtMost(256).Matching(kLinePattern)),
      Optional("CompressionType", Enum({"None", "Gzip"})),
      Optional("RecordWrapperType", Enum({"None", "RecordIO"})).Only({"None"}),
      Optional("InputMode", InputModeShape()),
      // Shuffles the order of objects; the built-in algorithms mix rows themselves.
      Optional("ShuffleConfig", Structure({Required("Seed", Long())})).Echoed(),
  });
}

Shape ResourceShape(const std::vector<std::string>& instance_types) {
  return Structure({
      Required("InstanceType", Enum(instance_types)),
      Required("InstanceCount", Integer().AtLeast(1)).UpTo(16, "training on more than 16 hosts"),
      Optional("VolumeSizeInGB", Integer().AtLeast(0)).Echoed(),
      Optional("VolumeKmsKeyId", String().AtMost(2048).Matching(kKmsKeyPattern)).Echoed(),
      Optional("KeepAlivePeriodInSeconds", Integer().Range(0, 21600)).Echoed(),
      Optional("InstanceGroups", Document()).Refused("instance groups"),
      Optional("TrainingPlanArn", String().Length(50, 2048)).Refused("training plans"),
      Optional("InstancePlacementConfig", Document()).Echoed(),
      Optional("InstancePreferences", Document()).Refused("instance preferences"),
  });
}

Shape CreateInput(const Context& context) {
  return Structure({
      Required("TrainingJobName", JobNameShape()),
      Optional("HyperParameters",
               Map(String().AtMost(256).Matching(kLinePattern), String().AtMost(2500).Matching(kLinePattern))
                   .Length(0, 100)),
      Required("AlgorithmSpecification", AlgorithmShape()),
      Required("RoleArn", RoleArnShape()),
      Optional("InputDataConfig", List(ChannelShape()).Length(1, 20)),
      Required("OutputDataConfig", Structure({
                                       Optional("KmsKeyId", String().AtMost(2048).Matching(kKmsKeyPattern)).Echoed(),
                                       Required("S3OutputPath", S3UriShape()),
                                       Optional("CompressionType", Enum({"GZIP", "NONE"})).Only({"GZIP"}),
                                   })),
      Required("ResourceConfig", ResourceShape(context.options.instance_types)),
      Optional("VpcConfig", VpcConfigShape()).Echoed(),
      Optional("StoppingCondition",
               Structure({
                   Optional("MaxRuntimeInSeconds", Integer().AtLeast(1)),
                   Optional("MaxWaitTimeInSeconds", Integer().AtLeast(1)).Refused("managed spot training"),
                   Optional("MaxPendingTimeInSeconds", Integer().Range(1800, 2419200)).Refused("a limit on waiting"),
               })),
      Optional("Tags", TagsShape()),
      Optional("EnableNetworkIsolation", Boolean()).Echoed(),
      Optional("EnableInterContainerTrafficEncryption", Boolean()).Echoed(),
      Optional("EnableManagedSpotTraining", Boolean()).Refused("managed spot training"),
      Optional("CheckpointConfig", Structure({
                                       Required("S3Uri", S3UriShape()),
                                       Optional("LocalPath", String().AtMost(4096).Matching(kLinePattern)),
                                   })),
      // Sent by the SDKs with every job; no built-in algorithm writes tensors or profiles.
      Optional("DebugHookConfig", Document()).Echoed(),
      Optional("DebugRuleConfigurations", Document()).Refused("debugger rules"),
      Optional("TensorBoardOutputConfig", Document()).Echoed(),
      Optional("ExperimentConfig",
               Structure({
                   Optional("ExperimentName", String().Length(1, 120).Matching(kLongNamePattern)),
                   Optional("TrialName", String().Length(1, 120).Matching(kLongNamePattern)),
                   Optional("TrialComponentDisplayName", String().Length(1, 120).Matching(kLongNamePattern)),
                   Optional("RunName", String().Length(1, 120).Matching(kLongNamePattern)),
               }))
          .Echoed(),
      Optional("ProfilerConfig", Document()).Echoed(),
      Optional("ProfilerRuleConfigurations", Document()).Echoed(),
      Optional("Environment",
               Map(String().AtMost(512).Matching(kEnvironmentKeyPattern), String().AtMost(512)).Length(0, 100)),
      Optional("RetryStrategy", Structure({Required("MaximumRetryAttempts", Integer().Range(1, 30))})),
      Optional("RemoteDebugConfig", Document()).Echoed(),
      Optional("InfraCheckConfig", Document()).Echoed(),
      Optional("SessionChainingConfig", Document()).Echoed(),
      Optional("ServerlessJobConfig", Document()).Refused("serverless jobs"),
      Optional("MlflowConfig", Document()).Refused("MLflow tracking"),
      Optional("ModelPackageConfig", Document()).Refused("model packages"),
  });
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

Result<Json> DescribeJob(const Context& context, const catalog::Resource& resource) {
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

void Describe(const Context& context, const Call& call, const Reply& reply) {
  const Result<catalog::Resource> resource =
      context.deps.catalog->Get(Kind::kTrainingJob, TextField(call.input, "TrainingJobName"));
  if (!resource.ok()) {
    return reply(resource.error().code() == ErrorCode::kNotFound ? Answer(Missing()) : ErrorAnswer(resource.error()));
  }
  const Result<Json> json = DescribeJob(context, *resource);
  reply(json.ok() ? JsonAnswer(*json) : ErrorAnswer(json.error()));
}

Json Summary(const Context& context, const catalog::Resource& resource) {
  Json json = {{"TrainingJobName", resource.name},
               {"TrainingJobArn", context.Arn(Kind::kTrainingJob, resource.name)},
               {"CreationTime", Seconds(resource.created)},
               {"LastModifiedTime", Seconds(resource.modified)},
               {"TrainingJobStatus", resource.status}};
  if (const Result<TrainingJobState> state = TrainingJobState::FromJson(resource.state); state.ok()) {
    json["SecondaryStatus"] = state->secondary_status;
    if (state->training_end) json["TrainingEndTime"] = Seconds(*state->training_end);
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
  return Structure({Required("TrainingJobName", JobNameShape())});
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
       .input = CreateInput(*context),
       .run_on = RunOn::kLoop,
       .handle = [context](const Call& call, Reply reply) { Create(*context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "DescribeTrainingJob",
       .summary = "What was asked for and how far the job is.",
       .input = JobNameInput(),
       .handle = [context](const Call& call, const Reply& reply) { Describe(*context, call, reply); }});
  operations.push_back(
      {.name = "ListTrainingJobs",
       .summary = "Training jobs by name, status and time, in pages.",
       .input = ListJobsInput(),
       .handle = [context](const Call& call, const Reply& reply) {
         reply(ListAnswer(*context, ListQuery(Kind::kTrainingJob, call.input, catalog::SortOrder::kAscending),
                          "TrainingJobSummaries", [&](const catalog::Resource& r) { return Summary(*context, r); }));
       }});
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
