#include "objectstore/embedded/index.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "base/log.h"

namespace argosy::objectstore {

using sqlite::BindBlob;
using sqlite::BindInt;
using sqlite::BindText;
using sqlite::ColumnBytes;
using sqlite::Database;
using sqlite::Execute;
using sqlite::OpenDatabase;
using sqlite::Prepare;
using sqlite::ResetAtEnd;
using sqlite::Statement;
using sqlite::Step;
using sqlite::StepStatement;

namespace {

constexpr int kSchemaVersion = 1;
constexpr size_t kReadersMax = 8;                             // connections; one look-up holds one for microseconds
constexpr int kRebuildBatch = 10'000;                         // rows a transaction while the index is made anew
constexpr auto kRetryPause = std::chrono::milliseconds(500);  // between tries to write rows that a full disk refused

constexpr char kSchema[] = R"sql(
  CREATE TABLE IF NOT EXISTS objects(
    bucket TEXT NOT NULL, key BLOB NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    etag TEXT NOT NULL, details TEXT NOT NULL, PRIMARY KEY(bucket, key)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS intents(
    id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, inode INTEGER, size INTEGER, mtime_ns INTEGER,
    etag TEXT, details TEXT);
  CREATE TABLE IF NOT EXISTS state(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
)sql";

IndexRow ReadRow(sqlite3_stmt* statement, int first) {
  IndexRow row;
  row.identity.inode = static_cast<uint64_t>(sqlite3_column_int64(statement, first));
  row.identity.size = static_cast<uint64_t>(sqlite3_column_int64(statement, first + 1));
  row.identity.mtime_ns = sqlite3_column_int64(statement, first + 2);
  row.etag = ColumnBytes(statement, first + 3);
  return row;
}

void BindRow(sqlite3_stmt* statement, int first, const IndexRow& row) {
  BindInt(statement, first, static_cast<int64_t>(row.identity.inode));
  BindInt(statement, first + 1, static_cast<int64_t>(row.identity.size));
  BindInt(statement, first + 2, row.identity.mtime_ns);
  BindText(statement, first + 3, row.etag);
  BindText(statement, first + 4, row.details);
}

// The least string greater than all that begin with `prefix`; nothing when there is none. Keys are UTF-8, so 0xFF is
// past any of their bytes and the empty prefix is the only one without.
std::optional<std::string> PastPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace

// A connection for the time of one call.
class IndexReader::Lease {
 public:
  Lease(IndexReader* reader, std::unique_ptr<Connection> connection)
      : reader_(reader), connection_(std::move(connection)) {}
  ~Lease() { reader_->GiveBack(std::move(connection_)); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Connection* operator->() { return connection_.get(); }

 private:
  IndexReader* reader_;
  std::unique_ptr<Connection> connection_;
};

Result<std::unique_ptr<IndexReader::Connection>> IndexReader::Take() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return !idle_.empty() || open_ < kReadersMax; });
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
    ++open_;
  }
  auto open = [&]() -> Result<std::unique_ptr<Connection>> {
    auto connection = std::make_unique<Connection>();
    // Readable and writable although it only reads: after a crash the first to come has to recover the write-ahead log.
    Result<Database> database = OpenDatabase(path_, SQLITE_OPEN_READWRITE);
    if (!database.ok()) database = OpenDatabase(path_, SQLITE_OPEN_READONLY);
    if (!database.ok()) {
      // Not kNotFound, which would read as the lack of an object.
      return Error(ErrorCode::kUnavailable, database.error().message());
    }
    sqlite3* raw = database->get();
    sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    const Status set_up = Execute(raw, "PRAGMA query_only=1; PRAGMA cache_size=-512");
    if (!set_up.ok()) return set_up.error();
    Result<Statement> find =
        Prepare(raw, "SELECT inode, size, mtime_ns, etag, details FROM objects WHERE bucket = ? AND key = ?");
    if (!find.ok()) return find.error();
    Result<Statement> list =
        Prepare(raw,
                "SELECT key, inode, size, mtime_ns, etag FROM objects WHERE bucket = ? AND key >= ? "
                "ORDER BY key");
    if (!list.ok()) return list.error();
    connection->database = std::move(*database);
    connection->find = std::move(*find);
    connection->list = std::move(*list);
    return connection;
  };
  Result<std::unique_ptr<Connection>> connection = open();
  if (!connection.ok()) {
    const std::lock_guard lock(mutex_);
    --open_;
    returned_.notify_one();
  }
  return connection;
}

void IndexReader::GiveBack(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
  returned_.notify_one();
}

