// Keeps a session store what the ledger says: the session of an instance counts while its entry is open, and stands for
// the job or endpoint that holds it.
//
// Threads: Load before the first commit; OnChange on the catalog's writer thread.
#pragma once

#include "auth/session_store.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "protocol/messages.h"

namespace argosy::control {

// The session of an instance that is about to start: good while its ledger entry is open, and no longer than its work
// may take.
protocol::Session SignIn(const auth::SessionKey& key, const protocol::Assignment& assignment, std::string endpoint,
                         Time now);

class SessionFeed {
 public:
  // `sessions` outlives it.
  explicit SessionFeed(auth::SessionStore* sessions) : sessions_(sessions) {}

  Status Load(catalog::Catalog& catalog);
  void OnChange(const catalog::Change& change);

 private:
  void Write(const catalog::Resource& resource);

  auth::SessionStore* const sessions_;
};

}  // namespace argosy::control
