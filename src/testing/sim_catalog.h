// The real catalog tables on a simulated disk: commits take simulated time and are grouped, as the running program's
// are.
#pragma once

#include <memory>
#include <vector>

#include "base/random.h"
#include "base/sim_scheduler.h"
#include "catalog/catalog.h"
#include "catalog/sqlite_store.h"
#include "testing/sim_disk.h"

namespace argosy::testing {

class SimCatalog final : public catalog::Catalog {
 public:
  static Result<std::unique_ptr<SimCatalog>> Open(SimDisk* disk, Scheduler* scheduler, const Clock* clock,
                                                  Random* random);

  void Commit(catalog::Transaction transaction, Callback<catalog::Change> done) override;
  Result<catalog::Resource> Get(catalog::Kind kind, std::string_view name) override { return store_->Get(kind, name); }
  Result<catalog::Resource> GetByUid(std::string_view uid) override { return store_->GetByUid(uid); }
  Result<catalog::Page> List(const catalog::Query& query) override { return store_->List(query); }
  void SetChangeListener(std::function<void(const catalog::Change&)> listener) override {
    listener_ = std::move(listener);
  }

  // The world's own ear: told of what has become durable, before anybody in the program is.
  std::function<void(const catalog::Change&)> on_durable;

 private:
  SimCatalog(std::unique_ptr<catalog::SqliteStore> store, Scheduler* scheduler, const Clock* clock, Random* random)
      : store_(std::move(store)), scheduler_(scheduler), clock_(clock), random_(random) {}
  void Flush();
  Duration Delay();

  std::unique_ptr<catalog::SqliteStore> store_;
  Scheduler* scheduler_;
  const Clock* clock_;
  Random* random_;
  Time answered_until_{};  // answers keep the order of their flushes
  std::function<void(const catalog::Change&)> listener_;
  std::vector<catalog::Transaction> transactions_;
  std::vector<Callback<catalog::Change>> callbacks_;
  uint64_t sequence_ = 0;
};

}  // namespace argosy::testing