Result<std::optional<IndexRow>> IndexReader::Find(std::string_view bucket, std::string_view key) {
  Result<std::unique_ptr<Connection>> taken = Take();
  if (!taken.ok()) return taken.error();
  Lease connection(this, std::move(*taken));
  sqlite3_stmt* find = connection->find.get();
  const ResetAtEnd reset(find);
  BindText(find, 1, bucket);
  BindBlob(find, 2, key);
  Result<Step> step = StepStatement(connection->database.get(), find);
  if (!step.ok()) return step.error();
  if (*step == Step::kDone) return std::optional<IndexRow>();
  IndexRow row = ReadRow(find, 0);
  row.details = ColumnBytes(find, 4);
  return std::optional<IndexRow>(std::move(row));
}

Result<IndexPage> IndexReader::List(std::string_view bucket, std::string_view prefix, std::string_view delimiter,
                                    std::string from, size_t max) {
  Result<std::unique_ptr<Connection>> taken = Take();
  if (!taken.ok()) return taken.error();
  Lease connection(this, std::move(*taken));
  sqlite3* database = connection->database.get();
  sqlite3_stmt* list = connection->list.get();
  IndexPage page;
  if (from < prefix) from = std::string(prefix);
  // Each turn begins at `from`; a common prefix ends it, since the next key to look at lies past all that have it.
  for (;;) {
    const ResetAtEnd reset(list);
    BindText(list, 1, bucket);
    BindBlob(list, 2, from);
    std::optional<std::string> jump;
    while (!jump) {
      Result<Step> step = StepStatement(database, list);
      if (!step.ok()) return step.error();
      if (*step == Step::kDone) return page;
      std::string key = ColumnBytes(list, 0);
      if (!key.starts_with(prefix)) return page;
      if (page.entries.size() + page.common_prefixes.size() >= max) {
        page.next = std::move(key);
        return page;
      }
      const size_t cut = delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
      if (cut != std::string::npos) {
        std::string common = key.substr(0, cut + delimiter.size());
        jump = PastPrefix(common);
        page.common_prefixes.push_back(std::move(common));
        if (!jump) return page;
        continue;
      }
      page.entries.push_back({std::move(key), ReadRow(list, 1)});
    }
    from = std::move(*jump);
  }
}

Result<std::unique_ptr<IndexWriter>> IndexWriter::Open(const std::filesystem::path& path) {
  auto open = [&]() -> Result<std::unique_ptr<IndexWriter>> {
    std::unique_ptr<IndexWriter> writer(new IndexWriter(Reserve(path.parent_path() / "reserve")));
    writer->reserve_.Release();  // opening writes as well; Start takes it back
    Result<Database> database = OpenDatabase(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!database.ok()) return database.error();
    sqlite3* raw = database->get();
    Status done = Execute(raw, "PRAGMA journal_mode=WAL");
    if (done.ok()) done = Execute(raw, "PRAGMA synchronous=FULL; PRAGMA cache_size=-4096");
    if (done.ok()) done = Execute(raw, kSchema);
    if (!done.ok()) return done.error();
    writer->database_ = std::move(*database);
    struct Wanted {
      Statement* statement;
      const char* sql;
    };
    const Wanted wanted[] = {
        {&writer->insert_intent_,
         "INSERT INTO intents(id, bucket, key, inode, size, mtime_ns, etag, details) VALUES(?,?,?,?,?,?,?,?)"},
        {&writer->delete_intent_, "DELETE FROM intents WHERE id = ?"},
        {&writer->upsert_,
         "INSERT OR REPLACE INTO objects(bucket, key, inode, size, mtime_ns, etag, details) VALUES(?,?,?,?,?,?,?)"},
        {&writer->erase_, "DELETE FROM objects WHERE bucket = ? AND key = ?"},
        {&writer->begin_, "BEGIN IMMEDIATE"},
        {&writer->commit_, "COMMIT"},
        {&writer->rollback_, "ROLLBACK"},
    };
    for (const Wanted& one : wanted) {
      Result<Statement> statement = Prepare(raw, one.sql);
      if (!statement.ok()) return statement.error();
      *one.statement = std::move(*statement);
    }
    // One look at each table: a file that is damaged at its head shows it here rather than in the middle of work.
    Result<Statement> probe =
        Prepare(raw,
                "SELECT (SELECT value FROM state WHERE name = 'schema'), "
                "(SELECT ifnull(max(id), 0) FROM intents), (SELECT count(*) FROM (SELECT 1 FROM objects LIMIT 1))");
    if (!probe.ok()) return probe.error();
    Result<Step> step = StepStatement(raw, probe->get());
    if (!step.ok()) return step.error();
    writer->next_intent_ = sqlite3_column_int64(probe->get(), 1) + 1;
    const bool fresh = sqlite3_column_type(probe->get(), 0) == SQLITE_NULL;
    const int64_t schema = sqlite3_column_int64(probe->get(), 0);
    probe->reset();
    if (fresh) {
      done = Execute(raw, ("INSERT INTO state VALUES('schema', " + std::to_string(kSchemaVersion) + ")").c_str());
      if (!done.ok()) return done.error();
    } else if (schema != kSchemaVersion) {
      return Error(ErrorCode::kCorrupt, "object index: schema version " + std::to_string(schema) + " is not " +
                                            std::to_string(kSchemaVersion));
    }
    return writer;
  };
  Result<std::unique_ptr<IndexWriter>> writer = open();
  if (writer.ok() || writer.error().code() != ErrorCode::kCorrupt) return writer;
  Log(LogLevel::kWarning, "object index put aside and made anew", {{"reason", writer.error().message()}});
  std::error_code ignored;
  std::filesystem::rename(path, path.string() + ".broken", ignored);
  std::filesystem::remove(path.string() + "-wal", ignored);
  std::filesystem::remove(path.string() + "-shm", ignored);
  return open();
}

