// Sessions: temporary keys of one instance's work, as AWS's AssumeRole gives them. They are made of a secret of the
// server's and of what they claim, so that nothing need be kept of them and every server of the directory knows its
// own; whether a session still counts, its store says (session_store.h).
//
// The token, sent as x-amz-security-token, is  base64(claims) "." base64(HMAC-SHA-256 of the claims),  the claims
// version, instance, owner's uid and the end in milliseconds since 1970, a line each. The key's id and secret follow
// from the claims by other HMACs of the same secret.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

#include "auth/hmac.h"
#include "auth/principal.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace argosy::auth {

inline constexpr size_t kTokenBytesMax = 1024;

struct SessionClaims {
  std::string instance_id;
  std::string owner_uid;  // of the job or endpoint
  Time expires{};

  bool operator==(const SessionClaims&) const = default;
};

class SessionKey {
 public:
  explicit SessionKey(std::string_view secret);

  // Ids of letters, digits, '-' and '_' only. The principal is the caller's to fill in.
  Credential Issue(const SessionClaims& claims) const;
  // What a token claims, when it is one of this key's; kBadToken or kExpiredToken otherwise.
  std::variant<SessionClaims, AuthFailure> Read(std::string_view token, Time now) const;

 private:
  std::string TokenOf(std::string_view claims) const;

  HmacKey key_;
};

// The secret in the file; made, mode 0600 and durably, when there is none. Errors as of LoadOrCreateCredentials.
Result<SessionKey> LoadOrCreateSessionKey(const std::filesystem::path& file, Random& random);

}  // namespace argosy::auth
