// Users, and the keys that they sign with, as the catalog keeps them. A team is a name of kind kTeam and nothing more.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "catalog/resource.h"

namespace argosy::catalog {

enum class UserRole { kMember, kReader };

// The spec of a resource of kind kUser.
struct UserSpec {
  std::string id;    // AIDA…, unique for ever
  std::string team;  // "" = none
  UserRole role = UserRole::kMember;

  static Result<UserSpec> FromJson(std::string_view json);
  std::string ToJson() const;
};

// Of kind kAccessKey: the name is the key's id, the owner its user's uid, the status one of these.
inline constexpr std::string_view kKeyActive = "Active";
inline constexpr std::string_view kKeyInactive = "Inactive";

// Its spec. The secret is kept as it is, since a signature can be checked with nothing less; the file it lies in is
// readable by the server's user alone (docs/decisions/principals.md).
struct AccessKeySpec {
  std::string secret;

  static Result<AccessKeySpec> FromJson(std::string_view json);
  std::string ToJson() const;
};

}  // namespace argosy::catalog
