#include "catalog/sqlite_catalog.h"

#include <pthread.h>

#include "base/log.h"

namespace argosy::catalog {
namespace {

constexpr size_t kQueueMax = 16'384;  // at 20,000 commits/s about a second of waiting: more would only wait longer
constexpr size_t kBatchMax = 1'024;   // bounds how long the first of a batch waits for the last
constexpr size_t kIdleReadersMax = 8;

}  // namespace

// Borrows a reading connection, makes one when none is idle, gives it back at the end.
class SqliteCatalog::ReaderLease {
 public:
  static Result<ReaderLease> Take(SqliteCatalog* catalog) {
    {
      std::lock_guard lock(catalog->readers_mutex_);
      if (!catalog->readers_.empty()) {
        std::unique_ptr<SqliteStore> store = std::move(catalog->readers_.back());
        catalog->readers_.pop_back();
        return ReaderLease(catalog, std::move(store));
      }
    }
    Result<std::unique_ptr<SqliteStore>> store = SqliteStore::Open(catalog->path_, Access::kReader);
    if (!store.ok()) return store.error();
    return ReaderLease(catalog, std::move(*store));
  }
  ReaderLease(ReaderLease&&) = default;
  ReaderLease& operator=(ReaderLease&&) = delete;
  ~ReaderLease() {
    if (!store_) return;
    std::lock_guard lock(catalog_->readers_mutex_);
    if (catalog_->readers_.size() < kIdleReadersMax) catalog_->readers_.push_back(std::move(store_));
  }
  SqliteStore* operator->() { return store_.get(); }

 private:
  ReaderLease(SqliteCatalog* catalog, std::unique_ptr<SqliteStore> store)
      : catalog_(catalog), store_(std::move(store)) {}
  SqliteCatalog* catalog_;
  std::unique_ptr<SqliteStore> store_;
};

Result<std::unique_ptr<SqliteCatalog>> SqliteCatalog::Open(const std::string& directory) {
  const std::string path = directory + "/catalog.db";
  Result<std::unique_ptr<SqliteStore>> writer = SqliteStore::Open(path, Access::kWriter);
  if (!writer.ok()) return writer.error();
  return std::unique_ptr<SqliteCatalog>(new SqliteCatalog(path, std::move(*writer)));
}

SqliteCatalog::SqliteCatalog(std::string path, std::unique_ptr<SqliteStore> writer)
    : path_(std::move(path)), writer_(std::move(writer)), thread_([this] { Write(); }) {}

SqliteCatalog::~SqliteCatalog() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_one();
  thread_.join();
}

void SqliteCatalog::Commit(Transaction transaction, Callback<Change> done) {
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() < kQueueMax) {
      queue_.push_back({std::move(transaction), std::move(done)});
      done = nullptr;
    }
  }
  if (done) {
    done(Error(ErrorCode::kResourceExhausted,
               "the catalog is busy: " + std::to_string(kQueueMax) + " changes are waiting"));
    return;
  }
  ready_.notify_one();
}

void SqliteCatalog::Write() {
  pthread_setname_np(pthread_self(), "catalog");
  for (;;) {
    std::vector<Transaction> transactions;
    std::vector<Callback<Change>> callbacks;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      while (!queue_.empty() && transactions.size() < kBatchMax) {
        transactions.push_back(std::move(queue_.front().transaction));
        callbacks.push_back(std::move(queue_.front().done));
        queue_.pop_front();
      }
    }
    std::vector<Result<Change>> results = writer_->Apply(transactions);
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i].ok()) {
        results[i]->sequence = ++sequence_;
        if (listener_) listener_(*results[i]);
      } else if (results[i].error().code() == ErrorCode::kIo) {
        Log(LogLevel::kError, "the catalog cannot be written", {{"error", results[i].error().message()}});
      }
    }
    for (size_t i = 0; i < results.size(); ++i) callbacks[i](std::move(results[i]));
  }
}

Result<Resource> SqliteCatalog::Get(Kind kind, std::string_view name) {
  Result<ReaderLease> reader = ReaderLease::Take(this);
  if (!reader.ok()) return reader.error();
  return (*reader)->Get(kind, name);
}

Result<Resource> SqliteCatalog::GetByUid(std::string_view uid) {
  Result<ReaderLease> reader = ReaderLease::Take(this);
  if (!reader.ok()) return reader.error();
  return (*reader)->GetByUid(uid);
}

Result<Page> SqliteCatalog::List(const Query& query) {
  Result<ReaderLease> reader = ReaderLease::Take(this);
  if (!reader.ok()) return reader.error();
  return (*reader)->List(query);
}

}  // namespace argosy::catalog
