#include "testing/sim_catalog.h"

namespace argosy::testing {

Result<std::unique_ptr<SimCatalog>> SimCatalog::Open(SimDisk* disk, Scheduler* scheduler, const Clock* clock,
                                                     Random* random) {
  Result<std::unique_ptr<catalog::SqliteStore>> store =
      catalog::SqliteStore::Open("catalog.db", catalog::Access::kExclusiveWriter, disk->name());
  if (!store.ok()) return store.error();
  return std::unique_ptr<SimCatalog>(new SimCatalog(std::move(*store), scheduler, clock, random));
}

Duration SimCatalog::Delay() {
  return std::chrono::microseconds(random_->Below(3000));
}

void SimCatalog::Commit(catalog::Transaction transaction, Callback<catalog::Change> done) {
  transactions_.push_back(std::move(transaction));
  callbacks_.push_back(std::move(done));
  if (transactions_.size() == 1) scheduler_->After(Delay(), [this] { Flush(); });
}

void SimCatalog::Flush() {
  std::vector<catalog::Transaction> transactions;
  std::vector<Callback<catalog::Change>> callbacks;
  transactions.swap(transactions_);
  callbacks.swap(callbacks_);
  std::vector<Result<catalog::Change>> results = store_->Apply(transactions);
  for (Result<catalog::Change>& result : results) {
    if (!result.ok()) continue;
    result->sequence = ++sequence_;
    if (on_durable) on_durable(*result);
  }
  // A crash may come between the flush and the first that hears of it.
  answered_until_ = std::max(answered_until_, clock_->Now() + Delay());
  scheduler_->After(answered_until_ - clock_->Now(),
                    [this, results = std::move(results), callbacks = std::move(callbacks)]() mutable {
                      for (const Result<catalog::Change>& result : results) {
                        if (result.ok() && listener_) listener_(*result);
                      }
                      for (size_t i = 0; i < results.size(); ++i) callbacks[i](std::move(results[i]));
                    });
}

}  // namespace argosy::testing
