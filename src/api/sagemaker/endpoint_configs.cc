#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/patterns.h"
#include "api/sagemaker/context.h"
#include "api/sagemaker/families.h"
#include "catalog/endpoint.h"
#include "catalog/json_fields.h"

namespace argosy::api::sagemaker {
namespace {

using catalog::ArrayField;
using catalog::Kind;
using catalog::TextField;

Shape VariantShape(const std::vector<std::string>& instance_types) {
  return Structure({
      Required("VariantName", NameShape()),
      // Absent with inference components only, which are not here.
      Required("ModelName", String().AtMost(63).Matching(kModelNamePattern)),
      Optional("InitialInstanceCount", Integer().AtLeast(1)),
      Optional("InstanceType", Enum(instance_types)),
      Optional("InitialVariantWeight", Double().AtLeast(0)),
      Optional("InstancePools", Document()).Refused("instance pools"),
      Optional("VariantInstanceProvisionTimeoutInSeconds", Integer().Range(300, 3600)).Echoed(),
      Optional("AcceleratorType", String()).Refused("elastic inference"),
      Optional("CoreDumpConfig", Document()).Echoed(),
      Optional("ServerlessConfig", Document()).Refused("serverless endpoints"),
      Optional("VolumeSizeInGB", Integer().Range(1, 512)).Echoed(),
      Optional("ModelDataDownloadTimeoutInSeconds", Integer().Range(60, 3600)).Echoed(),
      Optional("ContainerStartupHealthCheckTimeoutInSeconds", Integer().Range(60, 3600)).Echoed(),
      Optional("EnableSSMAccess", Boolean()).Echoed(),
      Optional("ManagedInstanceScaling", Document()).Refused("managed instance scaling"),
      Optional("RoutingConfig", Structure({Required("RoutingStrategy", Enum({"LEAST_OUTSTANDING_REQUESTS", "RANDOM",
                                                                             "PREFIX_AWARE", "KV_AWARE"}))
                                               .Only({"LEAST_OUTSTANDING_REQUESTS", "RANDOM"})})),
      Optional("InferenceAmiVersion", String()).Echoed(),
      Optional("CapacityReservationConfig", Document()).Refused("capacity reservations"),
      Optional("AcceleratorPartitionLayouts", Document()).Refused("accelerator partitions"),
  });
}

Shape CaptureShape() {
  const Shape types = List(String().Length(1, 256)).Length(1, 10);
  return Structure({
      Optional("EnableCapture", Boolean()),
      Required("InitialSamplingPercentage", Integer().Range(0, 100)),
      Required("DestinationS3Uri", String().AtMost(512)),
      Optional("KmsKeyId", String().AtMost(2048).Matching(kKmsKeyPattern)).Refused("encryption by a KMS key"),
      Required("CaptureOptions",
               List(Structure({Required("CaptureMode", Enum({"Input", "Output", "InputAndOutput"}))})).Length(1, 32)),
      Optional("CaptureContentTypeHeader",
               Structure({Optional("CsvContentTypes", types), Optional("JsonContentTypes", types)})),
  });
}

Shape CreateInput(const Context& context) {
  return Structure({
      Required("EndpointConfigName", NameShape()),
      Required("ProductionVariants", List(VariantShape(context.options.instance_types)).Length(1, 10)),
      Optional("DataCaptureConfig", CaptureShape()),
      Optional("Tags", TagsShape()),
      Optional("KmsKeyId", String().AtMost(2048).Matching(kKmsKeyPattern)).Echoed(),
      Optional("AsyncInferenceConfig", Document()).Refused("asynchronous endpoints"),
      Optional("ExplainerConfig", Document()).Refused("explainers"),
      Optional("ShadowProductionVariants", Document()).Refused("shadow variants"),
      Optional("ExecutionRoleArn", RoleArnShape()).Echoed(),
      Optional("VpcConfig", VpcConfigShape()).Echoed(),
      Optional("EnableNetworkIsolation", Boolean()).Echoed(),
      Optional("MetricsConfig", Document()).Echoed(),
      Optional("CrossRegionTrafficConfig", Document()).Refused("traffic across regions"),
  });
}

ServiceError MissingConfig(const Context& context, std::string_view name) {
  return ValidationError("Could not find endpoint configuration \"" + context.Arn(Kind::kEndpointConfig, name) + "\".");
}

std::optional<ServiceError> CheckCreate(const Context& context, const Json& input) {
  if (auto error = CheckTags(input)) return error;
  const Result<catalog::DataCapture> capture =
      catalog::DataCapture::FromRequest(catalog::ObjectField(input, "DataCaptureConfig"));
  if (!capture.ok()) return ValidationError("DataCaptureConfig: " + capture.error().message() + ".");
  std::set<std::string> names;
  double weights = 0;
  for (const Json& variant : ArrayField(input, "ProductionVariants")) {
    const std::string name = TextField(variant, "VariantName");
    if (!names.insert(name).second) {
      return ValidationError("Duplicate variant name '" + name +
                             "' in ProductionVariants: variant names must be unique.");
    }
    if (TextField(variant, "InstanceType").empty() || catalog::IntField(variant, "InitialInstanceCount") == 0) {
      return ValidationError("The variant '" + name + "' needs InstanceType and InitialInstanceCount.");
    }
    weights += catalog::NumberField(variant, "InitialVariantWeight", 1.0);
    const std::string model = TextField(variant, "ModelName");
    const Result<catalog::Resource> found = context.deps.catalog->Get(Kind::kModel, model);
    if (found.ok()) continue;
    if (found.error().code() != ErrorCode::kNotFound) return FromError(found.error());
    return ValidationError("Could not find model \"" + context.Arn(Kind::kModel, model) + "\".");
  }
  if (!(weights > 0)) return ValidationError("The sum of the InitialVariantWeight values must be greater than 0.");
  return std::nullopt;
}

void Create(const Context& context, const Call& call, Reply reply) {
  if (auto error = CheckCreate(context, call.input)) return reply(std::move(*error));
  const std::string name = TextField(call.input, "EndpointConfigName");
  ServiceError taken = ValidationError("Cannot create already existing endpoint configuration \"" +
                                       context.Arn(Kind::kEndpointConfig, name) + "\".");
  Insert(context, context.NewResource(Kind::kEndpointConfig, name, call), "EndpointConfigArn", std::move(taken),
         std::move(reply));
}

void Describe(const Context& context, const Call& call, Reply reply) {
  const std::string name = TextField(call.input, "EndpointConfigName");
  const Result<catalog::Resource> resource = context.deps.catalog->Get(Kind::kEndpointConfig, name);
  if (!resource.ok()) {
    return reply(resource.error().code() == ErrorCode::kNotFound ? Answer(MissingConfig(context, name))
                                                                 : ErrorAnswer(resource.error()));
  }
  Result<Json> json = SentRequest(*resource);
  if (!json.ok()) return reply(ErrorAnswer(json.error()));
  for (Json& variant : (*json)["ProductionVariants"]) variant.emplace("InitialVariantWeight", 1.0);
  (*json)["EndpointConfigArn"] = context.Arn(Kind::kEndpointConfig, name);
  (*json)["CreationTime"] = Seconds(resource->created);
  (*json)["CreatedBy"] = CreatedBy(*resource);
  json->emplace("EnableNetworkIsolation", false);
  reply(JsonAnswer(*json));
}

}  // namespace

std::vector<Operation> EndpointConfigOperations(std::shared_ptr<const Context> context) {
  const Shape name_input = Structure({Required("EndpointConfigName", NameShape())});
  std::vector<Operation> operations;
  operations.push_back(
      {.name = "CreateEndpointConfig",
       .summary = "Which models an endpoint is to serve, on what, with which weights.",
       .input = CreateInput(*context),
       .handle = [context](const Call& call, Reply reply) { Create(*context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "DescribeEndpointConfig",
       .summary = "What the config was created with.",
       .access = auth::Access::kRead,
       .input = name_input,
       .handle = [context](const Call& call, Reply reply) { Describe(*context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "ListEndpointConfigs",
       .summary = "Endpoint configs by name and time, in pages.",
       .access = auth::Access::kRead,
       .input = ListInput({.sort_by = {"Name", "CreationTime"}}),
       .handle = [context](const Call& call, Reply reply) {
         reply(ListAnswer(*context, ListQuery(Kind::kEndpointConfig, call.input, ListRules::kNewestFirstInclusive),
                          "EndpointConfigs", [&](const catalog::Resource& r) {
                            return Json{{"EndpointConfigName", r.name},
                                        {"EndpointConfigArn", context->Arn(Kind::kEndpointConfig, r.name)},
                                        {"CreationTime", Seconds(r.created)}};
                          }));
       }});
  operations.push_back({.name = "DeleteEndpointConfig",
                        .summary = "Deletes the config; endpoints made from it keep their copy and go on.",
                        .input = name_input,
                        .handle = [context](const Call& call, Reply reply) {
                          const std::string name = TextField(call.input, "EndpointConfigName");
                          Change(
                              context, Kind::kEndpointConfig, name, MissingConfig(*context, name),
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
