// Who is asking. Every credential belongs to one principal; every resource remembers the one who made it.
//
// docs/decisions/principals.md says what each kind may do; access.h is that table.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace argosy::auth {

// The account that ARNs name; twelve digits as AWS wants them.
inline constexpr std::string_view kAccountId = "000000000000";

enum class PrincipalKind {
  kOwner,   // has the key of the data directory
  kMember,  // a user who works here
  kReader,  // a user who looks on
  kJob,     // a session of one instance's work
};

// What a job's session reaches of the objects.
struct DataGrant {
  enum class Use { kRead, kReadWrite };
  std::string bucket;
  std::string key_prefix;  // every key that begins so; a folder's ends in '/'
  Use use = Use::kRead;
};

struct Principal {
  PrincipalKind kind = PrincipalKind::kOwner;
  std::string name;                    // "owner", a user's, a job's
  std::string arn;                     // arn:aws:iam::000000000000:user/TEAM/NAME
  std::string id = {};                 // unique for ever, as IAM's AIDA…; empty: the name
  std::string team = {};               // empty: none
  std::vector<DataGrant> grants = {};  // of kJob
};

// arn:aws:iam::000000000000:user/NAME, or …:user/TEAM/NAME.
std::string UserArn(std::string_view team, std::string_view name);

// Who an ARN names, for people: {"alice", "vision"}; of a job's session its name. Empty where there is nothing to say.
struct Maker {
  std::string name;
  std::string team;
};
Maker MakerOf(std::string_view arn);

struct Credential {
  std::string access_key_id;      // 20 characters, as AWS's: AKIA…; of a session ASIA…
  std::string secret_access_key;  // 40 characters
  std::string session_token;      // empty for a long-lived key
  Principal principal;
};

// Why a request is not believed. The services name these differently; api/ words them.
enum class AuthFailure {
  kMissing,
  kMalformed,
  kMalformedQuery,  // of a presigned URL
  kUnknownKey,
  kBadSignature,
  kSkewed,
  kExpired,  // a presigned URL, or one that is not valid yet
  kBadToken,
  kExpiredToken,  // a session that is over
};

// What a key means now.
struct KeyLookup {
  std::shared_ptr<const Credential> credential;    // null: none, and why
  AuthFailure failure = AuthFailure::kUnknownKey;  // or kBadToken, kExpiredToken
};

// Thread-safe. Answers for this moment: a key that has been disabled is unknown from then on.
class CredentialStore {
 public:
  virtual ~CredentialStore() = default;
  // `token`: what came as x-amz-security-token; sessions are found by it.
  virtual KeyLookup Find(std::string_view access_key_id, std::string_view token) const = 0;
};

}  // namespace argosy::auth
