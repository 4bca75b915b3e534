#include <nlohmann/json.hpp>
#include <utility>

#include "api/autoscaling/common.h"
#include "catalog/json_fields.h"

namespace argosy::api::autoscaling {
namespace {

using catalog::TextField;

constexpr size_t kTargetTagsMax = 50;

ServiceError NotFound(const std::string& arn) {
  return {400, "ResourceNotFoundException", "The resource " + arn + " is not found: no scalable target has this ARN."};
}

std::variant<catalog::Resource, ServiceError> FindByArn(const Common& common, const Json& input) {
  const std::string arn = TextField(input, "ResourceARN");
  const std::string prefix = common.Arn("application-autoscaling", "scalable-target/");
  if (!arn.starts_with(prefix)) return NotFound(arn);
  Result<catalog::Resource> found = common.deps.catalog->GetByUid(arn.substr(prefix.size()));
  if (found.ok() && found->kind == catalog::Kind::kScalableTarget) return std::move(*found);
  if (!found.ok() && found.error().code() != ErrorCode::kNotFound) return FromError(found.error());
  return NotFound(arn);
}

using TagChange = std::function<void(const Json& input, catalog::Tags& tags)>;

std::variant<Decision, ServiceError> ChangeTags(const Common& common, const Json& input, const TagChange& change) {
  std::variant<catalog::Resource, ServiceError> found = FindByArn(common, input);
  if (auto* error = std::get_if<ServiceError>(&found)) return std::move(*error);
  catalog::Resource& target = std::get<0>(found);
  change(input, target.tags);
  if (target.tags.size() > kTargetTagsMax) {
    return ServiceError{400, "TooManyTagsException",
                        "A scalable target has at most " + std::to_string(kTargetTagsMax) + " tags."};
  }
  Decision decision;
  decision.answer = "{}";
  decision.transaction.updates.push_back(
      {.uid = target.uid, .version = target.version, .tags = std::move(target.tags), .modified = target.modified});
  return decision;
}

Operation TagOperation(const std::shared_ptr<const Common>& common, std::string name, std::string summary,
                       Member member, TagChange change) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .input = Structure({Required("ResourceARN", String().Length(1, 1011)), std::move(member)}),
          .handle = [common, change = std::move(change)](const Call& call, Reply reply) {
            Change(
                common, [common, change, input = call.input] { return ChangeTags(*common, input, change); },
                std::move(reply));
          }};
}

}  // namespace

std::vector<Operation> TagOperations(std::shared_ptr<const Common> common) {
  std::vector<Operation> operations;
  operations.push_back(TagOperation(common, "TagResource", "Adds or overwrites tags of a scalable target.",
                                    Required("Tags", TagMapShape()), [](const Json& input, catalog::Tags& tags) {
                                      for (const auto& [key, value] : catalog::TextMapField(input, "Tags")) {
                                        tags[key] = value;
                                      }
                                    }));
  operations.push_back(TagOperation(common, "UntagResource", "Removes tags by their keys.",
                                    Required("TagKeys", List(String().Length(1, 128)).Length(0, 200)),
                                    [](const Json& input, catalog::Tags& tags) {
                                      for (const Json& key : catalog::ArrayField(input, "TagKeys")) {
                                        tags.erase(key.get<std::string>());
                                      }
                                    }));
  operations.push_back({.name = "ListTagsForResource",
                        .summary = "The tags of a scalable target.",
                        .access = auth::Access::kRead,
                        .input = Structure({Required("ResourceARN", String().Length(1, 1011))}),
                        .handle = [common](const Call& call, Reply reply) {
                          std::variant<catalog::Resource, ServiceError> found = FindByArn(*common, call.input);
                          if (auto* error = std::get_if<ServiceError>(&found)) return reply(std::move(*error));
                          Json tags = Json::object();
                          for (const auto& [key, value] : std::get<0>(found).tags) tags[key] = value;
                          reply(DumpJson(Json{{"Tags", std::move(tags)}}));
                        }});
  return operations;
}

}  // namespace argosy::api::autoscaling
