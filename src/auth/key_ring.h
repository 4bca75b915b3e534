// The long-lived keys that count now: the owner's, and those of users that are in force.
#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "auth/principal.h"

namespace argosy::auth {

// Thread-safe. In memory only: who keeps the keys tells it of every change.
class KeyRing final : public CredentialStore {
 public:
  explicit KeyRing(Credential owner);

  KeyLookup Find(std::string_view access_key_id, std::string_view token) const override;

  // Replaces one of the same id. The owner's key is never replaced nor taken out.
  void Put(Credential credential);
  void Remove(std::string_view access_key_id);

  const Credential& owner() const { return *owner_; }

 private:
  const std::shared_ptr<const Credential> owner_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::shared_ptr<const Credential>, std::less<>> keys_;  // guarded by mutex_
};

}  // namespace argosy::auth
