#include "api/changes.h"

#include <utility>

namespace argosy::api {
namespace {

// Removed, made or changed since it was read.
bool CameBetween(ErrorCode code) {
  return code == ErrorCode::kConflict || code == ErrorCode::kNotFound || code == ErrorCode::kAlreadyExists;
}

void Attempt(catalog::Catalog* catalog, ThreadPool* pool, Propose propose, Reply reply, OutOfAttempts out_of_attempts,
             int attempt) {
  Proposal proposal = propose();
  if (auto* answer = std::get_if<Answer>(&proposal)) return reply(std::move(*answer));
  Decision& decision = std::get<Decision>(proposal);
  catalog->Commit(std::move(decision.transaction),
                  [catalog, pool, propose = std::move(propose), reply = std::move(reply), out_of_attempts, attempt,
                   answer = std::move(decision.answer)](const Result<catalog::Change>& change) mutable {
                    if (change.ok()) return reply(std::move(answer));
                    if (!CameBetween(change.error().code())) return reply(FromError(change.error()));
                    if (attempt >= kUpdateAttemptsMax) return reply(out_of_attempts(change.error()));
                    // This is the catalog's writer thread: reading is for the pool.
                    const Status queued =
                        pool->Submit([catalog, pool, propose = std::move(propose), reply, out_of_attempts, attempt] {
                          Attempt(catalog, pool, propose, reply, out_of_attempts, attempt + 1);
                        });
                    if (!queued.ok()) reply(FromError(queued.error()));
                  });
}

}  // namespace

void CommitProposal(catalog::Catalog* catalog, ThreadPool* pool, Propose propose, Reply reply,
                    OutOfAttempts out_of_attempts) {
  Attempt(catalog, pool, std::move(propose), std::move(reply), out_of_attempts, 1);
}

}  // namespace argosy::api