IndexWriter::~IndexWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Result<bool> IndexWriter::IsComplete() {
  Result<Statement> query = Prepare(database_.get(), "SELECT 1 FROM state WHERE name = 'complete'");
  if (!query.ok()) return query.error();
  Result<Step> step = StepStatement(database_.get(), query->get());
  if (!step.ok()) return step.error();
  return *step == Step::kRow;
}

Status IndexWriter::Rebuild(
    const std::function<Status(const std::function<Status(const std::string& bucket, const std::string& key,
                                                          const IndexRow& row)>& add)>& walk) {
  sqlite3* raw = database_.get();
  Status done = Execute(raw, "PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE; DELETE FROM objects; DELETE FROM intents");
  int in_batch = 0;
  auto add = [&](const std::string& bucket, const std::string& key, const IndexRow& row) -> Status {
    const ResetAtEnd reset(upsert_.get());
    BindText(upsert_.get(), 1, bucket);
    BindBlob(upsert_.get(), 2, key);
    BindRow(upsert_.get(), 3, row);
    Result<Step> step = StepStatement(raw, upsert_.get());
    if (!step.ok()) return step.error();
    if (++in_batch < kRebuildBatch) return {};
    in_batch = 0;
    sqlite3_reset(upsert_.get());
    return Execute(raw, "COMMIT; BEGIN IMMEDIATE");
  };
  if (done.ok()) done = walk(add);
  if (done.ok())
    done = Execute(raw, "COMMIT; PRAGMA synchronous=FULL; INSERT OR REPLACE INTO state VALUES('complete', 1)");
  if (!done.ok() && sqlite3_get_autocommit(raw) == 0) sqlite3_exec(raw, "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

Result<std::vector<Intent>> IndexWriter::LeftoverIntents() {
  Result<Statement> query =
      Prepare(database_.get(), "SELECT id, bucket, key, inode, size, mtime_ns, etag, details FROM intents ORDER BY id");
  if (!query.ok()) return query.error();
  std::vector<Intent> out;
  for (;;) {
    Result<Step> step = StepStatement(database_.get(), query->get());
    if (!step.ok()) return step.error();
    if (*step == Step::kDone) return out;
    Intent intent;
    intent.id = sqlite3_column_int64(query->get(), 0);
    intent.bucket = ColumnBytes(query->get(), 1);
    intent.key = ColumnBytes(query->get(), 2);
    if (sqlite3_column_type(query->get(), 3) != SQLITE_NULL) {
      intent.row = ReadRow(query->get(), 3);
      intent.row->details = ColumnBytes(query->get(), 7);
    }
    out.push_back(std::move(intent));
  }
}

Status IndexWriter::Settle(const std::vector<Intent>& truths) {
  sqlite3* raw = database_.get();
  Status done = Execute(raw, "BEGIN IMMEDIATE");
  for (const Intent& truth : truths) {
    if (!done.ok()) break;
    Job job{
        .kind = JobKind::kFinish, .intent_id = truth.id, .bucket = truth.bucket, .key = truth.key, .row = truth.row};
    done = Apply(job);
  }
  if (done.ok()) done = Execute(raw, "COMMIT");
  if (!done.ok() && sqlite3_get_autocommit(raw) == 0) sqlite3_exec(raw, "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

void IndexWriter::Start() {
  reserve_.Hold();
  thread_ = std::thread([this] { Work(); });
}

IndexWriter::IntentTicket IndexWriter::AddIntent(std::string_view bucket, std::string_view key,
                                                 std::optional<IndexRow> row) {
  Job job{.kind = JobKind::kIntent, .bucket = std::string(bucket), .key = std::string(key), .row = std::move(row)};
  IntentTicket ticket;
  ticket.durable = job.done.get_future();
  {
    const std::lock_guard lock(mutex_);
    ticket.id = job.intent_id = next_intent_++;
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return ticket;
}

IndexWriter::Ticket IndexWriter::Enqueue(Job job) {
  Ticket ticket = job.done.get_future();
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return ticket;
}

IndexWriter::Ticket IndexWriter::Finish(int64_t intent_id, std::string_view bucket, std::string_view key,
                                        std::optional<IndexRow> row) {
  return Enqueue({.kind = JobKind::kFinish,
                  .intent_id = intent_id,
                  .bucket = std::string(bucket),
                  .key = std::string(key),
                  .row = std::move(row)});
}

void IndexWriter::DropIntent(int64_t intent_id) {
  (void)Enqueue({.kind = JobKind::kDrop, .intent_id = intent_id});
}

IndexWriter::Ticket IndexWriter::Barrier() {
  return Enqueue({.kind = JobKind::kBarrier});
}

Status IndexWriter::Apply(Job& job) {
  sqlite3* raw = database_.get();
  auto run = [&](sqlite3_stmt* statement) -> Status {
    Result<Step> step = StepStatement(raw, statement);
    if (!step.ok()) return step.error();
    return {};
  };
  switch (job.kind) {
    case JobKind::kBarrier:
      return {};
    case JobKind::kIntent: {
      sqlite3_stmt* insert = insert_intent_.get();
      const ResetAtEnd reset(insert);
      BindInt(insert, 1, job.intent_id);
      BindText(insert, 2, job.bucket);
      BindBlob(insert, 3, job.key);
      if (job.row) BindRow(insert, 4, *job.row);  // left unbound: NULL
      return run(insert);
    }
    case JobKind::kFinish: {
      sqlite3_stmt* change = job.row ? upsert_.get() : erase_.get();
      const ResetAtEnd reset(change);
      BindText(change, 1, job.bucket);
      BindBlob(change, 2, job.key);
      if (job.row) BindRow(change, 3, *job.row);
      const Status done = run(change);
      if (!done.ok() || job.intent_id == 0) return done;
      [[fallthrough]];
    }
    case JobKind::kDrop: {
      const ResetAtEnd reset(delete_intent_.get());
      BindInt(delete_intent_.get(), 1, job.intent_id);
      return run(delete_intent_.get());
    }
  }
  return {};
}

Status IndexWriter::CommitBatch(std::deque<Job>& batch) {
  sqlite3* raw = database_.get();
  const bool durable = std::ranges::any_of(batch, [](const Job& job) { return job.kind == JobKind::kIntent; });
  Status done = Execute(raw, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  auto run = [&](sqlite3_stmt* statement) -> Status {
    const ResetAtEnd reset(statement);
    Result<Step> step = StepStatement(raw, statement);
    if (!step.ok()) return step.error();
    return {};
  };
  if (done.ok()) done = run(begin_.get());
  for (Job& job : batch) {
    if (!done.ok()) break;
    done = Apply(job);
  }
  if (done.ok()) done = run(commit_.get());
  if (!done.ok() && sqlite3_get_autocommit(raw) == 0) (void)run(rollback_.get());
  return done;
}

std::deque<IndexWriter::Job> IndexWriter::Answer(std::deque<Job> batch, const Status& done) {
  std::deque<Job> refused;
  for (Job& job : batch) {
    if (!job.answered) job.done.set_value(done);
    job.answered = true;
    if (!done.ok() && (job.kind == JobKind::kFinish || job.kind == JobKind::kDrop)) refused.push_back(std::move(job));
  }
  return refused;
}

void IndexWriter::Work() {
  std::deque<Job> refused;  // rows of files that are in place already: tried again until they are in, or until the end
  for (;;) {
    std::deque<Job> batch = std::move(refused);
    refused.clear();
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      auto ready = [&] { return stopping_ || !queue_.empty(); };
      if (batch.empty()) {
        wake_.wait(lock, ready);
      } else {
        wake_.wait_for(lock, kRetryPause, ready);
      }
      std::ranges::move(queue_, std::back_inserter(batch));
      queue_.clear();
      last = stopping_;
    }
    Status done = batch.empty() ? Status() : CommitBatch(batch);
    if (!done.ok()) Log(LogLevel::kError, "object index commit failed", {{"reason", done.error().message()}});
    if (!done.ok() && done.error().code() == ErrorCode::kNoSpace && reserve_.Release()) {
      // What adds is refused; what removes goes on in the room that was kept for it.
      std::deque<Job> adding;
      std::deque<Job> removing;
      for (Job& job : batch) {
        const bool adds = job.kind == JobKind::kIntent && job.row;
        (adds ? adding : removing).push_back(std::move(job));
      }
      (void)Answer(std::move(adding), done);
      batch = std::move(removing);
      done = CommitBatch(batch);
    }
    if (done.ok()) reserve_.Hold();  // before anybody hears of the room that there is again
    refused = Answer(std::move(batch), done);
    if (last) return;
  }
}

}  // namespace argosy::objectstore
