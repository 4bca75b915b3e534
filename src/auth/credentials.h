// Where keys come from: the owner's, kept in a file of the AWS credentials format that every AWS tool reads.
//
//   [default]
//   aws_access_key_id = AKIA…
//   aws_secret_access_key = …
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "auth/principal.h"
#include "base/random.h"
#include "base/result.h"

namespace argosy::auth {

// The store of one server: the owner's credential, and others added while it runs. Nothing is taken out.
class StaticCredentialStore final : public CredentialStore {
 public:
  explicit StaticCredentialStore(Credential owner);

  const Credential* Find(std::string_view access_key_id) const override;
  // kAlreadyExists when the access key id is known.
  Status Add(Credential credential);
  const Credential& owner() const { return *owner_; }

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::unique_ptr<const Credential>, std::less<>> credentials_;  // guarded by mutex_
  const Credential* owner_;
};

// A key as given by hand, in ARGOSY_ACCESS_KEY_ID and ARGOSY_SECRET_ACCESS_KEY.
struct GivenKey {
  std::string access_key_id;
  std::string secret_access_key;
};

// The principal that the owner's key stands for.
Principal OwnerPrincipal();

// New, by AWS's shapes: AKIA and 16 of A-Z 2-7; 40 of A-Z a-z 0-9 + /.
Credential NewOwnerCredential(Random& random);

// The owner's credential. A given key wins, and the file is neither read nor written. Else the file is read; when there
// is none a new key is made and the file written, mode 0600, durably, before this returns. Refused with a sentence: a
// file that others may read (kPermissionDenied), one that cannot be understood (kInvalidArgument), half a given key.
Result<Credential> LoadOrCreateCredentials(const std::filesystem::path& file, Random& random,
                                           const std::optional<GivenKey>& given);

// The text of such a file, and back: the key of section [default], or of the only section. Unknown lines are let be.
std::string FormatCredentialsFile(const Credential& credential);
Result<Credential> ParseCredentialsFile(std::string_view text);

}  // namespace argosy::auth
