#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/patterns.h"
#include "api/sagemaker/context.h"
#include "api/sagemaker/descriptions.h"
#include "api/sagemaker/families.h"
#include "catalog/endpoint.h"
#include "catalog/json_fields.h"
#include "catalog/scaling.h"

namespace argosy::api::sagemaker {
namespace {

using catalog::EndpointState;
using catalog::Fleet;
using catalog::Kind;
using catalog::TextField;
using catalog::VariantPlan;

Shape CapacityShape() {
  return Structure(
      {Required("Type", Enum({"INSTANCE_COUNT", "CAPACITY_PERCENT"})), Required("Value", Integer().AtLeast(1))});
}

Shape DeploymentShape() {
  Shape blue_green = Structure({
      Required("TrafficRoutingConfiguration", Structure({
                                                  Required("Type", Enum({"ALL_AT_ONCE", "CANARY", "LINEAR"})),
                                                  Required("WaitIntervalInSeconds", Integer().Range(0, 3600)),
                                                  Optional("CanarySize", CapacityShape()),
                                                  Optional("LinearStepSize", CapacityShape()),
                                              })),
      Optional("TerminationWaitInSeconds", Integer().Range(0, 3600)),
      Optional("MaximumExecutionTimeoutInSeconds", Integer().Range(600, 28800)),
  });
  return Structure({
      Optional("BlueGreenUpdatePolicy", std::move(blue_green)),
      Optional("RollingUpdatePolicy",
               Structure({
                   Required("MaximumBatchSize", CapacityShape()),
                   Required("WaitIntervalInSeconds", Integer().Range(0, 3600)),
                   Optional("MaximumExecutionTimeoutInSeconds", Integer().Range(600, 28800)),
                   // All old instances come back at once, as when this is not given.
                   Optional("RollbackMaximumBatchSize", CapacityShape()).Refused("rolling back in batches"),
               })),
      Optional("AutoRollbackConfiguration",
               Structure({Optional("Alarms",
                                   List(Structure({Required("AlarmName", String().Length(1, 255))})).Length(1, 10))})),
  });
}

Shape CreateInput() {
  return Structure({
      Required("EndpointName", NameShape()),
      Required("EndpointConfigName", NameShape()),
      Optional("DeploymentConfig", DeploymentShape()),
      Optional("Tags", TagsShape()),
  });
}

Shape UpdateInput() {
  return Structure({
      Required("EndpointName", NameShape()),
      Required("EndpointConfigName", NameShape()),
      Optional("RetainAllVariantProperties", Boolean()),
      Optional("ExcludeRetainedVariantProperties",
               List(Structure({Required("VariantPropertyType",
                                        Enum({"DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"}))}))
                   .Length(0, 3)),
      Optional("DeploymentConfig", DeploymentShape()),
      Optional("RetainDeploymentConfig", Boolean()),
  });
}

// Zero instances: SageMaker has that for inference components only; here an endpoint may sleep
// (docs/guides/scaling.md).
Shape CapacitiesInput() {
  return Structure({
      Required("EndpointName", NameShape()),
      Required("DesiredWeightsAndCapacities",
               List(Structure({
                        Required("VariantName", NameShape()),
                        Optional("DesiredWeight", Double().AtLeast(0)),
                        Optional("DesiredInstanceCount", Integer().AtLeast(0)),
                        Optional("ServerlessUpdateConfig", Document()).Refused("serverless endpoints"),
                    }))
                   .AtLeast(1)),
  });
}

ServiceError MissingEndpoint(const Context& context, std::string_view name) {
  return ValidationError("Could not find endpoint \"" + context.Arn(Kind::kEndpoint, name) + "\".");
}

// A config with its models copied in, so that the endpoint outlives both.
struct Resolved {
  std::vector<VariantPlan> plans;
  std::string capture;  // DataCaptureConfig, "" = none
};

std::variant<Resolved, ServiceError> Resolve(const Context& context, const std::string& config_name) {
  const Result<catalog::Resource> config = context.deps.catalog->Get(Kind::kEndpointConfig, config_name);
  if (!config.ok()) {
    if (config.error().code() != ErrorCode::kNotFound) return FromError(config.error());
    return ValidationError("Could not find endpoint configuration \"" +
                           context.Arn(Kind::kEndpointConfig, config_name) + "\".");
  }
  Result<catalog::EndpointConfigSpec> spec = catalog::EndpointConfigSpec::FromRequestJson(config->spec);
  if (!spec.ok()) return FromError(spec.error());
  Resolved resolved{{}, std::move(spec->capture_request)};
  for (catalog::VariantSpec& variant : spec->variants) {
    const Result<catalog::Resource> model = context.deps.catalog->Get(Kind::kModel, variant.model_name);
    if (!model.ok()) {
      if (model.error().code() != ErrorCode::kNotFound) return FromError(model.error());
      return ValidationError("Could not find model \"" + context.Arn(Kind::kModel, variant.model_name) + "\".");
    }
    Result<catalog::ModelSpec> model_spec = catalog::ModelSpec::FromRequestJson(model->spec);
    if (!model_spec.ok()) return FromError(model_spec.error());
    resolved.plans.push_back({std::move(variant), std::move(*model_spec)});
  }
  return resolved;
}

// The DeploymentConfig as it was sent, "" when it was not; or which rule it breaks.
std::variant<std::string, ServiceError> ReadDeployment(const Context& context, const Json& input) {
  if (!input.contains("DeploymentConfig")) return std::string();
  const Json& request = catalog::ObjectField(input, "DeploymentConfig");
  const Result<catalog::DeploymentConfig> config = catalog::DeploymentConfig::FromRequest(request);
  if (!config.ok()) return ValidationError("DeploymentConfig: " + config.error().message() + ".");
  for (const std::string& alarm : config->alarms) {
    const Result<catalog::Resource> known = context.deps.catalog->Get(Kind::kAlarm, alarm);
    if (known.ok()) continue;
    if (known.error().code() != ErrorCode::kNotFound) return FromError(known.error());
    return ValidationError("DeploymentConfig: there is no alarm named '" + alarm + "'.");
  }
  return DumpJson(request);
}

// Nothing when the DeploymentConfig, as it was sent, goes with what the endpoint is to have.
std::optional<ServiceError> CheckSteps(const std::string& deployment, const std::vector<VariantPlan>& plans) {
  if (deployment.empty()) return std::nullopt;
  const Result<Json> request = ParseJson(deployment);
  if (!request.ok()) return FromError(request.error());
  const Result<catalog::DeploymentConfig> config = catalog::DeploymentConfig::FromRequest(*request);
  if (!config.ok()) return FromError(config.error());
  uint32_t instances = 0;
  for (const VariantPlan& plan : plans) instances += plan.variant.initial_instance_count;
  if (Status fits = config->CheckFleet(instances); !fits.ok()) {
    return ValidationError("DeploymentConfig: " + fits.error().message() + ".");
  }
  return std::nullopt;
}

void Create(const Context& context, const Call& call, Reply reply) {
  if (auto error = CheckTags(call.input)) return reply(std::move(*error));
  std::variant<std::string, ServiceError> deployment = ReadDeployment(context, call.input);
  if (auto* error = std::get_if<ServiceError>(&deployment)) return reply(std::move(*error));
  const std::string name = TextField(call.input, "EndpointName");
  const std::string config_name = TextField(call.input, "EndpointConfigName");
  std::variant<Resolved, ServiceError> resolved = Resolve(context, config_name);
  if (auto* error = std::get_if<ServiceError>(&resolved)) return reply(std::move(*error));
  Resolved& config = std::get<Resolved>(resolved);
  if (auto error = CheckSteps(std::get<0>(deployment), config.plans)) return reply(std::move(*error));
  catalog::Resource resource = context.NewResource(Kind::kEndpoint, name, call);
  EndpointState state;
  state.status = "Creating";
  state.requested_config = config_name;
  state.requested_variants = std::move(config.plans);
  state.requested_capture = std::move(config.capture);
  state.deployment_request = std::move(std::get<0>(deployment));
  resource.status = state.status;
  resource.state = state.ToJson();
  ServiceError taken =
      ValidationError("Cannot create already existing endpoint \"" + context.Arn(Kind::kEndpoint, name) + "\".");
  Insert(context, std::move(resource), "EndpointArn", std::move(taken), std::move(reply));
}

void Describe(const Context& context, const Call& call, Reply reply) {
  const std::string name = TextField(call.input, "EndpointName");
  const Result<catalog::Resource> resource = context.deps.catalog->Get(Kind::kEndpoint, name);
  if (!resource.ok()) {
    return reply(resource.error().code() == ErrorCode::kNotFound ? Answer(MissingEndpoint(context, name))
                                                                 : ErrorAnswer(resource.error()));
  }
  const Result<Json> json = DescribeEndpoint(context, *resource);
  reply(json.ok() ? JsonAnswer(*json) : ErrorAnswer(json.error()));
}

ServiceError InProgress(const Context& context, std::string_view name) {
  return ValidationError("Cannot update in-progress endpoint \"" + context.Arn(Kind::kEndpoint, name) + "\".");
}

Decision StateChange(const Context& context, const catalog::Resource& resource, const EndpointState& state) {
  Decision decision;
  catalog::Transaction::Update update = UpdateOf(resource, context.Now());
  update.status = state.status;
  update.state = state.ToJson();
  decision.transaction.updates.push_back(std::move(update));
  return decision;
}

// Which properties of the variants that live on under their name are kept instead of taken from the new config.
struct Retain {
  bool count = false;
  bool weight = false;
  bool capture = false;
};

Retain RetainOf(const Json& input) {
  if (!catalog::FlagField(input, "RetainAllVariantProperties")) return {};
  Retain retain{true, true, true};
  for (const Json& excluded : catalog::ArrayField(input, "ExcludeRetainedVariantProperties")) {
    const std::string type = TextField(excluded, "VariantPropertyType");
    if (type == "DesiredInstanceCount") retain.count = false;
    if (type == "DesiredWeight") retain.weight = false;
    if (type == "DataCaptureConfig") retain.capture = false;
  }
  return retain;
}

void KeepProperties(const std::optional<Fleet>& current, Retain retain, Resolved& config) {
  if (!current) return;
  if (retain.capture) config.capture = current->capture_request;
  for (VariantPlan& plan : config.plans) {
    for (const VariantPlan& old : current->variants) {
      if (old.variant.variant_name != plan.variant.variant_name) continue;
      if (retain.count) plan.variant.initial_instance_count = old.variant.initial_instance_count;
      if (retain.weight) plan.variant.initial_weight = old.variant.initial_weight;
    }
  }
}

// What a scalable target was registered for stays as it is: its instance type, and that it is there.
std::optional<ServiceError> CheckScaled(const Context& context, const std::string& endpoint, const Fleet& current,
                                        const std::vector<VariantPlan>& plans) {
  for (const VariantPlan& old : current.variants) {
    const std::string& name = old.variant.variant_name;
    const auto same = std::find_if(plans.begin(), plans.end(),
                                   [&](const VariantPlan& plan) { return plan.variant.variant_name == name; });
    if (same != plans.end() && same->variant.instance_type == old.variant.instance_type) continue;
    const Result<catalog::Resource> target =
        context.deps.catalog->Get(Kind::kScalableTarget, catalog::ResourceIdOf(endpoint, name));
    if (!target.ok() && target.error().code() == ErrorCode::kNotFound) continue;
    if (!target.ok()) return FromError(target.error());
    return ValidationError("Cannot change the instance type of the variant '" + name + "' of endpoint '" + endpoint +
                           "' or leave it out: it is a target of automatic scaling. Deregister it as a scalable target "
                           "first.");
  }
  return std::nullopt;
}

void Update(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  const std::string name = TextField(call.input, "EndpointName");
  const std::string config_name = TextField(call.input, "EndpointConfigName");
  const Retain retain = RetainOf(call.input);
  std::variant<std::string, ServiceError> read = ReadDeployment(*context, call.input);
  if (auto* error = std::get_if<ServiceError>(&read)) return reply(std::move(*error));
  const bool keep_deployment = catalog::FlagField(call.input, "RetainDeploymentConfig");
  Change(
      context, Kind::kEndpoint, name, MissingEndpoint(*context, name),
      [context, config_name, retain, keep_deployment,
       deployment = std::get<0>(std::move(read))](const catalog::Resource& resource) -> std::variant<Decision, Answer> {
        Result<EndpointState> state = EndpointState::FromJson(resource.state);
        if (!state.ok()) return ErrorAnswer(state.error());
        if (state->status == "Failed") {
          return Answer(ValidationError("Cannot update failed endpoint \"" +
                                        context->Arn(Kind::kEndpoint, resource.name) + "\": it can only be deleted."));
        }
        if (state->status != "InService") return Answer(InProgress(*context, resource.name));
        std::variant<Resolved, ServiceError> resolved = Resolve(*context, config_name);
        if (auto* error = std::get_if<ServiceError>(&resolved)) return Answer(std::move(*error));
        Resolved& config = std::get<Resolved>(resolved);
        if (auto error = CheckScaled(*context, resource.name, *state->current, config.plans)) {
          return Answer(std::move(*error));
        }
        KeepProperties(state->current, retain, config);
        if (!deployment.empty() || !keep_deployment) state->deployment_request = deployment;
        if (auto error = CheckSteps(state->deployment_request, config.plans)) return Answer(std::move(*error));
        state->status = "Updating";
        state->failure_reason.clear();
        state->requested_config = config_name;
        state->requested_variants = std::move(config.plans);
        state->requested_capture = std::move(config.capture);
        Decision decision = StateChange(*context, resource, *state);
        decision.answer = DumpJson(Json{{"EndpointArn", context->Arn(Kind::kEndpoint, resource.name)}});
        return decision;
      },
      std::move(reply));
}

struct Capacities {
  std::vector<catalog::DesiredCapacity> desired;
  std::optional<ServiceError> error;
};

Capacities CapacitiesOf(const Json& input) {
  Capacities capacities;
  std::set<std::string> names;
  for (const Json& item : catalog::ArrayField(input, "DesiredWeightsAndCapacities")) {
    catalog::DesiredCapacity desired{TextField(item, "VariantName"), std::nullopt, std::nullopt};
    if (!names.insert(desired.variant_name).second) {
      capacities.error = ValidationError("Duplicate variant name '" + desired.variant_name +
                                         "' in DesiredWeightsAndCapacities: variant names must be unique.");
    }
    const auto count = item.find("DesiredInstanceCount");
    if (count != item.end() && count->is_number()) desired.instance_count = count->get<uint32_t>();
    const auto weight = item.find("DesiredWeight");
    if (weight != item.end() && weight->is_number()) desired.weight = weight->get<double>();
    capacities.desired.push_back(std::move(desired));
  }
  return capacities;
}

// Nothing when the fleet has all the variants and would still have one that takes requests.
std::optional<ServiceError> CheckCapacities(const Context& context, const Fleet& fleet,
                                            const std::vector<catalog::DesiredCapacity>& desired) {
  double weights = 0;
  uint64_t instances = 0;
  size_t found = 0;
  for (const VariantPlan& plan : fleet.variants) {
    const auto asked = std::find_if(desired.begin(), desired.end(), [&](const catalog::DesiredCapacity& d) {
      return d.variant_name == plan.variant.variant_name;
    });
    if (asked != desired.end()) ++found;
    weights += asked != desired.end() && asked->weight ? *asked->weight : plan.variant.initial_weight;
    instances +=
        asked != desired.end() && asked->instance_count ? *asked->instance_count : plan.variant.initial_instance_count;
  }
  if (found < desired.size()) {
    std::string names;
    for (const catalog::DesiredCapacity& d : desired) {
      const bool there = std::any_of(fleet.variants.begin(), fleet.variants.end(), [&](const VariantPlan& plan) {
        return plan.variant.variant_name == d.variant_name;
      });
      if (!there) names += (names.empty() ? "\"" : ", \"") + d.variant_name + "\"";
    }
    return ValidationError("The variant name(s) " + names + " is/are not present within endpoint configuration \"" +
                           context.Arn(Kind::kEndpointConfig, fleet.config_name) + "\".");
  }
  if (!(weights > 0)) return ValidationError("The sum of the variants' weights must be greater than 0.");
  if (const uint32_t most = context.options.instances_max; most > 0 && instances > most) {
    return ServiceError{400, "ResourceLimitExceeded",
                        "The variants would have " + std::to_string(instances) + " instances together, and at most " +
                            std::to_string(most) +
                            " run here at once: ask for fewer, or start the server with a higher --hosts-max."};
  }
  return std::nullopt;
}

void ChangeCapacities(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  const std::string name = TextField(call.input, "EndpointName");
  Capacities capacities = CapacitiesOf(call.input);
  if (capacities.error) return reply(std::move(*capacities.error));
  Change(
      context, Kind::kEndpoint, name, MissingEndpoint(*context, name),
      [context,
       desired = std::move(capacities.desired)](const catalog::Resource& resource) -> std::variant<Decision, Answer> {
        Result<EndpointState> state = EndpointState::FromJson(resource.state);
        if (!state.ok()) return ErrorAnswer(state.error());
        if (state->status != "InService" || !state->current) return Answer(InProgress(*context, resource.name));
        if (auto error = CheckCapacities(*context, *state->current, desired)) return Answer(std::move(*error));
        state->ChangeCapacity(desired);
        Decision decision = StateChange(*context, resource, *state);
        decision.answer = DumpJson(Json{{"EndpointArn", context->Arn(Kind::kEndpoint, resource.name)}});
        return decision;
      },
      std::move(reply));
}

void Delete(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  const std::string name = TextField(call.input, "EndpointName");
  Change(
      context, Kind::kEndpoint, name, MissingEndpoint(*context, name),
      [context](const catalog::Resource& resource) -> std::variant<Decision, Answer> {
        Result<EndpointState> state = EndpointState::FromJson(resource.state);
        if (!state.ok()) return ErrorAnswer(state.error());
        // Also one that is coming up or being updated, so that nobody waits for a fleet that waits for capacity.
        if (state->delete_requested) return Answer(InProgress(*context, resource.name));
        state->delete_requested = true;
        state->status = "Deleting";
        return StateChange(*context, resource, *state);
      },
      std::move(reply));
}

}  // namespace

std::vector<Operation> EndpointOperations(std::shared_ptr<const Context> context) {
  const Shape name_input = Structure({Required("EndpointName", NameShape())});
  std::vector<Operation> operations;
  operations.push_back(
      {.name = "CreateEndpoint",
       .summary = "Brings an endpoint up; InService once an instance of each variant has answered.",
       .input = CreateInput(),
       .handle = [context](const Call& call, Reply reply) { Create(*context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "DescribeEndpoint",
       .summary = "Status, variants, and what is being deployed.",
       .access = auth::Access::kRead,
       .input = name_input,
       .handle = [context](const Call& call, Reply reply) { Describe(*context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "ListEndpoints",
       .summary = "Endpoints by name, status and time, in pages.",
       .access = auth::Access::kRead,
       .input = ListInput({.sort_by = {"Name", "CreationTime", "Status"},
                           .statuses = {"OutOfService", "Creating", "Updating", "SystemUpdating", "RollingBack",
                                        "InService", "Deleting", "Failed", "UpdateRollbackFailed"},
                           .by_modified = true}),
       .handle = [context](const Call& call, Reply reply) {
         reply(ListAnswer(*context, ListQuery(Kind::kEndpoint, call.input, ListRules::kNewestFirstInclusive),
                          "Endpoints", [&](const catalog::Resource& r) {
                            return Json{{"EndpointName", r.name},
                                        {"EndpointArn", context->Arn(Kind::kEndpoint, r.name)},
                                        {"CreationTime", Seconds(r.created)},
                                        {"LastModifiedTime", Seconds(r.modified)},
                                        {"EndpointStatus", r.status}};
                          }));
       }});
  operations.push_back(
      {.name = "UpdateEndpoint",
       .summary = "Brings up a whole new fleet of another config, then switches all traffic to it.",
       .input = UpdateInput(),
       .handle = [context](const Call& call, Reply reply) { Update(context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "UpdateEndpointWeightsAndCapacities",
       .summary = "Changes how many instances variants have and how requests are shared out; none are let go before "
                  "they have answered.",
       .input = CapacitiesInput(),
       .handle = [context](const Call& call, Reply reply) { ChangeCapacities(context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "DeleteEndpoint",
       .summary = "Takes an endpoint down. One that is being created or updated must finish that first.",
       .input = name_input,
       .handle = [context](const Call& call, Reply reply) { Delete(context, call, std::move(reply)); }});
  return operations;
}

}  // namespace argosy::api::sagemaker
