// IAM's groups: a team is what a user's work is booked to. A user is in one at most.
//
// CreateGroup, GetGroup, ListGroups, DeleteGroup, AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser.
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

std::string IdOf(const catalog::Resource& team) {
  const Result<Json> spec = catalog::ParseObject(team.spec, "team");
  return spec.ok() ? TextField(*spec, "id") : "";
}

Json GroupJson(const catalog::Resource& team) {
  return Json{{"Path", "/"},
              {"GroupName", team.name},
              {"GroupId", IdOf(team)},
              {"Arn", "arn:aws:iam::" + std::string(auth::kAccountId) + ":group/" + team.name},
              {"CreateDate", Iso(team.created)}};
}

Answer MissingTeam(const Error& error, const std::string& name) {
  return error.code() == ErrorCode::kNotFound ? Answer(NoSuchEntity("group", name)) : Answer(FromError(error));
}

bool IsIn(const catalog::Resource& user, const std::string& team) {
  const Result<catalog::UserSpec> spec = catalog::UserSpec::FromJson(user.spec);
  return spec.ok() && spec->team == team;
}

Proposal ProposeTeam(const Context& context, const std::string& name, const std::string& maker) {
  if (auto error = CheckNewName(context, Kind::kTeam, "Group", name, kTeamsMax)) return Answer(std::move(*error));
  catalog::Resource team;
  team.kind = Kind::kTeam;
  team.name = name;
  team.created = team.modified = context.Now();
  team.uid = NewUid(*context.deps.random, team.created);
  team.principal = maker;
  team.spec = DumpJson(Json{{"id", auth::NewPrincipalId(*context.deps.random, "AGPA")}});
  Decision decision{.answer = DumpJson(Json{{"Group", GroupJson(team)}})};
  decision.transaction.inserts.push_back({std::move(team)});
  return decision;
}

// The user in another team, or in none.
Proposal ProposeMembership(const Context& context, const catalog::Resource& user, catalog::UserSpec spec,
                           std::string team) {
  spec.team = std::move(team);
  Decision decision;
  decision.transaction.updates.push_back(TouchUser(user, context.Now()));
  decision.transaction.updates.back().spec = spec.ToJson();
  return decision;
}

Shape MembershipInput() {
  return Structure({Required("GroupName", GroupNameShape()), Required("UserName", UserNameShape())});
}

}  // namespace

Operation CreateGroup(std::shared_ptr<const Context> context) {
  return {
      .name = "CreateGroup",
      .summary = "A team.",
      .access = auth::Access::kManage,
      .input = Structure({Required("GroupName", GroupNameShape()), Optional("Path", String().AtMost(512)).Only({"/"})}),
      .handle = [context = std::move(context)](const Call& call, Reply reply) {
        const std::string name = TextField(call.input, "GroupName");
        CommitProposal(
            context->deps.catalog, context->deps.pool,
            [context, name, maker = call.principal.arn] { return ProposeTeam(*context, name, maker); },
            std::move(reply));
      }};
}

Operation GetGroup(std::shared_ptr<const Context> context) {
  return {.name = "GetGroup",
          .summary = "A team and its users, in pages.",
          .access = auth::Access::kRead,
          .input = Structure({Required("GroupName", GroupNameShape()), MarkerMember(), MaxItemsMember()}),
          .handle = [context = std::move(context)](const Call& call, const Reply& reply) {
            const std::string name = TextField(call.input, "GroupName");
            const Result<catalog::Resource> team = context->deps.catalog->Get(Kind::kTeam, name);
            if (!team.ok()) return reply(MissingTeam(team.error(), name));
            Answer users = ListAnswer(*context, {.kind = Kind::kUser}, call.input, "Users", UserJson,
                                      [&](const catalog::Resource& user) { return IsIn(user, name); });
            if (auto* text = std::get_if<std::string>(&users)) {
              Result<Json> json = ParseJson(*text);
              if (!json.ok()) return reply(FromError(json.error()));
              (*json)["Group"] = GroupJson(*team);
              *text = DumpJson(*json);
            }
            reply(std::move(users));
          }};
}

Operation ListGroups(std::shared_ptr<const Context> context) {
  return {.name = "ListGroups",
          .summary = "Teams by name, in pages.",
          .access = auth::Access::kRead,
          .input = Structure({Optional("PathPrefix", String().AtMost(512)), MarkerMember(), MaxItemsMember()}),
          .handle = [context = std::move(context)](const Call& call, const Reply& reply) {
            reply(ListAnswer(*context, {.kind = Kind::kTeam}, call.input, "Groups", GroupJson));
          }};
}

