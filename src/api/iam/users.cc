// CreateUser, GetUser, ListUsers, DeleteUser, AttachUserPolicy, ListAttachedUserPolicies.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/iam/families.h"
#include "auth/credentials.h"
#include "base/bytes.h"
#include "catalog/json_fields.h"
#include "catalog/visit.h"

namespace argosy::api::iam {
namespace {

using catalog::Kind;
using catalog::TextField;
using catalog::UserRole;

// What a role is called where permissions are policies: AWS's own two that say nearly the same.
struct RolePolicy {
  UserRole role;
  const char* name;
  const char* arn;
};
constexpr RolePolicy kRolePolicies[] = {
    {UserRole::kMember, "PowerUserAccess", "arn:aws:iam::aws:policy/PowerUserAccess"},
    {UserRole::kReader, "ReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"},
};

Proposal ProposeUser(const Context& context, const std::string& name, const std::string& maker) {
  if (EqualsIgnoreCase(name, auth::OwnerPrincipal().name)) return Answer(AlreadyExists("User", name));
  if (auto error = CheckNewName(context, Kind::kUser, "User", name, kUsersMax)) return Answer(std::move(*error));
  catalog::Resource user;
  user.kind = Kind::kUser;
  user.name = name;
  user.created = user.modified = context.Now();
  user.uid = NewUid(*context.deps.random, user.created);
  user.principal = maker;
  user.spec = catalog::UserSpec{.id = auth::NewPrincipalId(*context.deps.random, "AIDA")}.ToJson();
  Decision decision{.answer = DumpJson(Json{{"User", UserJson(user)}})};
  decision.transaction.inserts.push_back({std::move(user)});
  return decision;
}

Answer DescribeUser(const Context& context, const Call& call) {
  const std::string name = UserNameOf(call);
  if (name == auth::OwnerPrincipal().name) {
    const auth::Principal owner = auth::OwnerPrincipal();
    return DumpJson(Json{{"User",
                          {{"Path", "/"},
                           {"UserName", owner.name},
                           {"UserId", owner.name},
                           {"Arn", owner.arn},
                           {"CreateDate", Iso({})}}}});
  }
  const auto user = FindUser(context, name);
  if (const auto* error = std::get_if<ServiceError>(&user)) return *error;
  return DumpJson(Json{{"User", UserJson(std::get<catalog::Resource>(user))}});
}

}  // namespace

Operation CreateUser(std::shared_ptr<const Context> context) {
  return {.name = "CreateUser",
          .summary = "A user, who may do all but manage users until AttachUserPolicy says otherwise.",
          .access = auth::Access::kManage,
          .input = Structure({Required("UserName", UserNameShape()), Optional("Path", String().AtMost(512)).Only({"/"}),
                              Optional("PermissionsBoundary", String()).Refused("permission boundaries"),
                              Optional("Tags", Document()).Refused("tags of users")}),
          .handle = [context = std::move(context)](const Call& call, Reply reply) {
            const std::string name = TextField(call.input, "UserName");
            CommitProposal(
                context->deps.catalog, context->deps.pool,
                [context, name, maker = call.principal.arn] { return ProposeUser(*context, name, maker); },
                std::move(reply));
          }};
}

Operation GetUser(std::shared_ptr<const Context> context) {
  return {.name = "GetUser",
          .summary = "A user; without UserName the one who asks.",
          .access = auth::Access::kRead,
          .input = Structure({Optional("UserName", UserNameShape())}),
          .handle = [context = std::move(context)](const Call& call, const Reply& reply) {
            reply(DescribeUser(*context, call));
          }};
}

Operation ListUsers(std::shared_ptr<const Context> context) {
  return {.name = "ListUsers",
          .summary = "Users by name, in pages; those of a team by PathPrefix `/TEAM/`.",
          .access = auth::Access::kRead,
          .input = Structure({Optional("PathPrefix", String().AtMost(512)), MarkerMember(), MaxItemsMember()}),
          .handle = [context = std::move(context)](const Call& call, const Reply& reply) {
            const std::string prefix = TextField(call.input, "PathPrefix", "/");
            reply(ListAnswer(
                *context, {.kind = Kind::kUser}, call.input, "Users", UserJson,
                [&](const catalog::Resource& user) { return TextField(UserJson(user), "Path").starts_with(prefix); }));
          }};
}

Operation DeleteUser(std::shared_ptr<const Context> context) {
  return {.name = "DeleteUser",
          .summary =
              "Deletes a user that has no keys any more and is in no team; what the user made stays, and says who "
              "made it.",
          .access = auth::Access::kManage,
          .input = Structure({Required("UserName", UserNameShape())}),
          .handle = [context = std::move(context)](const Call& call, Reply reply) {
            ChangeUser(
                context, TextField(call.input, "UserName"),
                [context](const catalog::Resource& user, const catalog::UserSpec& spec) -> Proposal {
                  const Result<size_t> keys =
                      catalog::CountUpTo(*context->deps.catalog, {.kind = Kind::kAccessKey, .owner = user.uid}, 1);
                  if (!keys.ok()) return Answer(FromError(keys.error()));
                  if (*keys > 0) return Answer(DeleteConflict("Cannot delete entity, must delete access keys first."));
                  if (!spec.team.empty()) {
                    return Answer(
                        DeleteConflict("Cannot delete entity, must remove user from group " + spec.team + " first."));
                  }
                  Decision decision;
                  decision.transaction.removes.push_back({user.uid, user.version});
                  return decision;
                },
                std::move(reply));
          }};
}

Operation AttachUserPolicy(std::shared_ptr<const Context> context) {
  return {
      .name = "AttachUserPolicy",
      .summary =
          "What the user may do: `…:policy/PowerUserAccess` all but manage users, `…:policy/ReadOnlyAccess` "
          "look. Each takes the place of the other.",
      .access = auth::Access::kManage,
      .input = Structure({Required("UserName", UserNameShape()), Required("PolicyArn", String().Length(20, 2048))}),
      .handle = [context = std::move(context)](const Call& call, Reply reply) {
        const std::string arn = TextField(call.input, "PolicyArn");
        const auto* const policy = std::find_if(std::begin(kRolePolicies), std::end(kRolePolicies),
                                                [&](const RolePolicy& known) { return known.arn == arn; });
        if (policy == std::end(kRolePolicies)) {
          return reply(ServiceError{404, "NoSuchEntity",
                                    "Policy " + arn + " does not exist or is not attachable: those that are here are " +
                                        kRolePolicies[0].arn + " and " + kRolePolicies[1].arn + "."});
        }
        ChangeUser(
            context, TextField(call.input, "UserName"),
            [context, role = policy->role](const catalog::Resource& user, catalog::UserSpec spec) -> Proposal {
              spec.role = role;
              Decision decision;
              decision.transaction.updates.push_back(TouchUser(user, context->Now()));
              decision.transaction.updates.back().spec = spec.ToJson();
              return decision;
            },
            std::move(reply));
      }};
}

Operation ListAttachedUserPolicies(std::shared_ptr<const Context> context) {
  return {.name = "ListAttachedUserPolicies",
          .summary = "The one policy that says what the user may do.",
          .access = auth::Access::kRead,
          .input = Structure({Required("UserName", UserNameShape()), MarkerMember(), MaxItemsMember()}),
          .handle = [context = std::move(context)](const Call& call, const Reply& reply) {
            const std::string name = TextField(call.input, "UserName");
            const auto found = FindUser(*context, name);
            if (const auto* error = std::get_if<ServiceError>(&found)) return reply(*error);
            const auto& user = std::get<catalog::Resource>(found);
            const Result<catalog::UserSpec> spec = catalog::UserSpec::FromJson(user.spec);
            if (!spec.ok()) return reply(FromError(spec.error()));
            Json policies = Json::array();
            for (const RolePolicy& policy : kRolePolicies) {
              if (policy.role == spec->role) {
                policies.push_back({{"PolicyName", policy.name}, {"PolicyArn", policy.arn}});
              }
            }
            reply(DumpJson(Json{{"AttachedPolicies", std::move(policies)}, {"IsTruncated", false}}));
          }};
}

}  // namespace argosy::api::iam
