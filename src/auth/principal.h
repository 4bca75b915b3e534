// Who is asking. Every credential belongs to one principal; every resource remembers the one who made it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace argosy::auth {

// The account that ARNs name; twelve digits as AWS wants them.
inline constexpr std::string_view kAccountId = "000000000000";

enum class PrincipalKind { kOwner, kUser, kJob };

struct Principal {
  PrincipalKind kind = PrincipalKind::kOwner;
  std::string name;  // "owner", a user's name, a job's uid
  std::string arn;   // arn:aws:iam::000000000000:user/owner
};

struct Credential {
  std::string access_key_id;      // 20 characters, as AWS's: AKIA…
  std::string secret_access_key;  // 40 characters
  std::string session_token;      // empty for a long-lived key
  Principal principal;
};

// Thread-safe.
class CredentialStore {
 public:
  virtual ~CredentialStore() = default;
  virtual const Credential* Find(
      std::string_view access_key_id) const = 0;  // null when unknown; good for the store's life
};

}  // namespace argosy::auth
