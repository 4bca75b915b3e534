// argosy user add|list|remove, argosy user key add|list|disable|enable|remove
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "auth/principal.h"
#include "main/api_client.h"
#include "main/exports.h"
#include "main/format.h"
#include "main/json_access.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

constexpr const char* kMemberPolicy = "arn:aws:iam::aws:policy/PowerUserAccess";
constexpr const char* kReaderPolicy = "arn:aws:iam::aws:policy/ReadOnlyAccess";

using Fields = std::vector<std::pair<std::string, std::string>>;

// All pages of a list.
Result<Json> ListAll(ApiClient& client, std::string_view action, Fields fields, const char* list) {
  Json items = Json::array();
  fields.emplace_back("MaxItems", "1000");
  for (std::string marker;;) {
    Fields request = fields;
    if (!marker.empty()) request.emplace_back("Marker", marker);
    const Result<Json> page = client.Iam(action, request);
    if (!page.ok()) return page.error();
    for (const Json& item : ArrayAt(*page, list)) items.push_back(item);
    marker = TextAt(*page, "Marker");
    if (marker.empty()) return items;
  }
}

Result<Json> KeysOf(ApiClient& client, const std::string& name) {
  return ListAll(client, "ListAccessKeys", {{"UserName", name}}, "AccessKeyMetadata");
}

// The new key, as a shell takes it: this is the only time that anybody sees the secret.
int ShowKey(const ApiClient& client, const UserArgs& args, const Json& key, const std::string& arn) {
  const std::string id = TextAt(key, "AccessKeyId");
  const std::string secret = TextAt(key, "SecretAccessKey");
  const auth::Maker who = auth::MakerOf(arn);
  if (args.form == OutputForm::kJson) {
    PrintJson(Json{
        {"UserName", args.name}, {"Team", who.team}, {"Arn", arn}, {"AccessKeyId", id}, {"SecretAccessKey", secret}});
    return kExitOk;
  }
  Note(fmt::format("a key of {}{}; its secret is shown here and never again", args.name,
                   who.team.empty() ? "" : " of " + who.team));
  Print(AwsExports(client.endpoint(), client.region(), {.access_key_id = id, .secret_access_key = secret}) +
        ExportLine("ARGOSY_ENDPOINT", client.endpoint()));
  return kExitOk;
}

Result<std::string> ArnOf(ApiClient& client, const std::string& name) {
  const Result<Json> user = client.Iam("GetUser", {{"UserName", name}});
  if (!user.ok()) return user.error();
  return TextAt(ObjectAt(*user, "User"), "Arn");
}

int AddKey(ApiClient& client, const UserArgs& args) {
  const Result<Json> made = client.Iam("CreateAccessKey", {{"UserName", args.name}});
  if (!made.ok()) return Fail(made.error());
  const Result<std::string> arn = ArnOf(client, args.name);
  if (!arn.ok()) return Fail(arn.error());
  return ShowKey(client, args, ObjectAt(*made, "AccessKey"), *arn);
}

struct NewKey {
  std::string arn;  // of its user
  Json key;
};

// Of a user that is there: rights and team, and the key at last, as nothing can fail after it.
Result<NewKey> Equip(ApiClient& client, const UserArgs& args) {
  if (args.rights == UserRights::kReader) {
    const Result<Json> attached =
        client.Iam("AttachUserPolicy", {{"UserName", args.name}, {"PolicyArn", kReaderPolicy}});
    if (!attached.ok()) return attached.error();
  }
  if (!args.team.empty()) {
    const Result<Json> joined = client.Iam("AddUserToGroup", {{"GroupName", args.team}, {"UserName", args.name}});
    if (!joined.ok()) return joined.error();
  }
  Result<std::string> arn = ArnOf(client, args.name);
  if (!arn.ok()) return arn.error();
  const Result<Json> made = client.Iam("CreateAccessKey", {{"UserName", args.name}});
  if (!made.ok()) return made.error();
  return NewKey{std::move(*arn), ObjectAt(*made, "AccessKey")};
}

// All or nothing: what was made before something is refused is removed again.
int AddUser(ApiClient& client, const UserArgs& args) {
  bool new_team = false;
  const auto undo_team = [&] {
    if (new_team) (void)client.Iam("DeleteGroup", {{"GroupName", args.team}});  // refused once somebody else is in it
  };
  if (!args.team.empty()) {
    const Result<Json> team = client.Iam("CreateGroup", {{"GroupName", args.team}});
    if (!team.ok() && team.error().code() != ErrorCode::kAlreadyExists) return Fail(team.error());
    new_team = team.ok();
  }
  const Result<Json> made = client.Iam("CreateUser", {{"UserName", args.name}});
  if (!made.ok()) {
    undo_team();
    return Fail(made.error());
  }
  const Result<NewKey> equipped = Equip(client, args);
  if (!equipped.ok()) {
    if (!args.team.empty()) {
      (void)client.Iam("RemoveUserFromGroup", {{"GroupName", args.team}, {"UserName", args.name}});  // if it got there
    }
    const Result<Json> undone = client.Iam("DeleteUser", {{"UserName", args.name}});
    undo_team();
    if (undone.ok()) return Fail(equipped.error());
    return Fail(equipped.error().Wrap(fmt::format(
        "the user {0} was made, but not all of it (`argosy user remove {0}`, then add it again)", args.name)));
  }
  return ShowKey(client, args, equipped->key, equipped->arn);
}

