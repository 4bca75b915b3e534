#include "auth/key_ring.h"

#include <mutex>
#include <utility>

namespace argosy::auth {

KeyRing::KeyRing(Credential owner) : owner_(std::make_shared<const Credential>(std::move(owner))) {}

KeyLookup KeyRing::Find(std::string_view access_key_id, std::string_view /*token*/) const {
  if (access_key_id == owner_->access_key_id) return {.credential = owner_};
  const std::shared_lock lock(mutex_);
  const auto found = keys_.find(access_key_id);
  return found == keys_.end() ? KeyLookup{} : KeyLookup{.credential = found->second};
}

void KeyRing::Put(Credential credential) {
  const std::unique_lock lock(mutex_);
  std::string id = credential.access_key_id;
  keys_.insert_or_assign(std::move(id), std::make_shared<const Credential>(std::move(credential)));
}

void KeyRing::Remove(std::string_view access_key_id) {
  const std::unique_lock lock(mutex_);
  const auto found = keys_.find(access_key_id);
  if (found != keys_.end()) keys_.erase(found);
}

}  // namespace argosy::auth
