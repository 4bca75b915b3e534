#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/autoscaling/common.h"
#include "auth/principal.h"
#include "catalog/endpoint.h"
#include "catalog/json_fields.h"

namespace argosy::api::autoscaling {
namespace {

using catalog::Kind;
using catalog::ScalableTarget;
using catalog::TextField;

Shape RegisterInput() {
  return TargetShape({
      Optional("MinCapacity", Integer().Range(0, 10'000)),
      Optional("MaxCapacity", Integer().Range(0, 10'000)),
      Optional("RoleARN", TextShape()).Echoed(),
      Optional("SuspendedState", Structure({
                                     Optional("DynamicScalingInSuspended", Boolean()),
                                     Optional("DynamicScalingOutSuspended", Boolean()),
                                     Optional("ScheduledScalingSuspended", Boolean()),
                                 })),
      Optional("Tags", TagMapShape()),
  });
}

// The endpoint, when it has the variant or is about to.
std::variant<catalog::Resource, ServiceError> FindEndpoint(const Common& common, const catalog::VariantId& id) {
  Result<catalog::Resource> endpoint = common.deps.catalog->Get(Kind::kEndpoint, id.endpoint);
  if (!endpoint.ok() && endpoint.error().code() != ErrorCode::kNotFound) return FromError(endpoint.error());
  const Result<catalog::EndpointState> state = endpoint.ok() ? catalog::EndpointState::FromJson(endpoint->state)
                                                             : Result<catalog::EndpointState>(endpoint.error());
  const auto has = [&](const std::vector<catalog::VariantPlan>& plans) {
    return std::any_of(plans.begin(), plans.end(),
                       [&](const catalog::VariantPlan& plan) { return plan.variant.variant_name == id.variant; });
  };
  const bool there = state.ok() && !state->delete_requested &&
                     ((state->current && has(state->current->variants)) ||
                      (state->next && has(state->next->variants)) || has(state->requested_variants));
  if (there) return std::move(*endpoint);
  return ValidationError("SageMaker endpoint variant doesn't exist: there is no endpoint '" + id.endpoint +
                         "' with a production variant '" + id.variant + "'.");
}

// The target with what the request gives; what it leaves out stays.
std::optional<ServiceError> Apply(const Json& input, ScalableTarget& target) {
  const auto number = [&input](const char* name, uint32_t& value) {
    if (HasCount(input, name)) value = input[name].get<uint32_t>();
  };
  number("MinCapacity", target.min_capacity);
  number("MaxCapacity", target.max_capacity);
  if (target.min_capacity > target.max_capacity) {
    return ValidationError("Maximum capacity cannot be less than minimum capacity: MinCapacity is " +
                           std::to_string(target.min_capacity) + ", MaxCapacity " +
                           std::to_string(target.max_capacity) + ".");
  }
  if (const std::string role = TextField(input, "RoleARN"); !role.empty()) target.role_arn = role;
  const Json& suspended = catalog::ObjectField(input, "SuspendedState");
  const auto flag = [&suspended](const char* name, bool& value) {
    const auto it = suspended.find(name);
    if (it != suspended.end() && it->is_boolean()) value = it->get<bool>();
  };
  flag("DynamicScalingInSuspended", target.suspended.scale_in);
  flag("DynamicScalingOutSuspended", target.suspended.scale_out);
  flag("ScheduledScalingSuspended", target.suspended.scheduled);
  return std::nullopt;
}

void AddTags(const Json& input, catalog::Tags& tags) {
  for (const auto& [key, value] : catalog::TextMapField(input, "Tags")) tags[key] = value;
}

std::string TargetArn(const Common& common, std::string_view uid) {
  return common.Arn("application-autoscaling", "scalable-target/" + std::string(uid));
}

std::variant<Decision, ServiceError> Register(const Common& common, const Json& input, const std::string& principal) {
  const std::string resource_id = TextField(input, "ResourceId");
  if (auto error = CheckResourceId(resource_id)) return std::move(*error);
  Decision decision;
  const Result<catalog::Resource> known = common.deps.catalog->Get(Kind::kScalableTarget, resource_id);
  if (known.ok()) {
    Result<ScalableTarget> target = ScalableTarget::FromResource(*known);
    if (!target.ok()) return FromError(target.error());
    if (auto error = Apply(input, *target)) return std::move(*error);
    catalog::Tags tags = known->tags;
    AddTags(input, tags);
    decision.transaction.updates.push_back({.uid = known->uid,
                                            .version = known->version,
                                            .spec = target->SpecJson(),
                                            .tags = std::move(tags),
                                            .modified = common.Now()});
    decision.answer = DumpJson(Json{{"ScalableTargetARN", TargetArn(common, known->uid)}});
    return decision;
  }
  if (known.error().code() != ErrorCode::kNotFound) return FromError(known.error());
  if (!HasCount(input, "MinCapacity") || !HasCount(input, "MaxCapacity")) {
    return ValidationError("MinCapacity and MaxCapacity are required to register a new scalable target.");
  }
  std::variant<catalog::Resource, ServiceError> endpoint = FindEndpoint(common, *catalog::ParseResourceId(resource_id));
  if (auto* error = std::get_if<ServiceError>(&endpoint)) return std::move(*error);
  ScalableTarget target;
  target.role_arn = "arn:aws:iam::" + std::string(auth::kAccountId) +
                    ":role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
                    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint";
  if (auto error = Apply(input, target)) return std::move(*error);
  catalog::Resource r;
  r.kind = Kind::kScalableTarget;
  r.name = resource_id;
  r.created = r.modified = common.Now();
  r.uid = NewUid(*common.deps.random, r.created);
  r.principal = principal;
  r.owner = std::get<0>(endpoint).uid;
  r.spec = target.SpecJson();
  r.state = target.StateJson();
  AddTags(input, r.tags);
  decision.answer = DumpJson(Json{{"ScalableTargetARN", TargetArn(common, r.uid)}});
  decision.transaction.inserts.push_back({std::move(r)});
  return decision;
}

std::variant<Decision, ServiceError> Deregister(const Common& common, const Json& input) {
  std::variant<catalog::Resource, ServiceError> found = FindTarget(common, input);
  if (auto* error = std::get_if<ServiceError>(&found)) return std::move(*error);
  const catalog::Resource& target = std::get<0>(found);
  Decision decision;
  decision.answer = "{}";
  decision.transaction.removes.push_back({target.uid, target.version});
  const Result<ScalableTarget> read = ScalableTarget::FromResource(target);
  if (read.ok() && !read->state.activity.empty()) {  // nobody else will
    decision.transaction.updates.push_back(
        {.uid = read->state.activity,
         .status = "Overridden",
         .state = catalog::ActivityStateJson("The scalable target was deregistered.", common.Now()),
         .modified = common.Now()});
  }
  for (const Kind kind : {Kind::kScalingPolicy, Kind::kScheduledAction}) {
    Result<std::vector<catalog::Resource>> owned = ListAll(common, kind, target.uid);
    if (!owned.ok()) return FromError(owned.error());
    for (const catalog::Resource& r : *owned) decision.transaction.removes.push_back({r.uid});
  }
  return decision;
}

Json DescribeOne(const Common& common, const catalog::Resource& resource) {
  const Result<ScalableTarget> target = ScalableTarget::FromResource(resource);
  if (!target.ok()) return nullptr;
  return {{"ServiceNamespace", catalog::kScalingNamespace},
          {"ResourceId", resource.name},
          {"ScalableDimension", catalog::kScalingDimension},
          {"MinCapacity", target->min_capacity},
          {"MaxCapacity", target->max_capacity},
          {"RoleARN", target->role_arn},
          {"CreationTime", ToUnixSeconds(resource.created)},
          {"SuspendedState",
           {{"DynamicScalingInSuspended", target->suspended.scale_in},
            {"DynamicScalingOutSuspended", target->suspended.scale_out},
            {"ScheduledScalingSuspended", target->suspended.scheduled}}},
          {"ScalableTargetARN", TargetArn(common, resource.uid)}};
}

Answer Describe(const Common& common, const Json& input) {
  const Json& ids = catalog::ArrayField(input, "ResourceIds");
  if (ids.empty()) {
    catalog::Query query;
    query.kind = Kind::kScalableTarget;
    query.order = catalog::SortOrder::kAscending;
    return ListAnswer(common, input, query, "ScalableTargets",
                      [&](const catalog::Resource& r) { return DescribeOne(common, r); });
  }
  Json list = Json::array();
  for (const Json& id : ids) {
    if (auto error = CheckResourceId(id.get<std::string>())) return std::move(*error);
    const Result<catalog::Resource> target = common.deps.catalog->Get(Kind::kScalableTarget, id.get<std::string>());
    if (target.ok()) list.push_back(DescribeOne(common, *target));
  }
  return DumpJson(Json{{"ScalableTargets", std::move(list)}});
}

}  // namespace

std::vector<Operation> TargetOperations(std::shared_ptr<const Common> common) {
  std::vector<Operation> operations;
  operations.push_back({.name = "RegisterScalableTarget",
                        .summary = "Makes a variant's instance count scalable between two bounds (0 is allowed), or "
                                   "changes the bounds or what is suspended.",
                        .input = RegisterInput(),
                        .handle = [common](const Call& call, Reply reply) {
                          Change(
                              common,
                              [common, input = call.input, principal = call.principal.arn] {
                                return Register(*common, input, principal);
                              },
                              std::move(reply));
                        }});
  operations.push_back({.name = "DescribeScalableTargets",
                        .summary = "The registered targets, in pages.",
                        .access = auth::Access::kRead,
                        .input = ListShape({Optional("ResourceIds", List(TextShape()).Length(0, 50))}),
                        .handle = [common](const Call& call, Reply reply) { reply(Describe(*common, call.input)); }});
  operations.push_back(
      {.name = "DeregisterScalableTarget",
       .summary = "Ends the scaling of a variant and deletes its policies and scheduled actions; its count stays.",
       .input = TargetShape({}),
       .handle = [common](const Call& call, Reply reply) {
         Change(common, [common, input = call.input] { return Deregister(*common, input); }, std::move(reply));
       }});
  return operations;
}

}  // namespace argosy::api::autoscaling
