#include "api/sagemaker/search_record.h"

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/sagemaker/descriptions.h"
#include "catalog/endpoint.h"
#include "catalog/json_fields.h"
#include "catalog/visit.h"

namespace argosy::api::sagemaker {
namespace {

using catalog::Kind;

Shape TagsRecord() {
  return List(Structure({Optional("Key", String()), Optional("Value", String())}));
}

// Members of the Create request under their names there.
void AppendSent(const Shape& request, const std::set<std::string_view>& names, std::vector<Member>& members) {
  for (const Member& member : request.members) {
    if (names.contains(member.name)) members.push_back(member);
  }
}

Shape TrainingJobRecord(const Context& context) {
  std::vector<Member> members = {
      Optional("TrainingJobName", String()),
      Optional("TrainingJobArn", String()),
      Optional("TuningJobArn", String()),
      Optional("LabelingJobArn", String()),
      Optional("AutoMLJobArn", String()),
      Optional("ModelArtifacts", Structure({Optional("S3ModelArtifacts", String())})),
      Optional("TrainingJobStatus", String()),
      Optional("SecondaryStatus", String()),
      Optional("FailureReason", String()),
      Optional("WarmPoolStatus", Document()),
      Optional("CreationTime", Timestamp()),
      Optional("TrainingStartTime", Timestamp()),
      Optional("TrainingEndTime", Timestamp()),
      Optional("LastModifiedTime", Timestamp()),
      Optional("SecondaryStatusTransitions",
               List(Structure({Optional("Status", String()), Optional("StartTime", Timestamp()),
                               Optional("EndTime", Timestamp()), Optional("StatusMessage", String())}))),
      Optional("FinalMetricDataList", List(Structure({Optional("MetricName", String()), Optional("Value", Double()),
                                                      Optional("Timestamp", Timestamp())}))),
      Optional("TrainingTimeInSeconds", Integer()),
      Optional("BillableTimeInSeconds", Integer()),
      Optional("DebugRuleEvaluationStatuses", Document()),
      Optional("OutputModelPackageArn", String()),
      Optional("Tags", TagsRecord()),
  };
  AppendSent(CreateTrainingJobInput(context),
             {"HyperParameters",
              "AlgorithmSpecification",
              "RoleArn",
              "InputDataConfig",
              "OutputDataConfig",
              "ResourceConfig",
              "VpcConfig",
              "StoppingCondition",
              "EnableNetworkIsolation",
              "EnableInterContainerTrafficEncryption",
              "EnableManagedSpotTraining",
              "CheckpointConfig",
              "DebugHookConfig",
              "ExperimentConfig",
              "DebugRuleConfigurations",
              "TensorBoardOutputConfig",
              "ModelPackageConfig",
              "ProfilerConfig",
              "Environment",
              "RetryStrategy"},
             members);
  return Structure(std::move(members));
}

// SageMaker's record of a model is that of its dashboard, {"Model": …, "Endpoints": …}; properties of the model itself
// may be named without "Model." too.
Shape ModelRecord() {
  std::vector<Member> members = {
      Optional("ModelArn", String()),
      Optional("CreationTime", Timestamp()),
      Optional("DeploymentRecommendation", Document()),
      Optional("Tags", TagsRecord()),
  };
  AppendSent(CreateModelInput(),
             {"ModelName", "PrimaryContainer", "Containers", "InferenceExecutionConfig", "ExecutionRoleArn",
              "VpcConfig", "EnableNetworkIsolation"},
             members);
  Shape model = Structure(members);
  members.push_back(Optional("Model", std::move(model)));
  members.push_back(Optional(
      "Endpoints", List(Structure({Optional("EndpointName", String()), Optional("EndpointArn", String()),
                                   Optional("CreationTime", Timestamp()), Optional("LastModifiedTime", Timestamp()),
                                   Optional("EndpointStatus", String())}))));
  members.push_back(Optional("LastBatchTransformJob", Document()));
  members.push_back(Optional("MonitoringSchedules", Document()));
  members.push_back(Optional("ModelCard", Document()));
  return Structure(std::move(members));
}

Shape EndpointRecord() {
  Shape variant = Structure({
      Optional("VariantName", String()),
      Optional("DeployedImages",
               List(Structure({Optional("SpecifiedImage", String()), Optional("ResolvedImage", String()),
                               Optional("ResolutionTime", Timestamp())}))),
      Optional("CurrentWeight", Double()),
      Optional("DesiredWeight", Double()),
      Optional("CurrentInstanceCount", Integer()),
      Optional("DesiredInstanceCount", Integer()),
      Optional("InstancePools", Document()),
      Optional("VariantStatus", List(Structure({Optional("Status", String()), Optional("StatusMessage", String()),
                                                Optional("StartTime", Timestamp())}))),
      Optional("CurrentServerlessConfig", Document()),
      Optional("DesiredServerlessConfig", Document()),
      Optional("ManagedInstanceScaling", Document()),
      Optional("RoutingConfig", Structure({Optional("RoutingStrategy", String())})),
      Optional("CapacityReservationConfig", Document()),
  });
  return Structure({
      Optional("EndpointName", String()),
      Optional("EndpointArn", String()),
      Optional("EndpointConfigName", String()),
      Optional("ProductionVariants", List(std::move(variant))),
      Optional("DataCaptureConfig",
               Structure({Optional("EnableCapture", Boolean()), Optional("CaptureStatus", String()),
                          Optional("CurrentSamplingPercentage", Integer()), Optional("DestinationS3Uri", String()),
                          Optional("KmsKeyId", String())})),
      Optional("EndpointStatus", String()),
      Optional("FailureReason", String()),
      Optional("CreationTime", Timestamp()),
      Optional("LastModifiedTime", Timestamp()),
      Optional("MonitoringSchedules", Document()),
      Optional("Tags", TagsRecord()),
      Optional("ShadowProductionVariants", Document()),
  });
}

// What Describe answers has more members than a record.
Json OnlyMembers(const Shape& shape, Json described) {
  Json record = Json::object();
  for (const Member& member : shape.members) {
    const auto found = described.find(member.name);
    if (found != described.end()) record[member.name] = std::move(*found);
  }
  return record;
}

using EndpointsOfModels = std::map<std::string, Json>;

Result<EndpointsOfModels> FindEndpoints(const Context& context) {
  EndpointsOfModels endpoints;
  Status status;
  const Status visited =
      catalog::Visit(*context.deps.catalog, {.kind = Kind::kEndpoint}, [&](const catalog::Resource& resource) {
        const Result<catalog::EndpointState> state = catalog::EndpointState::FromJson(resource.state);
        if (!state.ok()) status = state.error().Wrap("state of endpoint '" + resource.name + "'");
        if (!state.ok() || !state->current) return state.ok();
        std::set<std::string> models;  // several variants may have the same
        for (const catalog::VariantPlan& plan : state->current->variants) models.insert(plan.model.model_name);
        for (const std::string& model : models) {
          Json& list = endpoints.try_emplace(model, Json::array()).first->second;
          list.push_back({{"EndpointName", resource.name},
                          {"EndpointArn", context.Arn(Kind::kEndpoint, resource.name)},
                          {"CreationTime", Seconds(resource.created)},
                          {"LastModifiedTime", Seconds(resource.modified)},
                          {"EndpointStatus", resource.status}});
        }
        return true;
      });
  if (!visited.ok()) return visited.error();
  if (!status.ok()) return status.error();
  return endpoints;
}

Result<Json> ReadModel(const Context& context, const RecordKind& kind, const EndpointsOfModels& endpoints,
                       const catalog::Resource& resource) {
  Result<Json> described = DescribeModel(context, resource);
  if (!described.ok()) return described;
  (*described)["Tags"] = TagsJson(resource.tags);
  Json record = OnlyMembers(kind.shape, std::move(*described));
  Json model = record;
  record["Model"] = std::move(model);
  const auto found = endpoints.find(resource.name);
  if (found != endpoints.end()) record["Endpoints"] = found->second;
  return record;
}

}  // namespace

std::vector<RecordKind> RecordKinds(const Context& context) {
  return {{"TrainingJob", Kind::kTrainingJob, TrainingJobRecord(context)},
          {"Model", Kind::kModel, ModelRecord()},
          {"Endpoint", Kind::kEndpoint, EndpointRecord()}};
}

std::vector<std::string> OtherSearchedResources() {
  return {"Experiment",
          "ExperimentTrial",
          "ExperimentTrialComponent",
          "ModelPackage",
          "ModelPackageGroup",
          "Pipeline",
          "PipelineExecution",
          "FeatureGroup",
          "FeatureMetadata",
          "Image",
          "ImageVersion",
          "Project",
          "HyperParameterTuningJob",
          "ModelCard",
          "PipelineVersion"};
}

Result<RecordReader> MakeRecordReader(const Context& context, const RecordKind& kind) {
  if (kind.kind == Kind::kModel) {
    Result<EndpointsOfModels> endpoints = FindEndpoints(context);
    if (!endpoints.ok()) return endpoints.error();
    return RecordReader([&context, &kind, endpoints = std::move(*endpoints)](const catalog::Resource& resource) {
      return ReadModel(context, kind, endpoints, resource);
    });
  }
  return RecordReader([&context, &kind](const catalog::Resource& resource) -> Result<Json> {
    Result<Json> described =
        kind.kind == Kind::kEndpoint ? DescribeEndpoint(context, resource) : DescribeTrainingJob(context, resource);
    if (!described.ok()) return described;
    (*described)["Tags"] = TagsJson(resource.tags);
    return OnlyMembers(kind.shape, std::move(*described));
  });
}

Json SearchResult(const RecordKind& kind, Json record) {
  if (kind.kind != Kind::kModel) return {{std::string(kind.name), std::move(record)}};
  Json dashboard = {{"Model", std::move(record["Model"])}};
  if (record.contains("Endpoints")) dashboard["Endpoints"] = std::move(record["Endpoints"]);
  return {{std::string(kind.name), std::move(dashboard)}};
}

}  // namespace argosy::api::sagemaker
