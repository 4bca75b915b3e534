// Only for tests: the real catalog tables in memory, in the hands of a test that wants to come between.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/scheduler.h"
#include "catalog/catalog.h"
#include "catalog/sqlite_store.h"

namespace argosy::control {

class StoreCatalog final : public catalog::Catalog {
 public:
  StoreCatalog()
      : store_(std::move(catalog::SqliteStore::Open(":memory:", catalog::Access::kExclusiveWriter)).value()) {}

  void Commit(catalog::Transaction transaction, Callback<catalog::Change> done) override {
    if (before_commit) std::exchange(before_commit, nullptr)();
    Result<catalog::Change> result =
        refusal ? Result<catalog::Change>(*std::exchange(refusal, std::nullopt)) : Write(transaction);
    if (!later) return done(std::move(result));
    later([done = std::move(done), result = std::move(result)] { done(result); });
  }
  // As somebody else would; nobody comes between.
  Result<catalog::Change> Write(const catalog::Transaction& transaction) {
    std::vector<Result<catalog::Change>> results = store_->Apply({transaction});
    if (results[0].ok() && listener_) listener_(*results[0]);
    return std::move(results[0]);
  }
  Result<catalog::Resource> Get(catalog::Kind kind, std::string_view name) override { return store_->Get(kind, name); }
  Result<catalog::Resource> GetByUid(std::string_view uid) override { return store_->GetByUid(uid); }
  Result<catalog::Page> List(const catalog::Query& query) override { return store_->List(query); }
  void SetChangeListener(std::function<void(const catalog::Change&)> listener) override {
    listener_ = std::move(listener);
  }

  // All of a kind, the oldest first.
  std::vector<catalog::Resource> All(catalog::Kind kind) {
    catalog::Query query;
    query.kind = kind;
    query.order = catalog::SortOrder::kAscending;
    query.max_results = 1000;
    return store_->List(query)->resources;
  }

  std::function<void(Task)> later;      // when commits are answered; at once unless set
  std::function<void()> before_commit;  // once
  std::optional<Error> refusal;         // of the next commit

 private:
  std::unique_ptr<catalog::SqliteStore> store_;
  std::function<void(const catalog::Change&)> listener_;
};

}  // namespace argosy::control
