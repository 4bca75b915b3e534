#include "api/iam/context.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/iam/key_feed.h"
#include "api/patterns.h"
#include "base/bytes.h"
#include "catalog/json_fields.h"
#include "catalog/visit.h"

namespace argosy::api::iam {

using catalog::Kind;
using catalog::TextField;

ServiceError NoSuchEntity(std::string_view what, std::string_view name) {
  return {404, "NoSuchEntity", "The " + std::string(what) + " with name " + std::string(name) + " cannot be found."};
}

ServiceError AlreadyExists(std::string_view what, std::string_view name) {
  return {409, "EntityAlreadyExists", std::string(what) + " with name " + std::string(name) + " already exists."};
}

ServiceError LimitExceeded(std::string message) {
  return {409, "LimitExceeded", std::move(message)};
}

ServiceError DeleteConflict(std::string message) {
  return {409, "DeleteConflict", std::move(message)};
}

Shape UserNameShape() {
  return String().Length(1, 64).Matching(kIamNamePattern);
}

Shape GroupNameShape() {
  return String().Length(1, 128).Matching(kIamNamePattern);
}

Shape KeyIdShape() {
  return String().Length(16, 128).Matching(kIamNamePattern);
}

Member MarkerMember() {
  return Optional("Marker", String().AtMost(8192));
}

Member MaxItemsMember() {
  return Optional("MaxItems", Integer().Range(1, 1000));
}

std::optional<ServiceError> CheckNewName(const Context& context, Kind kind, std::string_view what,
                                         std::string_view name, size_t most) {
  size_t count = 0;
  std::string there;  // as its maker wrote it
  const Status read = catalog::Visit(*context.deps.catalog, {.kind = kind}, [&](const catalog::Resource& resource) {
    if (EqualsIgnoreCase(resource.name, name)) there = resource.name;
    return there.empty() && ++count < most;
  });
  if (!read.ok()) return FromError(read.error());
  if (!there.empty()) return AlreadyExists(what, there);
  if (count < most) return std::nullopt;
  return LimitExceeded("Cannot exceed quota for " + std::string(what) + "sPerAccount: " + std::to_string(most));
}

std::string Iso(Time time) {
  return FormatIso8601(time);
}

Json UserJson(const catalog::Resource& user) {
  const Result<auth::Principal> principal = PrincipalOf(user);
  if (!principal.ok()) return Json{{"UserName", user.name}};
  return Json{{"Path", principal->team.empty() ? "/" : "/" + principal->team + "/"},
              {"UserName", user.name},
              {"UserId", principal->id},
              {"Arn", principal->arn},
              {"CreateDate", Iso(user.created)}};
}

std::string UserNameOf(const Call& call) {
  return TextField(call.input, "UserName", call.principal.name);
}

Answer ListAnswer(const Context& context, catalog::Query query, const Json& input, const char* list_member,
                  const std::function<Json(const catalog::Resource&)>& show,
                  const std::function<bool(const catalog::Resource&)>& keep) {
  constexpr int64_t kItemsDefault = 100;  // IAM's
  query.sort_by = catalog::SortBy::kName;
  query.order = catalog::SortOrder::kAscending;
  query.max_results = static_cast<size_t>(catalog::IntField(input, "MaxItems", kItemsDefault));
  query.page_token = TextField(input, "Marker");
  const Result<catalog::Page> page = context.deps.catalog->List(query);
  if (!page.ok()) {
    if (page.error().code() != ErrorCode::kInvalidArgument) return FromError(page.error());
    return ServiceError{400, "ValidationError", "The Marker is not one of this list: " + page.error().message()};
  }
  Json items = Json::array();
  for (const catalog::Resource& resource : page->resources) {
    if (!keep || keep(resource)) items.push_back(show(resource));
  }
  Json answer = {{list_member, std::move(items)}, {"IsTruncated", !page->next_token.empty()}};
  if (!page->next_token.empty()) answer["Marker"] = page->next_token;
  return DumpJson(answer);
}

std::variant<catalog::Resource, ServiceError> FindUser(const Context& context, const std::string& name) {
  Result<catalog::Resource> user = context.deps.catalog->Get(Kind::kUser, name);
  if (user.ok()) return std::move(*user);
  if (user.error().code() == ErrorCode::kNotFound) return NoSuchEntity("user", name);
  return FromError(user.error());
}

void ChangeUser(const std::shared_ptr<const Context>& context, std::string name, DecideUser decide, Reply reply) {
  Propose propose = [context, name = std::move(name), decide = std::move(decide)]() -> Proposal {
    const auto found = FindUser(*context, name);
    if (const auto* error = std::get_if<ServiceError>(&found)) return Answer(*error);
    const auto& user = std::get<catalog::Resource>(found);
    Result<catalog::UserSpec> spec = catalog::UserSpec::FromJson(user.spec);
    if (!spec.ok()) return Answer(FromError(spec.error()));
    return decide(user, std::move(*spec));
  };
  CommitProposal(context->deps.catalog, context->deps.pool, std::move(propose), std::move(reply));
}

catalog::Transaction::Update TouchUser(const catalog::Resource& user, Time now) {
  return {.uid = user.uid, .version = user.version, .modified = now};
}

}  // namespace argosy::api::iam
