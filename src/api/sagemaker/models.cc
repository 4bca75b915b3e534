#include <nlohmann/json.hpp>
#include <utility>

#include "api/patterns.h"
#include "api/sagemaker/context.h"
#include "api/sagemaker/descriptions.h"
#include "api/sagemaker/families.h"
#include "catalog/endpoint.h"
#include "catalog/json_fields.h"
#include "model/images.h"

namespace argosy::api::sagemaker {
namespace {

using catalog::ArrayField;
using catalog::Kind;
using catalog::ObjectField;
using catalog::TextField;

Shape ModelNameShape() {
  return String().AtMost(63).Matching(kModelNamePattern);
}

Shape ContainerShape() {
  return Structure({
      Optional("ContainerHostname", NameShape()).Echoed(),
      Optional("Image", String().AtMost(255).Matching(kNoSpacePattern)),
      Optional("ImageConfig", Document()).Echoed(),
      Optional("Mode", Enum({"SingleModel", "MultiModel"})).Only({"SingleModel"}),
      Optional("ModelDataUrl", S3UriShape()),
      Optional("ModelDataSource", Document()).Refused("uncompressed models; give ModelDataUrl"),
      Optional("AdditionalModelDataSources", Document()).Refused("additional model data"),
      Optional("Environment",
               Map(String().AtMost(1024).Matching(kEnvironmentKeyPattern), String().AtMost(1024)).Length(0, 100)),
      Optional("ModelPackageName", String().Length(1, 176)).Refused("model packages"),
      Optional("InferenceSpecificationName", NameShape(1)).Refused("model packages"),
      Optional("MultiModelConfig", Document()).Refused("multi-model endpoints"),
      Optional("ContainerMetricsConfig", Document()).Echoed(),
  });
}

}  // namespace

Shape CreateModelInput() {
  return Structure({
      Required("ModelName", ModelNameShape()),
      Optional("PrimaryContainer", ContainerShape()),
      Optional("Containers", List(ContainerShape()).Length(0, 15)),
      Optional("InferenceExecutionConfig", Document()).Echoed(),
      Optional("ExecutionRoleArn", RoleArnShape()),
      Optional("Tags", TagsShape()),
      Optional("VpcConfig", VpcConfigShape()).Echoed(),
      Optional("EnableNetworkIsolation", Boolean()).Echoed(),
  });
}

namespace {

std::optional<ServiceError> CheckCreate(const Context& context, const Json& input) {
  if (auto error = CheckTags(input)) return error;
  const Json& containers = ArrayField(input, "Containers");
  const bool has_primary = !ObjectField(input, "PrimaryContainer").empty();
  if (has_primary && !containers.empty()) {
    return ValidationError("Give either PrimaryContainer or Containers, not both.");
  }
  if (containers.size() > 1) {
    return ValidationError("Argosy does not support 'containers' in CreateModel: a model of several containers.");
  }
  if (!has_primary && containers.empty()) {
    return ValidationError("A model needs PrimaryContainer (or Containers with one entry), which names its image.");
  }
  const Json& container = has_primary ? ObjectField(input, "PrimaryContainer") : containers[0];
  const std::string image = TextField(container, "Image");
  if (image.empty()) return ValidationError("The container of the model needs an Image.");
  if (auto error = CheckServingImage(context, image)) return error;
  const std::string url = TextField(container, "ModelDataUrl");
  const Json& environment = ObjectField(container, "Environment");
  const bool script = TextField(environment, "SAGEMAKER_SUBMIT_DIRECTORY").starts_with("s3://");
  if (url.empty() && model::IsServedImage(image) && script) return std::nullopt;  // the script may hold all it needs
  if (url.empty()) {
    return ValidationError("The container of the model needs a ModelDataUrl: the artifact that is served.");
  }
  if (!url.starts_with("s3://")) return ValidationError("The ModelDataUrl '" + url + "' must begin with s3://.");
  return std::nullopt;
}

ServiceError MissingModel(const Context& context, std::string_view name) {
  return ValidationError("Could not find model \"" + context.Arn(Kind::kModel, name) + "\".");
}

void Create(const Context& context, const Call& call, Reply reply) {
  if (auto error = CheckCreate(context, call.input)) return reply(std::move(*error));
  const std::string name = TextField(call.input, "ModelName");
  ServiceError taken =
      ValidationError("Cannot create already existing model \"" + context.Arn(Kind::kModel, name) + "\".");
  Insert(context, context.NewResource(Kind::kModel, name, call), "ModelArn", std::move(taken), std::move(reply));
}

}  // namespace

Result<Json> DescribeModel(const Context& context, const catalog::Resource& resource) {
  Result<Json> json = SentRequest(resource);
  if (!json.ok()) return json;
  (*json)["ModelArn"] = context.Arn(Kind::kModel, resource.name);
  (*json)["CreationTime"] = Seconds(resource.created);
  (*json)["CreatedBy"] = CreatedBy(resource);
  json->emplace("EnableNetworkIsolation", false);
  return json;
}

namespace {

void Describe(const Context& context, const Call& call, Reply reply) {
  const std::string name = TextField(call.input, "ModelName");
  const Result<catalog::Resource> resource = context.deps.catalog->Get(Kind::kModel, name);
  if (!resource.ok()) {
    return reply(resource.error().code() == ErrorCode::kNotFound ? Answer(MissingModel(context, name))
                                                                 : ErrorAnswer(resource.error()));
  }
  const Result<Json> json = DescribeModel(context, *resource);
  reply(json.ok() ? JsonAnswer(*json) : ErrorAnswer(json.error()));
}

}  // namespace

std::vector<Operation> ModelOperations(std::shared_ptr<const Context> context) {
  const Shape name_input = Structure({Required("ModelName", ModelNameShape())});
  std::vector<Operation> operations;
  operations.push_back(
      {.name = "CreateModel",
       .summary = "Names an artifact together with the image that serves it.",
       .input = CreateModelInput(),
       .run_on = RunOn::kLoop,
       .handle = [context](const Call& call, Reply reply) { Create(*context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "DescribeModel",
       .summary = "What the model was created with.",
       .access = auth::Access::kRead,
       .input = name_input,
       .handle = [context](const Call& call, Reply reply) { Describe(*context, call, std::move(reply)); }});
  operations.push_back({.name = "ListModels",
                        .summary = "Models by name and time, in pages.",
                        .access = auth::Access::kRead,
                        .input = ListInput({.sort_by = {"Name", "CreationTime"}}),
                        .handle = [context](const Call& call, Reply reply) {
                          reply(ListAnswer(*context,
                                           ListQuery(Kind::kModel, call.input, ListRules::kNewestFirstInclusive),
                                           "Models", [&](const catalog::Resource& r) {
                                             return Json{{"ModelName", r.name},
                                                         {"ModelArn", context->Arn(Kind::kModel, r.name)},
                                                         {"CreationTime", Seconds(r.created)}};
                                           }));
                        }});
  operations.push_back({.name = "DeleteModel",
                        .summary = "Deletes the name; the artifact stays, endpoints that serve it go on.",
                        .input = name_input,
                        .handle = [context](const Call& call, Reply reply) {
                          const std::string name = TextField(call.input, "ModelName");
                          Change(
                              context, Kind::kModel, name, MissingModel(*context, name),
                              [](const catalog::Resource& r) -> std::variant<Decision, Answer> {
                                Decision decision;
                                decision.transaction.removes.push_back({r.uid, r.version});
                                return decision;
                              },
                              std::move(reply));
                        }});
  return operations;
}

}  // namespace argosy::api::sagemaker
