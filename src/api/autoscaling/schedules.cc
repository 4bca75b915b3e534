#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/autoscaling/common.h"
#include "base/schedule.h"
#include "catalog/json_fields.h"

namespace argosy::api::autoscaling {
namespace {

using catalog::Kind;
using catalog::ObjectField;
using catalog::TextField;

constexpr size_t kScheduledActionsMax = 200;  // of one target; the service's

Shape PutActionInput() {
  return TargetShape({
      Required("ScheduledActionName", TextShape(256)),
      Optional("Schedule", TextShape()),
      Optional("Timezone", TextShape()),
      Optional("StartTime", Timestamp()),
      Optional("EndTime", Timestamp()),
      Optional("ScalableTargetAction", Structure({
                                           Optional("MinCapacity", Integer().Range(0, 10'000)),
                                           Optional("MaxCapacity", Integer().Range(0, 10'000)),
                                       })),
  });
}

std::optional<ServiceError> CheckAction(const Json& spec, Time now) {
  const Json& bounds = ObjectField(spec, "ScalableTargetAction");
  const bool least = HasCount(bounds, "MinCapacity");
  const bool most = HasCount(bounds, "MaxCapacity");
  if (!least && !most) return ValidationError("ScalableTargetAction needs MinCapacity, MaxCapacity or both.");
  if (least && most && catalog::IntField(bounds, "MinCapacity") > catalog::IntField(bounds, "MaxCapacity")) {
    return ValidationError("Maximum capacity cannot be less than minimum capacity.");
  }
  const std::string expression = TextField(spec, "Schedule");
  if (expression.empty()) return ValidationError("Schedule is required to create a scheduled action.");
  const Result<Schedule> schedule = Schedule::Parse(expression, TextField(spec, "Timezone"));
  if (!schedule.ok()) return ValidationError(schedule.error().message());
  if (schedule->once() && !schedule->Next(now, now)) {
    return ValidationError("Scheduled action is in the past: '" + expression + "' will not come any more.");
  }
  const double start = catalog::NumberField(spec, "StartTime");
  const double end = catalog::NumberField(spec, "EndTime");
  if (spec.contains("EndTime") && end <= std::max(start, ToUnixSeconds(now))) {
    return ValidationError("EndTime must lie in the future and after StartTime.");
  }
  return std::nullopt;
}

std::variant<Decision, ServiceError> Put(const Common& common, const Json& input, const std::string& principal) {
  std::variant<catalog::Resource, ServiceError> target = FindTarget(common, input);
  if (auto* error = std::get_if<ServiceError>(&target)) return std::move(*error);
  const catalog::Resource& owner = std::get<0>(target);
  const std::string name = TextField(input, "ScheduledActionName");
  const std::string full_name = catalog::ActionResourceName(owner.name, name);
  const Result<catalog::Resource> known = common.deps.catalog->Get(Kind::kScheduledAction, full_name);
  if (!known.ok() && known.error().code() != ErrorCode::kNotFound) return FromError(known.error());
  const Time now = common.Now();
  const std::string uid = known.ok() ? known->uid : NewUid(*common.deps.random, now);
  // An update keeps what it does not give, but for the times.
  Json spec = known.ok() ? SpecOf(*known) : Json::object();
  spec.erase("StartTime");
  spec.erase("EndTime");
  for (const auto& [member, value] : input.items()) {
    if (!value.is_null()) spec[member] = value;
  }
  spec["ScheduledActionARN"] = common.Arn(
      "autoscaling", "scheduledAction:" + uid + ":resource/sagemaker/" + owner.name + ":scheduledActionName/" + name);
  if (auto error = CheckAction(spec, now)) return std::move(*error);
  catalog::ScheduledAction fresh;
  fresh.last_run = now;  // nothing that lies before is due
  Decision decision;
  decision.answer = "{}";
  if (known.ok()) {
    decision.transaction.updates.push_back(
        {.uid = uid, .version = known->version, .spec = DumpJson(spec), .state = fresh.StateJson(), .modified = now});
    return decision;
  }
  const Result<std::vector<catalog::Resource>> others = ListAll(common, Kind::kScheduledAction, owner.uid);
  if (!others.ok()) return FromError(others.error());
  if (others->size() >= kScheduledActionsMax) {
    return ServiceError{
        400, "LimitExceededException",
        "A scalable target has at most " + std::to_string(kScheduledActionsMax) + " scheduled actions."};
  }
  catalog::Resource r;
  r.kind = Kind::kScheduledAction;
  r.name = full_name;
  r.uid = uid;
  r.created = r.modified = now;
  r.principal = principal;
  r.owner = owner.uid;
  r.spec = DumpJson(spec);
  r.state = fresh.StateJson();
  decision.transaction.inserts.push_back({std::move(r)});
  HoldTarget(owner, decision.transaction);
  return decision;
}

std::variant<Decision, ServiceError> Delete(const Common& common, const Json& input) {
  const std::string resource_id = TextField(input, "ResourceId");
  if (auto error = CheckResourceId(resource_id)) return std::move(*error);
  const std::string name = TextField(input, "ScheduledActionName");
  const Result<catalog::Resource> known =
      common.deps.catalog->Get(Kind::kScheduledAction, catalog::ActionResourceName(resource_id, name));
  if (!known.ok()) {
    if (known.error().code() != ErrorCode::kNotFound) return FromError(known.error());
    return ServiceError{400, "ObjectNotFoundException",
                        "No scheduled action found for service namespace: sagemaker, resource ID: " + resource_id +
                            ", scheduled action name: " + name};
  }
  Decision decision;
  decision.answer = "{}";
  decision.transaction.removes.push_back({known->uid});
  return decision;
}

Answer Describe(const Common& common, const Json& input) {
  return ListOfTarget(
      common, input, {Kind::kScheduledAction, "ScheduledActions", "ScheduledActionNames", "ScheduledActionName"},
      [](const catalog::Resource& resource) {
        const Json spec = SpecOf(resource);
        Json action =
            Picked(spec, {"ScheduledActionName", "ScheduledActionARN", "ServiceNamespace", "Schedule", "Timezone",
                          "ResourceId", "ScalableDimension", "StartTime", "EndTime", "ScalableTargetAction"});
        action["CreationTime"] = ToUnixSeconds(resource.created);
        return action;
      });
}

}  // namespace

std::vector<Operation> ScheduleOperations(std::shared_ptr<const Common> common) {
  std::vector<Operation> operations;
  operations.push_back(
      {.name = "PutScheduledAction",
       .summary = "Sets a target's bounds at a time (`at`), every so often (`rate`) or by the "
                  "calendar (`cron`), in any time zone.",
       .input = PutActionInput(),
       .handle = [common](const Call& call, Reply reply) {
         Change(
             common,
             [common, input = call.input, principal = call.principal.arn] { return Put(*common, input, principal); },
             std::move(reply));
       }});
  operations.push_back(
      {.name = "DescribeScheduledActions",
       .summary = "The scheduled actions, of one target or of all, in pages; also those that have had their day.",
       .access = auth::Access::kRead,
       .input = ListShape(
           {Optional("ResourceId", TextShape()), Optional("ScheduledActionNames", List(TextShape()).Length(0, 50))}),
       .handle = [common](const Call& call, Reply reply) { reply(Describe(*common, call.input)); }});
  operations.push_back(
      {.name = "DeleteScheduledAction",
       .summary = "Deletes a scheduled action; the bounds stay as they are.",
       .input = TargetShape({Required("ScheduledActionName", TextShape())}),
       .handle = [common](const Call& call, Reply reply) {
         Change(common, [common, input = call.input] { return Delete(*common, input); }, std::move(reply));
       }});
  return operations;
}

}  // namespace argosy::api::autoscaling
