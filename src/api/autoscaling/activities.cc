#include <nlohmann/json.hpp>
#include <utility>

#include "api/autoscaling/common.h"
#include "catalog/json_fields.h"

namespace argosy::api::autoscaling {
namespace {

using catalog::TextField;

Json DescribeActivity(const catalog::Resource& resource, bool with_not_scaled) {
  const Result<catalog::ScalingActivity> activity = catalog::ScalingActivity::FromResource(resource);
  if (!activity.ok() || (!with_not_scaled && !activity->not_scaled_code.empty())) return nullptr;
  Json json = {{"ActivityId", activity->uid},
               {"ServiceNamespace", catalog::kScalingNamespace},
               {"ResourceId", activity->resource_id},
               {"ScalableDimension", catalog::kScalingDimension},
               {"Description", activity->description},
               {"Cause", activity->cause},
               {"StartTime", ToUnixSeconds(activity->start)},
               {"StatusCode", activity->status}};
  if (activity->end) json["EndTime"] = ToUnixSeconds(*activity->end);
  if (!activity->message.empty()) json["StatusMessage"] = activity->message;
  if (!activity->not_scaled_code.empty()) {
    json["NotScaledReasons"] = Json::array({{{"Code", activity->not_scaled_code},
                                             {"MaxCapacity", activity->max_capacity},
                                             {"MinCapacity", activity->min_capacity},
                                             {"CurrentCapacity", activity->current_capacity}}});
  }
  return json;
}

Answer Describe(const Common& common, const Json& input) {
  catalog::Query query;
  query.kind = catalog::Kind::kScalingActivity;
  query.owner = TextField(input, "ResourceId");
  if (!query.owner.empty()) {
    if (auto error = CheckResourceId(query.owner)) return std::move(*error);
  }
  const bool with_not_scaled = catalog::FlagField(input, "IncludeNotScaledActivities");
  return ListAnswer(common, input, query, "ScalingActivities",
                    [&](const catalog::Resource& resource) { return DescribeActivity(resource, with_not_scaled); });
}

}  // namespace

std::vector<Operation> ActivityOperations(std::shared_ptr<const Common> common) {
  std::vector<Operation> operations;
  operations.push_back(
      {.name = "DescribeScalingActivities",
       .summary = "What was changed, when and why, the newest first; the last 100 of each target.",
       .access = auth::Access::kRead,
       .input = ListShape({Optional("ResourceId", TextShape()), Optional("IncludeNotScaledActivities", Boolean())}),
       .handle = [common](const Call& call, Reply reply) { reply(Describe(*common, call.input)); }});
  return operations;
}

}  // namespace argosy::api::autoscaling
