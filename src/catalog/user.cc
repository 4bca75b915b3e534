#include "catalog/user.h"

#include "catalog/json_fields.h"

namespace argosy::catalog {
namespace {

constexpr const char* kMemberWord = "member";
constexpr const char* kReaderWord = "reader";

}  // namespace

Result<UserSpec> UserSpec::FromJson(std::string_view text) {
  const Result<Json> json = ParseObject(text, "user");
  if (!json.ok()) return json.error();
  UserSpec spec;
  spec.id = TextField(*json, "id");
  spec.team = TextField(*json, "team");
  // A word of a later version gives no more than looking.
  spec.role = TextField(*json, "role") == kMemberWord ? UserRole::kMember : UserRole::kReader;
  return spec;
}

std::string UserSpec::ToJson() const {
  return DumpJson(Json{{"id", id}, {"team", team}, {"role", role == UserRole::kMember ? kMemberWord : kReaderWord}});
}

Result<AccessKeySpec> AccessKeySpec::FromJson(std::string_view text) {
  const Result<Json> json = ParseObject(text, "access key");
  if (!json.ok()) return json.error();
  AccessKeySpec spec{.secret = TextField(*json, "secret")};
  // An empty one would be a key that anybody knows.
  if (spec.secret.empty()) return Error(ErrorCode::kCorrupt, "access key: it has no secret");
  return spec;
}

std::string AccessKeySpec::ToJson() const {
  return DumpJson(Json{{"secret", secret}});
}

}  // namespace argosy::catalog
