// Keeps a key ring what the catalog says: a key that is made, disabled or deleted counts, or counts no more, before the
// change is acknowledged to whoever asked for it.
//
// Threads: Load before the first commit; OnChange on the catalog's writer thread.
#pragma once

#include <map>
#include <string>

#include "auth/key_ring.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "catalog/user.h"

namespace argosy::api::iam {

class KeyFeed {
 public:
  // `ring` outlives it.
  explicit KeyFeed(auth::KeyRing* ring) : ring_(ring) {}

  Status Load(catalog::Catalog& catalog);
  void OnChange(const catalog::Change& change);

 private:
  struct User {
    auth::Principal principal;
    std::map<std::string, std::string> secrets;  // of its active keys, by their ids
  };
  void Write(const catalog::Resource& resource);
  void Remove(const catalog::Resource& resource);

  auth::KeyRing* const ring_;
  std::map<std::string, User> users_;  // by uid
};

// What a user's resource says.
Result<auth::Principal> PrincipalOf(const catalog::Resource& user);

}  // namespace argosy::api::iam
