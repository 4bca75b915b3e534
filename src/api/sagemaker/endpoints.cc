#include <algorithm>
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

using catalog::EndpointState;
using catalog::Fleet;
using catalog::Kind;
using catalog::TextField;
using catalog::VariantPlan;

Shape DeploymentShape() {
  Shape blue_green = Structure({
      Required("TrafficRoutingConfiguration",
               Structure({
                   Required("Type", Enum({"ALL_AT_ONCE", "CANARY", "LINEAR"})).Only({"ALL_AT_ONCE"}),
                   Required("WaitIntervalInSeconds", Integer().Range(0, 3600)).Echoed(),
                   Optional("CanarySize", Document()).Refused("canary traffic shifting"),
                   Optional("LinearStepSize", Document()).Refused("linear traffic shifting"),
               })),
      Optional("TerminationWaitInSeconds", Integer().Range(0, 3600)).Echoed(),
      Optional("MaximumExecutionTimeoutInSeconds", Integer().Range(600, 28800)).Echoed(),
  });
  return Structure({
      Optional("BlueGreenUpdatePolicy", std::move(blue_green)),
      Optional("RollingUpdatePolicy", Document()).Refused("rolling updates"),
      Optional("AutoRollbackConfiguration",
               Structure({Optional("Alarms", Document()).Refused("alarms that roll an update back")})),
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
      Optional("RetainDeploymentConfig", Boolean()).Echoed(),
  });
}

ServiceError MissingEndpoint(const Context& context, std::string_view name) {
  return ValidationError("Could not find endpoint \"" + context.Arn(Kind::kEndpoint, name) + "\".");
}

// The config with its models copied in, so that the endpoint outlives both.
std::variant<std::vector<VariantPlan>, ServiceError> Resolve(const Context& context, const std::string& config_name) {
  const Result<catalog::Resource> config = context.deps.catalog->Get(Kind::kEndpointConfig, config_name);
  if (!config.ok()) {
    if (config.error().code() != ErrorCode::kNotFound) return FromError(config.error());
    return ValidationError("Could not find endpoint configuration \"" +
                           context.Arn(Kind::kEndpointConfig, config_name) + "\".");
  }
  Result<catalog::EndpointConfigSpec> spec = catalog::EndpointConfigSpec::FromRequestJson(config->spec);
  if (!spec.ok()) return FromError(spec.error());
  std::vector<VariantPlan> plans;
  for (catalog::VariantSpec& variant : spec->variants) {
    const Result<catalog::Resource> model = context.deps.catalog->Get(Kind::kModel, variant.model_name);
    if (!model.ok()) {
      if (model.error().code() != ErrorCode::kNotFound) return FromError(model.error());
      return ValidationError("Could not find model \"" + context.Arn(Kind::kModel, variant.model_name) + "\".");
    }
    Result<catalog::ModelSpec> model_spec = catalog::ModelSpec::FromRequestJson(model->spec);
    if (!model_spec.ok()) return FromError(model_spec.error());
    plans.push_back({std::move(variant), std::move(*model_spec)});
  }
  return plans;
}

void Create(const Context& context, const Call& call, Reply reply) {
  if (auto error = CheckTags(call.input)) return reply(std::move(*error));
  const std::string name = TextField(call.input, "EndpointName");
  const std::string config_name = TextField(call.input, "EndpointConfigName");
  std::variant<std::vector<VariantPlan>, ServiceError> plans = Resolve(context, config_name);
  if (auto* error = std::get_if<ServiceError>(&plans)) return reply(std::move(*error));
  catalog::Resource resource = context.NewResource(Kind::kEndpoint, name, call);
  EndpointState state;
  state.status = "Creating";
  state.requested_config = config_name;
  state.requested_variants = std::move(std::get<0>(plans));
  resource.status = state.status;
  resource.state = state.ToJson();
  ServiceError taken =
      ValidationError("Cannot create already existing endpoint \"" + context.Arn(Kind::kEndpoint, name) + "\".");
  Insert(context, std::move(resource), "EndpointArn", std::move(taken), std::move(reply));
}

size_t ReadyCount(const Fleet& fleet, const std::string& variant) {
  return static_cast<size_t>(std::count_if(fleet.instances.begin(), fleet.instances.end(), [&](const auto& instance) {
    return instance.variant_name == variant && instance.ready_at.has_value();
  }));
}

Json VariantsJson(const Fleet& fleet, Time resolved) {
  Json list = Json::array();
  for (const VariantPlan& plan : fleet.variants) {
    Json image = {{"SpecifiedImage", plan.model.image},
                  {"ResolvedImage", plan.model.image},
                  {"ResolutionTime", Seconds(resolved)}};
    list.push_back({{"VariantName", plan.variant.variant_name},
                    {"DeployedImages", Json::array({std::move(image)})},
                    {"CurrentWeight", plan.variant.initial_weight},
                    {"DesiredWeight", plan.variant.initial_weight},
                    {"CurrentInstanceCount", ReadyCount(fleet, plan.variant.variant_name)},
                    {"DesiredInstanceCount", plan.variant.initial_instance_count}});
  }
  return list;
}

