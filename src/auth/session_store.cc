#include "auth/session_store.h"

#include <utility>

namespace argosy::auth {

SessionStore::SessionStore(const CredentialStore* keys, const SessionKey& key, const Clock* clock)
    : keys_(keys), key_(key), clock_(clock) {}

KeyLookup SessionStore::Find(std::string_view access_key_id, std::string_view token) const {
  KeyLookup found = keys_->Find(access_key_id, token);
  if (found.credential != nullptr || token.empty()) return found;
  const std::variant<SessionClaims, AuthFailure> read = key_.Read(token, clock_->Now());
  if (const auto* failure = std::get_if<AuthFailure>(&read)) return {.failure = *failure};
  const auto& claims = std::get<SessionClaims>(read);
  const std::lock_guard lock(mutex_);
  const auto running = running_.find(claims.instance_id);
  if (running == running_.end() || running->second.owner_uid != claims.owner_uid) {
    return {.failure = AuthFailure::kExpiredToken};
  }
  std::shared_ptr<const Credential>& last = running->second.last;
  if (last == nullptr || last->session_token != token) {
    Credential issued = key_.Issue(claims);
    issued.principal = running->second.principal;
    last = std::make_shared<const Credential>(std::move(issued));
  }
  // A token beside the key of another session.
  if (last->access_key_id != access_key_id) return {.failure = AuthFailure::kBadToken};
  return {.credential = last};
}

void SessionStore::Open(const std::string& instance_id, const std::string& owner_uid, Principal principal) {
  const std::lock_guard lock(mutex_);
  running_.insert_or_assign(instance_id, Running{owner_uid, std::move(principal), nullptr});
}

void SessionStore::Close(const std::string& instance_id) {
  const std::lock_guard lock(mutex_);
  running_.erase(instance_id);
}

}  // namespace argosy::auth
