#include "api/sagemaker/context.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/patterns.h"
#include "auth/principal.h"
#include "catalog/json_fields.h"

namespace argosy::api::sagemaker {

using catalog::TextField;

std::string Context::Arn(catalog::Kind kind, std::string_view name) const {
  std::string arn = "arn:aws:sagemaker:";
  arn += options.region;
  arn += ':';
  arn += auth::kAccountId;
  arn += ':';
  arn += catalog::KindName(kind);
  arn += '/';
  arn += name;
  return arn;
}

catalog::Resource Context::NewResource(catalog::Kind kind, std::string name, const Call& call) const {
  catalog::Resource resource;
  resource.kind = kind;
  resource.name = std::move(name);
  resource.created = resource.modified = Now();
  resource.uid = NewUid(*deps.random, resource.created);
  resource.principal = call.principal.arn;
  resource.spec = std::string(call.body);
  for (const Json& tag : catalog::ArrayField(call.input, "Tags"))
    resource.tags[TextField(tag, "Key")] = TextField(tag, "Value");
  return resource;
}

Json Seconds(Time time) {
  return ToUnixSeconds(time);
}
Answer JsonAnswer(const Json& json) {
  return DumpJson(json);
}
Answer ErrorAnswer(const Error& error) {
  return FromError(error);
}
Answer ErrorAnswer(ServiceError error) {
  return error;
}

void Insert(const Context& context, catalog::Resource resource, std::string_view arn_member, ServiceError taken,
            Reply reply) {
  std::string answer = DumpJson(Json{{std::string(arn_member), context.Arn(resource.kind, resource.name)}});
  catalog::Transaction transaction;
  transaction.inserts.push_back({std::move(resource)});
  context.deps.catalog->Commit(std::move(transaction),
                               [answer = std::move(answer), taken = std::move(taken),
                                reply = std::move(reply)](const Result<catalog::Change>& change) mutable {
                                 if (change.ok()) return reply(std::move(answer));
                                 if (change.error().code() == ErrorCode::kAlreadyExists) return reply(std::move(taken));
                                 reply(ErrorAnswer(change.error()));
                               });
}

namespace {

void ChangeAttempt(std::shared_ptr<const Context> context, catalog::Kind kind, std::string name, ServiceError missing,
                   Decide decide, Reply reply, int attempt) {
  const Result<catalog::Resource> resource = context->deps.catalog->Get(kind, name);
  if (!resource.ok()) {
    if (resource.error().code() == ErrorCode::kNotFound) return reply(std::move(missing));
    return reply(ErrorAnswer(resource.error()));
  }
  std::variant<Decision, Answer> decided = decide(*resource);
  if (auto* answer = std::get_if<Answer>(&decided)) return reply(std::move(*answer));
  Decision& decision = std::get<Decision>(decided);
  catalog::Catalog* catalog = context->deps.catalog;
  catalog->Commit(std::move(decision.transaction),
                  [context = std::move(context), kind, name = std::move(name), missing = std::move(missing),
                   decide = std::move(decide), reply = std::move(reply), attempt,
                   answer = std::move(decision.answer)](const Result<catalog::Change>& change) mutable {
                    if (change.ok()) return reply(std::move(answer));
                    const ErrorCode code = change.error().code();
                    // kNotFound: removed, and perhaps made anew under its name, since it was read.
                    const bool again = code == ErrorCode::kConflict || code == ErrorCode::kNotFound;
                    if (!again || attempt >= kUpdateAttemptsMax) return reply(ErrorAnswer(change.error()));
                    ThreadPool* pool = context->deps.pool;
                    // This is the catalog's writer thread: reading is for the pool.
                    auto retry = [context = std::move(context), kind, name = std::move(name),
                                  missing = std::move(missing), decide = std::move(decide), reply,
                                  attempt] { ChangeAttempt(context, kind, name, missing, decide, reply, attempt + 1); };
                    if (const Status queued = pool->Submit(std::move(retry)); !queued.ok())
                      reply(ErrorAnswer(queued.error()));
                  });
}

}  // namespace

void Change(std::shared_ptr<const Context> context, catalog::Kind kind, std::string name, ServiceError missing,
            Decide decide, Reply reply) {
  ChangeAttempt(std::move(context), kind, std::move(name), std::move(missing), std::move(decide), std::move(reply), 1);
}

catalog::Transaction::Update UpdateOf(const catalog::Resource& resource, Time now) {
  catalog::Transaction::Update update;
  update.uid = resource.uid;
  update.version = resource.version;
  update.modified = now;
  return update;
}

Shape ListInput(ListMembers members) {
  std::vector<Member> list = {
      Optional("NextToken", String().AtMost(8192)),
      Optional("MaxResults", Integer().Range(1, 100)),
      Optional("NameContains", String().AtMost(63).Matching(kNameContainsPattern)),
      Optional("CreationTimeAfter", Timestamp()),
      Optional("CreationTimeBefore", Timestamp()),
      Optional("SortBy", Enum(std::move(members.sort_by))),
      Optional("SortOrder", Enum({"Ascending", "Descending"})),
  };
  if (members.by_modified) {
    list.push_back(Optional("LastModifiedTimeAfter", Timestamp()));
    list.push_back(Optional("LastModifiedTimeBefore", Timestamp()));
  }
  if (!members.statuses.empty()) list.push_back(Optional("StatusEquals", Enum(std::move(members.statuses))));
  return Structure(std::move(list));
}

catalog::Query ListQuery(catalog::Kind kind, const Json& input, catalog::SortOrder default_order) {
  constexpr int64_t kResultsDefault = 10;  // the services'
  catalog::Query query;
  query.kind = kind;
  query.name_contains = TextField(input, "NameContains");
  query.status = TextField(input, "StatusEquals");
  query.page_token = TextField(input, "NextToken");
  query.max_results = static_cast<size_t>(catalog::IntField(input, "MaxResults", kResultsDefault));
  const auto time = [&input](const char* member) -> std::optional<Time> {
    const auto found = input.find(member);
    if (found == input.end() || !found->is_number()) return std::nullopt;
    // What nanoseconds since 1970 cannot hold is as good as the last time they can.
    constexpr double kSecondsMax = 9.2e9;
    return FromUnixSeconds(std::clamp(found->get<double>(), 0.0, kSecondsMax));
  };
  query.created_after = time("CreationTimeAfter");
  query.created_before = time("CreationTimeBefore");
  query.modified_after = time("LastModifiedTimeAfter");
  query.modified_before = time("LastModifiedTimeBefore");
  const std::string sort_by = TextField(input, "SortBy");
  query.sort_by = sort_by == "Name"     ? catalog::SortBy::kName
                  : sort_by == "Status" ? catalog::SortBy::kStatus
                                        : catalog::SortBy::kCreated;
  const std::string order = TextField(input, "SortOrder");
  query.order = order == "Ascending"    ? catalog::SortOrder::kAscending
                : order == "Descending" ? catalog::SortOrder::kDescending
                                        : default_order;
  return query;
}

Answer ListAnswer(const Context& context, const catalog::Query& query, const char* list_member,
                  const std::function<Json(const catalog::Resource&)>& summarise) {
  Result<catalog::Page> page = context.deps.catalog->List(query);
  if (!page.ok()) {
    if (page.error().code() == ErrorCode::kInvalidArgument) return ValidationError("Invalid pagination token.");
    return ErrorAnswer(page.error());
  }
  Json list = Json::array();
  for (const catalog::Resource& resource : page->resources) list.push_back(summarise(resource));
  Json answer = {{list_member, std::move(list)}};
  if (!page->next_token.empty()) answer["NextToken"] = page->next_token;
  return JsonAnswer(answer);
}

Result<Json> SentRequest(const catalog::Resource& resource) {
  Result<Json> parsed = ParseJson(resource.spec);
  if (!parsed.ok()) return parsed.error().Wrap("stored request of '" + resource.name + "'");
  if (!parsed->is_object()) return Error(ErrorCode::kCorrupt, "stored request of '" + resource.name + "' is no object");
  parsed->erase("Tags");
  for (auto member = parsed->begin(); member != parsed->end();) {
    member = member->is_null() ? parsed->erase(member) : std::next(member);
  }
  return parsed;
}

Shape NameShape(int64_t least) {
  return String().Length(least, 63).Matching(kNamePattern);
}
Shape RoleArnShape() {
  return String().Length(20, 2048).Matching(kRoleArnPattern);
}
Shape S3UriShape() {
  return String().AtMost(1024).Matching(kS3UriPattern);
}

Shape TagsShape() {
  return List(Structure({
                  Required("Key", String().Length(1, 128).Matching(kTagPattern)),
                  Required("Value", String().Length(0, 256).Matching(kTagPattern)),
              }))
      .Length(0, 50);
}

Shape VpcConfigShape() {
  return Structure({
      Required("SecurityGroupIds", List(String().AtMost(32)).Length(1, 5)),
      Required("Subnets", List(String().AtMost(32)).Length(1, 16)),
  });
}

std::optional<ServiceError> CheckTags(const Json& input) {
  std::set<std::string> keys;
  for (const Json& tag : catalog::ArrayField(input, "Tags")) {
    const std::string key = TextField(tag, "Key");
    if (!keys.insert(key).second) {
      return ValidationError("Duplicate tag keys are not allowed: the key '" + key + "' is given twice.");
    }
    if (key.starts_with("aws:")) {
      return ValidationError("The tag key '" + key + "' begins with 'aws:', which is reserved for system use.");
    }
  }
  return std::nullopt;
}

std::optional<ServiceError> CheckImage(const Context& context, std::string_view image) {
  if (context.options.is_builtin_image(image)) return std::nullopt;
  std::string names;
  for (const std::string& name : context.options.builtin_names) names += (names.empty() ? "" : ", ") + name;
  return ValidationError("Argosy has no algorithm for the image '" + std::string(image) +
                         "'. The repository name must be one of: " + names +
                         ". Account and region of the image do not matter.");
}

}  // namespace argosy::api::sagemaker
