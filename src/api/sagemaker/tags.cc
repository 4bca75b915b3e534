#include <nlohmann/json.hpp>
#include <utility>

#include "api/patterns.h"
#include "api/sagemaker/context.h"
#include "api/sagemaker/families.h"
#include "catalog/json_fields.h"

namespace argosy::api::sagemaker {
namespace {

using catalog::Kind;
using catalog::TextField;

constexpr size_t kTagsMax = 50;  // of one resource; the service's

struct Target {
  Kind kind;
  std::string name;
};

// Nothing when no resource of ours could have this ARN.
std::optional<Target> FindTarget(const Context& context, const std::string& arn) {
  for (const Kind kind : {Kind::kTrainingJob, Kind::kModel, Kind::kEndpointConfig, Kind::kEndpoint}) {
    const std::string prefix = context.Arn(kind, "");
    if (arn.starts_with(prefix)) return Target{kind, arn.substr(prefix.size())};
  }
  return std::nullopt;
}

ServiceError Missing(const std::string& arn) {
  return ValidationError("Could not find resource \"" + arn + "\".");
}

Decision TagsChange(const catalog::Resource& resource, catalog::Tags tags, std::string answer) {
  Decision decision;
  // Tagging is no change of the resource itself: LastModifiedTime stays.
  catalog::Transaction::Update update = UpdateOf(resource, resource.modified);
  update.tags = std::move(tags);
  decision.transaction.updates.push_back(std::move(update));
  decision.answer = std::move(answer);
  return decision;
}

void Add(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  if (auto error = CheckTags(call.input)) return reply(std::move(*error));
  const std::string arn = TextField(call.input, "ResourceArn");
  std::optional<Target> target = FindTarget(*context, arn);
  if (!target) return reply(Missing(arn));
  catalog::Tags added;
  for (const Json& tag : catalog::ArrayField(call.input, "Tags"))
    added[TextField(tag, "Key")] = TextField(tag, "Value");
  Change(
      context, target->kind, std::move(target->name), Missing(arn),
      [added = std::move(added)](const catalog::Resource& resource) -> std::variant<Decision, Answer> {
        catalog::Tags tags = resource.tags;
        for (const auto& [key, value] : added) tags[key] = value;
        if (tags.size() > kTagsMax) {
          return Answer(ValidationError("A resource can have at most " + std::to_string(kTagsMax) +
                                        " tags; this would be " + std::to_string(tags.size()) + "."));
        }
        std::string answer = DumpJson(Json{{"Tags", TagsJson(tags)}});
        return TagsChange(resource, std::move(tags), std::move(answer));
      },
      std::move(reply));
}

void ListOf(const Context& context, const Call& call, Reply reply) {
  const std::string arn = TextField(call.input, "ResourceArn");
  const std::optional<Target> target = FindTarget(context, arn);
  if (!target) return reply(Missing(arn));
  const Result<catalog::Resource> resource = context.deps.catalog->Get(target->kind, target->name);
  if (!resource.ok()) {
    return reply(resource.error().code() == ErrorCode::kNotFound ? Answer(Missing(arn))
                                                                 : ErrorAnswer(resource.error()));
  }
  // At most kTagsMax, and MaxResults is at least 50: always one page, whose end no token follows.
  if (!TextField(call.input, "NextToken").empty()) return reply(ValidationError("Invalid pagination token."));
  reply(JsonAnswer({{"Tags", TagsJson(resource->tags)}}));
}

void Delete(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  const std::string arn = TextField(call.input, "ResourceArn");
  std::optional<Target> target = FindTarget(*context, arn);
  if (!target) return reply(Missing(arn));
  std::vector<std::string> keys;
  for (const Json& key : catalog::ArrayField(call.input, "TagKeys")) keys.push_back(key.get<std::string>());
  Change(
      context, target->kind, std::move(target->name), Missing(arn),
      [keys = std::move(keys)](const catalog::Resource& resource) -> std::variant<Decision, Answer> {
        catalog::Tags tags = resource.tags;
        for (const std::string& key : keys) tags.erase(key);
        return TagsChange(resource, std::move(tags), "{}");
      },
      std::move(reply));
}

}  // namespace

std::vector<Operation> TagOperations(std::shared_ptr<const Context> context) {
  const Shape arn = String().AtMost(256).Matching(kSagemakerArnPattern);
  std::vector<Operation> operations;
  operations.push_back(
      {.name = "AddTags",
       .summary = "Adds tags to a training job, model, endpoint config or endpoint; a known key gets the new value.",
       .input = Structure({Required("ResourceArn", arn), Required("Tags", TagsShape())}),
       .handle = [context](const Call& call, Reply reply) { Add(context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "ListTags",
       .summary = "The tags of a resource.",
       .access = auth::Access::kRead,
       .input = Structure({
           Required("ResourceArn", arn),
           Optional("NextToken", String().AtMost(8192)),
           Optional("MaxResults", Integer().AtLeast(50)),
       }),
       .handle = [context](const Call& call, Reply reply) { ListOf(*context, call, std::move(reply)); }});
  operations.push_back(
      {.name = "DeleteTags",
       .summary = "Takes tags off a resource.",
       .input = Structure({
           Required("ResourceArn", arn),
           Required("TagKeys", List(String().Length(1, 128)).Length(1, 50)),
       }),
       .handle = [context](const Call& call, Reply reply) { Delete(context, call, std::move(reply)); }});
  return operations;
}

}  // namespace argosy::api::sagemaker
