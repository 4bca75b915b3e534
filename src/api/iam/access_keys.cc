// CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey.
#include <nlohmann/json.hpp>
#include <utility>

#include "api/iam/families.h"
#include "auth/credentials.h"
#include "catalog/json_fields.h"
#include "catalog/visit.h"

namespace argosy::api::iam {
namespace {

using catalog::Kind;
using catalog::TextField;

catalog::Query KeysOf(const catalog::Resource& user) {
  return {.kind = Kind::kAccessKey, .owner = user.uid};
}

// The secret is in this answer and in no other.
Proposal ProposeKey(const Context& context, const catalog::Resource& user, const std::string& maker) {
  const Result<size_t> count = catalog::CountUpTo(*context.deps.catalog, KeysOf(user), kKeysPerUserMax);
  if (!count.ok()) return Answer(FromError(count.error()));
  if (*count >= kKeysPerUserMax) {
    return Answer(LimitExceeded("Cannot exceed quota for AccessKeysPerUser: " + std::to_string(kKeysPerUserMax)));
  }
  const auth::Credential credential = auth::NewCredential(*context.deps.random, {});
  catalog::Resource key;
  key.kind = Kind::kAccessKey;
  key.name = credential.access_key_id;
  key.created = key.modified = context.Now();
  key.uid = NewUid(*context.deps.random, key.created);
  key.status = catalog::kKeyActive;
  key.principal = maker;
  key.owner = user.uid;
  key.spec = catalog::AccessKeySpec{credential.secret_access_key}.ToJson();
  Decision decision{.answer = DumpJson(Json{{"AccessKey",
                                             {{"UserName", user.name},
                                              {"AccessKeyId", credential.access_key_id},
                                              {"Status", key.status},
                                              {"SecretAccessKey", credential.secret_access_key},
                                              {"CreateDate", Iso(key.created)}}}})};
  decision.transaction.inserts.push_back({std::move(key)});
  decision.transaction.updates.push_back(TouchUser(user, context.Now()));
  return decision;
}

// The key of that name, when it is the user's.
Result<catalog::Resource> FindKey(const Context& context, const catalog::Resource& user, const std::string& id) {
  Result<catalog::Resource> key = context.deps.catalog->Get(Kind::kAccessKey, id);
  if (key.ok() && key->owner != user.uid) return Error(ErrorCode::kNotFound, "the key is another user's");
  return key;
}

Answer Missing(const Error& error, const std::string& id) {
  if (error.code() != ErrorCode::kNotFound) return FromError(error);
  return ServiceError{404, "NoSuchEntity", "The Access Key with id " + id + " cannot be found."};
}

}  // namespace

Operation CreateAccessKey(std::shared_ptr<const Context> context) {
  return {.name = "CreateAccessKey",
          .summary = "A key of a user's. Its secret is in the answer, and is never shown again.",
          .access = auth::Access::kManage,
          .input = Structure({Required("UserName", UserNameShape())}),
          .handle = [context = std::move(context)](const Call& call, Reply reply) {
            ChangeUser(
                context, TextField(call.input, "UserName"),
                [context, maker = call.principal.arn](const catalog::Resource& user, const catalog::UserSpec&) {
                  return ProposeKey(*context, user, maker);
                },
                std::move(reply));
          }};
}

Operation ListAccessKeys(std::shared_ptr<const Context> context) {
  return {
      .name = "ListAccessKeys",
      .summary = "A user's keys without their secrets; without UserName those of who asks.",
      .access = auth::Access::kRead,
      .input = Structure({Optional("UserName", UserNameShape()), MarkerMember(), MaxItemsMember()}),
      .handle = [context = std::move(context)](const Call& call, const Reply& reply) {
        const std::string name = UserNameOf(call);
        const auto found = FindUser(*context, name);
        if (const auto* error = std::get_if<ServiceError>(&found)) return reply(*error);
        const auto& user = std::get<catalog::Resource>(found);
        reply(ListAnswer(*context, KeysOf(user), call.input, "AccessKeyMetadata", [&](const catalog::Resource& key) {
          return Json{
              {"UserName", name}, {"AccessKeyId", key.name}, {"Status", key.status}, {"CreateDate", Iso(key.created)}};
        }));
      }};
}

Operation UpdateAccessKey(std::shared_ptr<const Context> context) {
  return {.name = "UpdateAccessKey",
          .summary = "Disables a key (Inactive) or enables it again: from the next request on.",
          .access = auth::Access::kManage,
          .input = Structure({Required("UserName", UserNameShape()), Required("AccessKeyId", KeyIdShape()),
                              Required("Status", Enum({"Active", "Inactive"}))}),
          .handle = [context = std::move(context)](const Call& call, Reply reply) {
            ChangeUser(
                context, TextField(call.input, "UserName"),
                [context, id = TextField(call.input, "AccessKeyId"), status = TextField(call.input, "Status")](
                    const catalog::Resource& user, const catalog::UserSpec&) -> Proposal {
                  const Result<catalog::Resource> key = FindKey(*context, user, id);
                  if (!key.ok()) return Missing(key.error(), id);
                  Decision decision;
                  decision.transaction.updates.push_back(
                      {.uid = key->uid, .version = key->version, .status = status, .modified = context->Now()});
                  return decision;
                },
                std::move(reply));
          }};
}

Operation DeleteAccessKey(std::shared_ptr<const Context> context) {
  return {.name = "DeleteAccessKey",
          .summary = "Deletes a key: from the next request on nobody can sign with it.",
          .access = auth::Access::kManage,
          .input = Structure({Required("UserName", UserNameShape()), Required("AccessKeyId", KeyIdShape())}),
          .handle = [context = std::move(context)](const Call& call, Reply reply) {
            ChangeUser(
                context, TextField(call.input, "UserName"),
                [context, id = TextField(call.input, "AccessKeyId")](const catalog::Resource& user,
                                                                     const catalog::UserSpec&) -> Proposal {
                  const Result<catalog::Resource> key = FindKey(*context, user, id);
                  if (!key.ok()) return Missing(key.error(), id);
                  Decision decision;
                  decision.transaction.removes.push_back({key->uid, key->version});
                  return decision;
                },
                std::move(reply));
          }};
}

}  // namespace argosy::api::iam
