// The Catalog of the running program: one writer thread that commits all that waits in one flush, and a few reading
// connections that never wait for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "catalog/catalog.h"
#include "catalog/sqlite_store.h"

namespace argosy::catalog {

class SqliteCatalog final : public Catalog {
 public:
  // Opens or makes <directory>/catalog.db.
  static Result<std::unique_ptr<SqliteCatalog>> Open(const std::string& directory);
  // Commits what waits, then ends.
  ~SqliteCatalog() override;

  void Commit(Transaction transaction, Callback<Change> done) override;
  Result<Resource> Get(Kind kind, std::string_view name) override;
  Result<Resource> GetByUid(std::string_view uid) override;
  Result<Page> List(const Query& query) override;
  void SetChangeListener(std::function<void(const Change&)> listener) override { listener_ = std::move(listener); }

 private:
  struct Pending {
    Transaction transaction;
    Callback<Change> done;
  };
  class ReaderLease;

  SqliteCatalog(std::string path, std::unique_ptr<SqliteStore> writer);
  void Write();

  const std::string path_;
  std::unique_ptr<SqliteStore> writer_;
  std::function<void(const Change&)> listener_;
  uint64_t sequence_ = 0;  // writer thread

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Pending> queue_;  // guarded by mutex_
  bool stopping_ = false;      // guarded by mutex_

  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<SqliteStore>> readers_;  // idle ones; guarded by readers_mutex_

  std::thread thread_;
};

}  // namespace argosy::catalog