int ListUsers(ApiClient& client, const UserArgs& args) {
  const Result<Json> users = ListAll(client, "ListUsers", {}, "Users");
  if (!users.ok()) return Fail(users.error());
  Json shown = Json::array();
  Table table({{"USER"}, {"TEAM"}, {"MAY"}, {"KEYS"}, {"CREATED"}});
  for (const Json& user : *users) {
    const std::string name = TextAt(user, "UserName");
    const Result<Json> keys = KeysOf(client, name);
    if (!keys.ok()) return Fail(keys.error());
    const Result<Json> policies = ListAll(client, "ListAttachedUserPolicies", {{"UserName", name}}, "AttachedPolicies");
    if (!policies.ok()) return Fail(policies.error());
    const bool reader = !policies->empty() && TextAt(policies->front(), "PolicyArn") != kMemberPolicy;
    size_t active = 0;
    for (const Json& key : *keys) active += TextAt(key, "Status") == "Active" ? 1 : 0;
    const std::string team = auth::MakerOf(TextAt(user, "Arn")).team;
    table.Add({name, team, reader ? "look" : "work",
               active == keys->size() ? fmt::format("{}", active)
                                      : fmt::format("{}, {} disabled", active, keys->size() - active),
               TextAt(user, "CreateDate").substr(0, 10)});
    Json one = user;
    one["Team"] = team;
    one["Role"] = reader ? "reader" : "member";
    one["AccessKeys"] = *keys;
    shown.push_back(std::move(one));
  }
  if (args.form == OutputForm::kJson) {
    PrintJson(shown);
  } else if (table.empty()) {
    Note("no users yet; everything is the owner's. Add one with `argosy user add NAME --team TEAM`");
  } else {
    Print(table.Render(OutputWidth()));
  }
  return kExitOk;
}

// Tells each of the user's keys that is meant; says what became of them.
int ForKeys(ApiClient& client, const UserArgs& args, std::string_view action, const Fields& more,
            std::string_view done) {
  std::vector<std::string> ids;
  if (!args.key_id.empty()) {
    ids.push_back(args.key_id);
  } else {
    const Result<Json> keys = KeysOf(client, args.name);
    if (!keys.ok()) return Fail(keys.error());
    for (const Json& key : *keys) ids.push_back(TextAt(key, "AccessKeyId"));
  }
  for (const std::string& id : ids) {
    Fields fields{{"UserName", args.name}, {"AccessKeyId", id}};
    fields.insert(fields.end(), more.begin(), more.end());
    const Result<Json> changed = client.Iam(action, fields);
    if (!changed.ok()) return Fail(changed.error());
  }
  if (args.form == OutputForm::kJson) {
    PrintJson(Json{{"UserName", args.name}, {"AccessKeyIds", ids}});
  } else if (ids.empty()) {
    Note(fmt::format("{} has no keys", args.name));
  } else {
    for (const std::string& id : ids) Print(fmt::format("{} of {} is {}\n", id, args.name, done));
  }
  return kExitOk;
}

int ListKeys(ApiClient& client, const UserArgs& args) {
  const Result<Json> keys = KeysOf(client, args.name);
  if (!keys.ok()) return Fail(keys.error());
  if (args.form == OutputForm::kJson) {
    PrintJson(*keys);
    return kExitOk;
  }
  Table table({{"KEY"}, {"STATUS"}, {"CREATED"}});
  for (const Json& key : *keys) {
    table.Add({TextAt(key, "AccessKeyId"), TextAt(key, "Status"), TextAt(key, "CreateDate").substr(0, 10)});
  }
  Print(table.Render(OutputWidth()));
  return kExitOk;
}

int RemoveUser(ApiClient& client, const UserArgs& args) {
  const Result<Json> keys = KeysOf(client, args.name);
  if (!keys.ok()) return Fail(keys.error());
  for (const Json& key : *keys) {
    const Result<Json> gone =
        client.Iam("DeleteAccessKey", {{"UserName", args.name}, {"AccessKeyId", TextAt(key, "AccessKeyId")}});
    if (!gone.ok()) return Fail(gone.error());
  }
  const Result<Json> teams = ListAll(client, "ListGroupsForUser", {{"UserName", args.name}}, "Groups");
  if (!teams.ok()) return Fail(teams.error());
  for (const Json& team : *teams) {
    const Result<Json> left =
        client.Iam("RemoveUserFromGroup", {{"GroupName", TextAt(team, "GroupName")}, {"UserName", args.name}});
    if (!left.ok()) return Fail(left.error());
  }
  const Result<Json> gone = client.Iam("DeleteUser", {{"UserName", args.name}});
  if (!gone.ok()) return Fail(gone.error());
  if (args.form == OutputForm::kJson) {
    PrintJson(Json{{"UserName", args.name}});
  } else {
    Print(fmt::format("{} is removed, with {} keys; what {} made stays\n", args.name, keys->size(), args.name));
  }
  return kExitOk;
}

}  // namespace

int RunUser(const Settings& settings, const UserArgs& args) {
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return Fail(client.error());
  switch (args.action) {
    case UserAction::kAdd:
      return AddUser(*client, args);
    case UserAction::kList:
      return ListUsers(*client, args);
    case UserAction::kRemove:
      return RemoveUser(*client, args);
    case UserAction::kKeyAdd:
      return AddKey(*client, args);
    case UserAction::kKeyList:
      return ListKeys(*client, args);
    case UserAction::kKeyDisable:
      return ForKeys(*client, args, "UpdateAccessKey", {{"Status", "Inactive"}}, "disabled");
    case UserAction::kKeyEnable:
      return ForKeys(*client, args, "UpdateAccessKey", {{"Status", "Active"}}, "enabled");
    case UserAction::kKeyRemove:
      return ForKeys(*client, args, "DeleteAccessKey", {}, "removed");
  }
  return kExitUsage;
}

}  // namespace argosy::main
