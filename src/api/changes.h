// Changing what the catalog has from a request: read, decide, commit, and again from the start when somebody else (a
// controller, another request) came between.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "api/operation.h"
#include "base/thread_pool.h"
#include "catalog/catalog.h"

namespace argosy::api {

// A change that is retried this often when another writer comes between; each round is a fresh read.
inline constexpr int kUpdateAttemptsMax = 8;

// A change with the answer to give once it is committed.
struct Decision {
  catalog::Transaction transaction;
  std::string answer;
};
// Reads and decides: on what to change, or on an answer at once. Runs on a pool thread, once a round.
using Proposal = std::variant<Decision, Answer>;
using Propose = std::function<Proposal()>;

// What a service says when others came between each time.
using OutOfAttempts = ServiceError (*)(const Error& last);

// On a pool thread. `catalog` and `pool` outlive the request.
void CommitProposal(catalog::Catalog* catalog, ThreadPool* pool, Propose propose, Reply reply,
                    OutOfAttempts out_of_attempts = &FromError);

}  // namespace argosy::api
