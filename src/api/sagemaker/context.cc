#include "api/sagemaker/context.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/patterns.h"
#include "auth/principal.h"
#include "catalog/json_fields.h"
#include "model/images.h"

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

Json TagsJson(const catalog::Tags& tags) {
  Json list = Json::array();
  for (const auto& [key, value] : tags) list.push_back({{"Key", key}, {"Value", value}});
  return list;
}
Json CreatedBy(const catalog::Resource& resource) {
  return Json{{"IamIdentity", {{"Arn", resource.principal}, {"PrincipalId", auth::MakerOf(resource.principal).name}}}};
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

void Change(std::shared_ptr<const Context> context, catalog::Kind kind, std::string name, ServiceError missing,
            Decide decide, Reply reply) {
  catalog::Catalog* const catalog = context->deps.catalog;
  ThreadPool* const pool = context->deps.pool;
  Propose propose = [context = std::move(context), kind, name = std::move(name), missing = std::move(missing),
                     decide = std::move(decide)]() -> Proposal {
    const Result<catalog::Resource> resource = context->deps.catalog->Get(kind, name);
    if (resource.ok()) return decide(*resource);
    return resource.error().code() == ErrorCode::kNotFound ? Answer(missing) : ErrorAnswer(resource.error());
  };
  CommitProposal(catalog, pool, std::move(propose), std::move(reply));
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

catalog::Query ListQuery(catalog::Kind kind, const Json& input, ListRules rules) {
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
  // Clients see times to the millisecond: what they call a time is all of it.
  constexpr Duration kToItsEnd = std::chrono::milliseconds(1) - Duration(1);
  query.created_after = time("CreationTimeAfter");
  if (query.created_after) *query.created_after += rules == ListRules::kOldestFirst ? kToItsEnd : -Duration(1);
  query.created_before = time("CreationTimeBefore");
  query.modified_after = time("LastModifiedTimeAfter");
  if (query.modified_after) *query.modified_after += kToItsEnd;
  query.modified_before = time("LastModifiedTimeBefore");
  const std::string sort_by = TextField(input, "SortBy");
  query.sort_by = sort_by == "Name"     ? catalog::SortBy::kName
                  : sort_by == "Status" ? catalog::SortBy::kStatus
                                        : catalog::SortBy::kCreated;
  const std::string order = TextField(input, "SortOrder");
  query.order = order == "Ascending"               ? catalog::SortOrder::kAscending
                : order == "Descending"            ? catalog::SortOrder::kDescending
                : rules == ListRules::kOldestFirst ? catalog::SortOrder::kAscending
                                                   : catalog::SortOrder::kDescending;
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
  for (const catalog::Resource& resource : page->resources) {
    list.push_back(summarise(resource));
    list.back()["CreatedBy"] = CreatedBy(resource);
  }
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

namespace {

std::string BuiltinNames(const Context& context) {
  std::string names;
  for (const std::string& name : context.options.builtin_names) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace

std::optional<ServiceError> CheckImage(const Context& context, std::string_view image) {
  if (context.options.is_builtin_image(image)) return std::nullopt;
  return ValidationError("Argosy has no algorithm for the image '" + std::string(image) +
                         "'. The repository name must be one of: " + BuiltinNames(context) +
                         ". Account and region of the image do not matter.");
}

std::optional<ServiceError> CheckServingImage(const Context& context, std::string_view image) {
  if (context.options.is_builtin_image(image) || model::IsServedImage(image)) return std::nullopt;
  return ValidationError("Argosy has nothing that serves the image '" + std::string(image) +
                         "'. The repository name must be that of a built-in algorithm (" + BuiltinNames(context) +
                         "), of a framework (sagemaker-scikit-learn, pytorch-inference, sagemaker-xgboost), " +
                         std::string(model::kPythonImage) + " for an inference.py, or " +
                         std::string(model::kProgramImage) +
                         " for an executable `serve`. Account and region of the image do not matter.");
}

}  // namespace argosy::api::sagemaker