Result<Json> DescribeJson(const Context& context, const catalog::Resource& resource) {
  const Result<EndpointState> parsed = EndpointState::FromJson(resource.state);
  if (!parsed.ok()) return parsed.error().Wrap("state of endpoint '" + resource.name + "'");
  const EndpointState& state = *parsed;
  Json json = {{"EndpointName", resource.name},
               {"EndpointArn", context.Arn(Kind::kEndpoint, resource.name)},
               {"EndpointStatus", state.status},
               {"CreationTime", Seconds(resource.created)},
               {"LastModifiedTime", Seconds(resource.modified)}};
  if (!state.failure_reason.empty()) json["FailureReason"] = state.failure_reason;
  std::optional<Fleet> next = state.next;
  if (!next && !state.requested_config.empty()) next = Fleet{state.requested_config, state.requested_variants, {}};
  if (state.current) {
    json["EndpointConfigName"] = state.current->config_name;
    json["ProductionVariants"] = VariantsJson(*state.current, resource.created);
  } else if (next) {
    json["EndpointConfigName"] = next->config_name;
  } else if (const Result<Json> sent = SentRequest(resource); sent.ok()) {
    json["EndpointConfigName"] = TextField(*sent, "EndpointConfigName");
  }
  if (next && (state.status == "Creating" || state.status == "Updating")) {
    json["PendingDeploymentSummary"] = {{"EndpointConfigName", next->config_name},
                                        {"ProductionVariants", VariantsJson(*next, resource.modified)}};
  }
  return json;
}

void Describe(const Context& context, const Call& call, Reply reply) {
  const std::string name = TextField(call.input, "EndpointName");
  const Result<catalog::Resource> resource = context.deps.catalog->Get(Kind::kEndpoint, name);
  if (!resource.ok()) {
    return reply(resource.error().code() == ErrorCode::kNotFound ? Answer(MissingEndpoint(context, name))
                                                                 : ErrorAnswer(resource.error()));
  }
  const Result<Json> json = DescribeJson(context, *resource);
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
};

Retain RetainOf(const Json& input) {
  if (!catalog::FlagField(input, "RetainAllVariantProperties")) return {};
  Retain retain{true, true};
  for (const Json& excluded : catalog::ArrayField(input, "ExcludeRetainedVariantProperties")) {
    const std::string type = TextField(excluded, "VariantPropertyType");
    if (type == "DesiredInstanceCount") retain.count = false;
    if (type == "DesiredWeight") retain.weight = false;
  }
  return retain;
}

void KeepProperties(const std::optional<Fleet>& current, Retain retain, std::vector<VariantPlan>& plans) {
  if (!current) return;
  for (VariantPlan& plan : plans) {
    for (const VariantPlan& old : current->variants) {
      if (old.variant.variant_name != plan.variant.variant_name) continue;
      if (retain.count) plan.variant.initial_instance_count = old.variant.initial_instance_count;
      if (retain.weight) plan.variant.initial_weight = old.variant.initial_weight;
    }
  }
}

void Update(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  const std::string name = TextField(call.input, "EndpointName");
  const std::string config_name = TextField(call.input, "EndpointConfigName");
  const Retain retain = RetainOf(call.input);
  Change(
      context, Kind::kEndpoint, name, MissingEndpoint(*context, name),
      [context, config_name, retain](const catalog::Resource& resource) -> std::variant<Decision, Answer> {
        Result<EndpointState> state = EndpointState::FromJson(resource.state);
        if (!state.ok()) return ErrorAnswer(state.error());
        if (state->status == "Failed") {
          return Answer(ValidationError("Cannot update failed endpoint \"" +
                                        context->Arn(Kind::kEndpoint, resource.name) + "\": it can only be deleted."));
        }
        if (state->status != "InService") return Answer(InProgress(*context, resource.name));
        std::variant<std::vector<VariantPlan>, ServiceError> plans = Resolve(*context, config_name);
        if (auto* error = std::get_if<ServiceError>(&plans)) return Answer(std::move(*error));
        KeepProperties(state->current, retain, std::get<0>(plans));
        state->status = "Updating";
        state->failure_reason.clear();
        state->requested_config = config_name;
        state->requested_variants = std::move(std::get<0>(plans));
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
       .input = name_input,
       .handle = [context](const Call& call, Reply reply) { Describe(*context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "ListEndpoints",
       .summary = "Endpoints by name, status and time, in pages.",
       .input = ListInput({.sort_by = {"Name", "CreationTime", "Status"},
                           .statuses = {"OutOfService", "Creating", "Updating", "SystemUpdating", "RollingBack",
                                        "InService", "Deleting", "Failed", "UpdateRollbackFailed"},
                           .by_modified = true}),
       .handle = [context](const Call& call, Reply reply) {
         reply(ListAnswer(*context, ListQuery(Kind::kEndpoint, call.input, catalog::SortOrder::kDescending),
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
      {.name = "DeleteEndpoint",
       .summary = "Takes an endpoint down. One that is being created or updated must finish that first.",
       .input = name_input,
       .handle = [context](const Call& call, Reply reply) { Delete(context, call, std::move(reply)); }});
  return operations;
}

}  // namespace argosy::api::sagemaker
