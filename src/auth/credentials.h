// Where keys come from: the owner's, kept in a file of the AWS credentials format that every AWS tool reads.
//
//   [default]
//   aws_access_key_id = AKIA…
//   aws_secret_access_key = …
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "auth/principal.h"
#include "base/random.h"
#include "base/result.h"

namespace argosy::auth {

// A key as given by hand, in ARGOSY_ACCESS_KEY_ID and ARGOSY_SECRET_ACCESS_KEY.
struct GivenKey {
  std::string access_key_id;
  std::string secret_access_key;
};

// The principal that the owner's key stands for.
Principal OwnerPrincipal();

// New, by AWS's shapes: AKIA and 16 of A-Z 2-7; 40 of A-Z a-z 0-9 + /.
Credential NewCredential(Random& random, Principal principal);
// Of IAM's shape for what has no secret: `kind` (AIDA for users, AGPA for groups) and 17 of A-Z 2-7.
std::string NewPrincipalId(Random& random, std::string_view kind);

// The owner's credential. A given key wins, and the file is neither read nor written. Else the file is read; when there
// is none a new key is made and the file written, mode 0600, durably, before this returns. Refused with a sentence: a
// file that others may read (kPermissionDenied), one that cannot be understood (kInvalidArgument), half a given key.
Result<Credential> LoadOrCreateCredentials(const std::filesystem::path& file, Random& random,
                                           const std::optional<GivenKey>& given);

// The text of such a file, and back: the key of section [default], or of the only section. Unknown lines are let be.
std::string FormatCredentialsFile(const Credential& credential);
Result<Credential> ParseCredentialsFile(std::string_view text);

}  // namespace argosy::auth
