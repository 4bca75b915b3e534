// The listing of all objects: a SQLite file whose rows are derived from the objects' files and can be made again from
// them.
//
// IndexReader answers look-ups and listings, in any process, from any thread (a few connections of its own).
// IndexWriter is the one writer: a thread that commits all that waits in one transaction. A transaction that holds an
// intent is fsynced; rows need not be, since the intent, which goes in the same transaction as its row comes, stands
// until then.
#pragma once

#include <sqlite3.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/sqlite.h"
#include "objectstore/embedded/record.h"
#include "objectstore/embedded/reserve.h"

namespace argosy::objectstore {

struct IndexRow {
  FileIdentity identity;
  std::string etag;
  std::string details;  // EncodeDetails

  bool operator==(const IndexRow&) const = default;
};

struct IndexPage {
  struct Entry {
    std::string key;
    IndexRow row;  // without details
  };
  std::vector<Entry> entries;
  std::vector<std::string> common_prefixes;
  std::optional<std::string> next;  // the least key that has not been looked at, when there is one
};

class IndexReader {
 public:
  explicit IndexReader(std::filesystem::path path) : path_(std::move(path)) {}

  Result<std::optional<IndexRow>> Find(std::string_view bucket, std::string_view key);
  // At most `max` entries and common prefixes together, of keys >= `from`.
  Result<IndexPage> List(std::string_view bucket, std::string_view prefix, std::string_view delimiter, std::string from,
                         size_t max);

 private:
  struct Connection {
    sqlite::Database database;
    sqlite::Statement find;
    sqlite::Statement list;
  };
  class Lease;
  Result<std::unique_ptr<Connection>> Take();
  void GiveBack(std::unique_ptr<Connection> connection);

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
  size_t open_ = 0;                                // guarded by mutex_
};

struct Intent {
  int64_t id = 0;
  std::string bucket;
  std::string key;
  std::optional<IndexRow> row;  // what the file will be; nothing: it will be gone
};

class IndexWriter {
 public:
  // Makes the file when absent. A file that is no index any more is put aside (".broken") and a new one made. Beside it
  // ("reserve") lies room for removals on a full disk.
  static Result<std::unique_ptr<IndexWriter>> Open(const std::filesystem::path& path);
  ~IndexWriter();
  IndexWriter(const IndexWriter&) = delete;
  IndexWriter& operator=(const IndexWriter&) = delete;

  // Before Start, from the opening thread: whether all files have once been taken in, and the means to do so.
  Result<bool> IsComplete();
  Status Rebuild(
      const std::function<Status(const std::function<Status(const std::string& bucket, const std::string& key,
                                                            const IndexRow& row)>& add)>& walk);
  Result<std::vector<Intent>> LeftoverIntents();
  // One transaction: the rows as given, all intents gone.
  Status Settle(const std::vector<Intent>& truths);

  void Start();  // the committing thread

  using Ticket = std::future<Status>;
  struct IntentTicket {
    int64_t id;
    Ticket durable;
  };
  // Durable when the ticket says so.
  IntentTicket AddIntent(std::string_view bucket, std::string_view key, std::optional<IndexRow> row);
  // The row as it is now and the end of the intent; 0: there was none. Calls take effect in their order.
  Ticket Finish(int64_t intent_id, std::string_view bucket, std::string_view key, std::optional<IndexRow> row);
  // The row, while the intent stands for the next Open to look at.
  Ticket SetRow(std::string_view bucket, std::string_view key, std::optional<IndexRow> row) {
    return Finish(0, bucket, key, std::move(row));
  }
  // The intent came to nothing.
  void DropIntent(int64_t intent_id);
  // When all that was asked for before has been done.
  Ticket Barrier();

 private:
  enum class JobKind { kIntent, kFinish, kDrop, kBarrier };
  struct Job {
    JobKind kind = JobKind::kBarrier;
    int64_t intent_id = 0;
    std::string bucket;
    std::string key;
    std::optional<IndexRow> row;
    std::promise<Status> done;
    bool answered = false;
  };

  explicit IndexWriter(Reserve reserve) : reserve_(std::move(reserve)) {}
  Ticket Enqueue(Job job);
  void Work();
  Status Apply(Job& job);
  // On an error nothing of the batch has happened.
  Status CommitBatch(std::deque<Job>& batch);
  // Each job gets its answer; those that must not be lost come back.
  std::deque<Job> Answer(std::deque<Job> batch, const Status& done);

  Reserve reserve_;
  sqlite::Database database_;
  sqlite::Statement insert_intent_;
  sqlite::Statement delete_intent_;
  sqlite::Statement upsert_;
  sqlite::Statement erase_;
  sqlite::Statement begin_;
  sqlite::Statement commit_;
  sqlite::Statement rollback_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;    // guarded by mutex_; bounded by the callers, each of which waits for its ticket
  int64_t next_intent_ = 1;  // guarded by mutex_
  bool stopping_ = false;    // guarded by mutex_
  std::thread thread_;
};

}  // namespace argosy::objectstore
