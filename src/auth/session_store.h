// The keys that count now: long-lived ones, and the sessions of instances that run.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "auth/session.h"

namespace argosy::auth {

// Thread-safe. In memory only: who knows which instances run tells it.
class SessionStore final : public CredentialStore {
 public:
  // `keys` (asked first) and `clock` outlive it.
  SessionStore(const CredentialStore* keys, const SessionKey& key, const Clock* clock);

  // A genuine token of an instance that does not run (any more) is kExpiredToken.
  KeyLookup Find(std::string_view access_key_id, std::string_view token) const override;

  // From now on, until Close, sessions of the instance count and stand for the principal.
  void Open(const std::string& instance_id, const std::string& owner_uid, Principal principal);
  void Close(const std::string& instance_id);

 private:
  struct Running {
    std::string owner_uid;
    Principal principal;
    std::shared_ptr<const Credential> last;  // the one asked for last: most have one only
  };
  const CredentialStore* const keys_;
  const SessionKey key_;
  const Clock* const clock_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Running> running_;  // by instance; guarded by mutex_
};

}  // namespace argosy::auth
