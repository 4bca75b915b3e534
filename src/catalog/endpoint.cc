#include "catalog/endpoint.h"

#include <algorithm>

#include "catalog/json_fields.h"

namespace argosy::catalog {
namespace {

constexpr int64_t kInstanceCountMax = 10'000;

uint32_t CountField(const Json& json, const char* name, int64_t fallback = 0) {
  return static_cast<uint32_t>(std::clamp<int64_t>(IntField(json, name, fallback), 0, kInstanceCountMax));
}

VariantSpec VariantFromJson(const Json& json) {
  VariantSpec variant;
  variant.variant_name = TextField(json, "VariantName");
  variant.model_name = TextField(json, "ModelName");
  variant.instance_type = TextField(json, "InstanceType");
  variant.initial_instance_count = CountField(json, "InitialInstanceCount", 1);
  variant.initial_weight = NumberField(json, "InitialVariantWeight", 1.0);
  return variant;
}

Json VariantToJson(const VariantSpec& variant) {
  return {{"VariantName", variant.variant_name},
          {"ModelName", variant.model_name},
          {"InstanceType", variant.instance_type},
          {"InitialInstanceCount", variant.initial_instance_count},
          {"InitialVariantWeight", variant.initial_weight}};
}

Json PlansToJson(const std::vector<VariantPlan>& plans) {
  Json json = Json::array();
  for (const VariantPlan& plan : plans) {
    Json item = {{"variant", VariantToJson(plan.variant)}, {"model", plan.model.request_json}};
    if (plan.before) item["before"] = {{"count", plan.before->instance_count}, {"weight", plan.before->weight}};
    json.push_back(std::move(item));
  }
  return json;
}

Result<std::vector<VariantPlan>> PlansFromJson(const Json& json) {
  std::vector<VariantPlan> plans;
  for (const Json& item : json) {
    Result<ModelSpec> model = ModelSpec::FromRequestJson(TextField(item, "model"));
    if (!model.ok()) return model.error();
    VariantPlan plan{VariantFromJson(ObjectField(item, "variant")), std::move(*model)};
    if (item.contains("before")) {
      const Json& before = ObjectField(item, "before");
      plan.before = {CountField(before, "count"), NumberField(before, "weight", 1.0)};
    }
    plans.push_back(std::move(plan));
  }
  return plans;
}

Json InstancesToJson(const std::vector<EndpointInstance>& instances) {
  Json json = Json::array();
  for (const EndpointInstance& instance : instances) {
    Json item = {{"id", instance.instance_id}, {"variant", instance.variant_name}, {"attempt", instance.attempt}};
    SetTime(item, "ready_at", instance.ready_at);
    if (instance.losses != 0) item["losses"] = instance.losses;
    SetTime(item, "not_before", instance.not_before);
    json.push_back(std::move(item));
  }
  return json;
}

std::vector<EndpointInstance> InstancesFromJson(const Json& json) {
  std::vector<EndpointInstance> instances;
  for (const Json& item : json) {
    instances.push_back({TextField(item, "id"), TextField(item, "variant"),
                         static_cast<uint32_t>(IntField(item, "attempt", 1)), TimeField(item, "ready_at"),
                         static_cast<uint32_t>(IntField(item, "losses")), TimeField(item, "not_before")});
  }
  return instances;
}

Json FleetToJson(const Fleet& fleet) {
  return {{"config", fleet.config_name},
          {"variants", PlansToJson(fleet.variants)},
          {"instances", InstancesToJson(fleet.instances)},
          {"capture", fleet.capture_request}};
}

Result<std::optional<Fleet>> FleetField(const Json& json, const char* name) {
  if (!json.contains(name)) return std::optional<Fleet>();
  const Json& object = ObjectField(json, name);
  Result<std::vector<VariantPlan>> variants = PlansFromJson(ArrayField(object, "variants"));
  if (!variants.ok()) return variants.error();
  return std::optional<Fleet>(Fleet{TextField(object, "config"), std::move(*variants),
                                    InstancesFromJson(ArrayField(object, "instances")), TextField(object, "capture")});
}

}  // namespace

Result<ModelSpec> ModelSpec::FromRequestJson(std::string_view text) {
  Result<Json> parsed = ParseObject(text, "model request");
  if (!parsed.ok()) return parsed.error();
  const Json* container = &ObjectField(*parsed, "PrimaryContainer");
  const Json& containers = ArrayField(*parsed, "Containers");
  if (container->empty() && containers.size() == 1 && containers[0].is_object()) container = &containers[0];
  return ModelSpec{.model_name = TextField(*parsed, "ModelName"),
                   .image = TextField(*container, "Image"),
                   .model_data_url = TextField(*container, "ModelDataUrl"),
                   .environment = TextMapField(*container, "Environment"),
                   .request_json = std::string(text)};
}

Result<EndpointConfigSpec> EndpointConfigSpec::FromRequestJson(std::string_view text) {
  Result<Json> parsed = ParseObject(text, "endpoint config request");
  if (!parsed.ok()) return parsed.error();
  EndpointConfigSpec spec;
  spec.config_name = TextField(*parsed, "EndpointConfigName");
  for (const Json& variant : ArrayField(*parsed, "ProductionVariants")) {
    if (variant.is_object()) spec.variants.push_back(VariantFromJson(variant));
  }
  if (parsed->contains("DataCaptureConfig")) {
    spec.capture_request = DumpJson(ObjectField(*parsed, "DataCaptureConfig"));
  }
  spec.request_json = std::string(text);
  return spec;
}

void EndpointState::ChangeCapacity(const std::vector<DesiredCapacity>& desired) {
  Check(current.has_value(), "the capacity of an endpoint that serves nothing");
  for (VariantPlan& plan : current->variants) {
    VariantSpec& variant = plan.variant;
    if (!plan.before) plan.before = {variant.initial_instance_count, variant.initial_weight};
    for (const DesiredCapacity& asked : desired) {
      if (asked.variant_name != variant.variant_name) continue;
      if (asked.instance_count) variant.initial_instance_count = *asked.instance_count;
      if (asked.weight) variant.initial_weight = *asked.weight;
    }
  }
  status = "Updating";
  failure_reason.clear();
}

bool EndpointState::capacity_changing() const {
  return current && std::any_of(current->variants.begin(), current->variants.end(),
                                [](const VariantPlan& plan) { return plan.before.has_value(); });
}

Result<EndpointState> EndpointState::FromJson(std::string_view text) {
  Result<Json> parsed = ParseObject(text, "endpoint state");
  if (!parsed.ok()) return parsed.error();
  const Json& json = *parsed;
  EndpointState state;
  state.status = TextField(json, "status", "Creating");
  state.failure_reason = TextField(json, "failure_reason");
  Result<std::optional<Fleet>> current = FleetField(json, "current");
  if (!current.ok()) return current.error();
  state.current = std::move(*current);
  Result<std::optional<Fleet>> next = FleetField(json, "next");
  if (!next.ok()) return next.error();
  state.next = std::move(*next);
  state.retired = InstancesFromJson(ArrayField(json, "retired"));
  state.starts_failed = static_cast<uint32_t>(IntField(json, "starts_failed"));
  state.next_attempt = static_cast<uint32_t>(IntField(json, "next_attempt", 1));
  state.delete_requested = FlagField(json, "delete_requested");
  state.requested_config = TextField(json, "requested_config");
  Result<std::vector<VariantPlan>> requested = PlansFromJson(ArrayField(json, "requested_variants"));
  if (!requested.ok()) return requested.error();
  state.requested_variants = std::move(*requested);
  state.requested_capture = TextField(json, "requested_capture");
  state.deployment_request = TextField(json, "deployment_request");
  if (json.contains("deployment")) state.deployment = DeploymentFromJson(ObjectField(json, "deployment"));
  return state;
}

std::string EndpointState::ToJson() const {
  Json json = {{"status", status}, {"next_attempt", next_attempt}};
  if (!failure_reason.empty()) json["failure_reason"] = failure_reason;
  if (current) json["current"] = FleetToJson(*current);
  if (next) json["next"] = FleetToJson(*next);
  if (!retired.empty()) json["retired"] = InstancesToJson(retired);
  if (starts_failed != 0) json["starts_failed"] = starts_failed;
  if (delete_requested) json["delete_requested"] = true;
  if (!requested_config.empty()) json["requested_config"] = requested_config;
  if (!requested_variants.empty()) json["requested_variants"] = PlansToJson(requested_variants);
  if (!requested_capture.empty()) json["requested_capture"] = requested_capture;
  if (!deployment_request.empty()) json["deployment_request"] = deployment_request;
  if (deployment) json["deployment"] = DeploymentToJson(*deployment);
  return DumpJson(json);
}

}  // namespace argosy::catalog
