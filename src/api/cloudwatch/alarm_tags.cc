// TagResource, UntagResource, ListTagsForResource: of alarms, the only resources of CloudWatch here.
#include <nlohmann/json.hpp>
#include <utility>

#include "api/changes.h"
#include "api/cloudwatch/families.h"
#include "auth/principal.h"
#include "catalog/alarm.h"
#include "catalog/json_fields.h"

namespace argosy::api::cloudwatch {
namespace {

using catalog::TextField;

constexpr size_t kAlarmTagsMax = 50;  // of one alarm; the service's

std::variant<catalog::Resource, ServiceError> AlarmOfArn(const Context& context, const std::string& arn) {
  const std::string prefix = catalog::AlarmArn(context.region, auth::kAccountId, "");
  const ServiceError missing{404, "ResourceNotFoundException", "Unknown resource: there is no alarm " + arn + "."};
  if (!arn.starts_with(prefix)) return missing;
  Result<catalog::Resource> found = context.deps.catalog->Get(catalog::Kind::kAlarm, arn.substr(prefix.size()));
  if (found.ok()) return std::move(*found);
  return found.error().code() == ErrorCode::kNotFound ? missing : FromError(found.error());
}

using TagsChange = std::function<std::optional<ServiceError>(catalog::Tags& tags)>;

// An alarm that is tagged is not changed otherwise: its times stay.
void ChangeAlarmTags(const std::shared_ptr<const Context>& context, const Call& call, TagsChange change, Reply reply) {
  Propose propose = [context, arn = TextField(call.input, "ResourceARN"), change = std::move(change)]() -> Proposal {
    std::variant<catalog::Resource, ServiceError> found = AlarmOfArn(*context, arn);
    if (auto* error = std::get_if<ServiceError>(&found)) return Answer(std::move(*error));
    catalog::Resource& alarm = std::get<catalog::Resource>(found);
    if (auto error = change(alarm.tags)) return Answer(std::move(*error));
    Decision decision;
    decision.answer = "{}";
    decision.transaction.updates.push_back(
        {.uid = alarm.uid, .version = alarm.version, .tags = std::move(alarm.tags), .modified = alarm.modified});
    return decision;
  };
  CommitProposal(context->deps.catalog, context->deps.pool, std::move(propose), std::move(reply));
}

void Tag(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  catalog::Tags added;
  for (const Json& tag : catalog::ArrayField(call.input, "Tags")) {
    const std::string key = TextField(tag, "Key");
    if (key.starts_with("aws:")) {
      return reply(InvalidValue("The tag key '" + key + "' begins with 'aws:', which is reserved for system use."));
    }
    if (!added.emplace(key, TextField(tag, "Value")).second) {
      return reply(InvalidValue("The tag key '" + key + "' is given twice."));
    }
  }
  ChangeAlarmTags(
      context, call,
      [added = std::move(added)](catalog::Tags& tags) -> std::optional<ServiceError> {
        for (const auto& [key, value] : added) tags[key] = value;
        if (tags.size() <= kAlarmTagsMax) return std::nullopt;
        return InvalidValue("An alarm can have at most " + std::to_string(kAlarmTagsMax) + " tags; this would be " +
                            std::to_string(tags.size()) + ".");
      },
      std::move(reply));
}

void Untag(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  std::vector<std::string> keys;
  for (const Json& key : catalog::ArrayField(call.input, "TagKeys")) keys.push_back(key.get<std::string>());
  ChangeAlarmTags(
      context, call,
      [keys = std::move(keys)](catalog::Tags& tags) -> std::optional<ServiceError> {
        for (const std::string& key : keys) tags.erase(key);
        return std::nullopt;
      },
      std::move(reply));
}

void ListOfAlarm(const Context& context, const Call& call, const Reply& reply) {
  std::variant<catalog::Resource, ServiceError> found = AlarmOfArn(context, TextField(call.input, "ResourceARN"));
  if (auto* error = std::get_if<ServiceError>(&found)) return reply(std::move(*error));
  Json tags = Json::array();
  for (const auto& [key, value] : std::get<catalog::Resource>(found).tags) {
    tags.push_back({{"Key", key}, {"Value", value}});
  }
  reply(DumpJson(Json{{"Tags", std::move(tags)}}));
}

Member ArnMember() {
  return Required("ResourceARN", String().Length(1, 1024));
}

}  // namespace

Shape AlarmTagsShape() {
  return List(Structure({Required("Key", String().Length(1, 128)), Required("Value", String().Length(0, 256))}))
      .AtMost(static_cast<int64_t>(kAlarmTagsMax));
}

Operation TagResource(std::shared_ptr<const Context> context) {
  return {.name = "TagResource",
          .summary = "Adds or overwrites tags of an alarm.",
          .input = Structure({ArnMember(), Required("Tags", AlarmTagsShape())}),
          .handle = [context](const Call& call, Reply reply) { Tag(context, call, std::move(reply)); }};
}

Operation UntagResource(std::shared_ptr<const Context> context) {
  return {.name = "UntagResource",
          .summary = "Removes tags of an alarm by their keys.",
          .input = Structure({ArnMember(), Required("TagKeys", List(String().Length(1, 128)).AtMost(200))}),
          .handle = [context](const Call& call, Reply reply) { Untag(context, call, std::move(reply)); }};
}

Operation ListTagsForResource(std::shared_ptr<const Context> context) {
  return {.name = "ListTagsForResource",
          .summary = "The tags of an alarm.",
          .access = auth::Access::kRead,
          .input = Structure({ArnMember()}),
          .handle = [context](const Call& call, const Reply& reply) { ListOfAlarm(*context, call, reply); }};
}

}  // namespace argosy::api::cloudwatch