Operation DeleteGroup(std::shared_ptr<const Context> context) {
  return {.name = "DeleteGroup",
          .summary = "Deletes a team that has no users any more; what they made goes on saying its name.",
          .access = auth::Access::kManage,
          .input = Structure({Required("GroupName", GroupNameShape())}),
          .handle = [context = std::move(context)](const Call& call, Reply reply) {
            CommitProposal(
                context->deps.catalog, context->deps.pool,
                [context, name = TextField(call.input, "GroupName")]() -> Proposal {
                  const Result<catalog::Resource> team = context->deps.catalog->Get(Kind::kTeam, name);
                  if (!team.ok()) return MissingTeam(team.error(), name);
                  bool used = false;
                  const Status read =
                      catalog::Visit(*context->deps.catalog, {.kind = Kind::kUser},
                                     [&](const catalog::Resource& user) { return !(used = IsIn(user, name)); });
                  if (!read.ok()) return Answer(FromError(read.error()));
                  if (used) return Answer(DeleteConflict("Cannot delete entity, must remove users from group first."));
                  Decision decision;
                  decision.transaction.removes.push_back({team->uid, team->version});
                  return decision;
                },
                std::move(reply));
          }};
}

Operation AddUserToGroup(std::shared_ptr<const Context> context) {
  return {.name = "AddUserToGroup",
          .summary = "Puts a user into a team: what the user makes from now on is that team's.",
          .access = auth::Access::kManage,
          .input = MembershipInput(),
          .handle = [context = std::move(context)](const Call& call, Reply reply) {
            ChangeUser(
                context, TextField(call.input, "UserName"),
                [context, team = TextField(call.input, "GroupName")](const catalog::Resource& user,
                                                                     catalog::UserSpec spec) -> Proposal {
                  const Result<catalog::Resource> found = context->deps.catalog->Get(Kind::kTeam, team);
                  if (!found.ok()) return MissingTeam(found.error(), team);
                  if (spec.team == team) return Answer(std::string());
                  if (!spec.team.empty()) {
                    return Answer(LimitExceeded("Cannot exceed quota for GroupsPerUser: 1. The user " + user.name +
                                                " is in the group " + spec.team + "; remove it from there first."));
                  }
                  Proposal proposal = ProposeMembership(*context, user, std::move(spec), team);
                  // Together with the team as it was read, which might be deleted meanwhile.
                  std::get<Decision>(proposal).transaction.updates.push_back(
                      {.uid = found->uid, .version = found->version, .modified = context->Now()});
                  return proposal;
                },
                std::move(reply));
          }};
}

Operation RemoveUserFromGroup(std::shared_ptr<const Context> context) {
  return {.name = "RemoveUserFromGroup",
          .summary = "Takes a user out of a team.",
          .access = auth::Access::kManage,
          .input = MembershipInput(),
          .handle = [context = std::move(context)](const Call& call, Reply reply) {
            ChangeUser(
                context, TextField(call.input, "UserName"),
                [context, team = TextField(call.input, "GroupName")](const catalog::Resource& user,
                                                                     catalog::UserSpec spec) -> Proposal {
                  if (spec.team != team) return Answer(NoSuchEntity("user in group " + team, user.name));
                  return ProposeMembership(*context, user, std::move(spec), "");
                },
                std::move(reply));
          }};
}

Operation ListGroupsForUser(std::shared_ptr<const Context> context) {
  return {.name = "ListGroupsForUser",
          .summary = "The team of a user.",
          .access = auth::Access::kRead,
          .input = Structure({Required("UserName", UserNameShape()), MarkerMember(), MaxItemsMember()}),
          .handle = [context = std::move(context)](const Call& call, const Reply& reply) {
            const std::string name = TextField(call.input, "UserName");
            const auto found = FindUser(*context, name);
            if (const auto* error = std::get_if<ServiceError>(&found)) return reply(*error);
            const auto& user = std::get<catalog::Resource>(found);
            reply(ListAnswer(*context, {.kind = Kind::kTeam}, call.input, "Groups", GroupJson,
                             [&](const catalog::Resource& team) { return IsIn(user, team.name); }));
          }};
}

}  // namespace argosy::api::iam
