#include "catalog/sqlite_store.h"

#include <sqlite3.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/json.h"

namespace argosy::catalog {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kBusyWaitMillis = 10'000;  // readers never wait on WAL; this covers a checkpoint of another connection
constexpr size_t kPreparedMax = 64;      // shapes of list queries are few; more means a bug
constexpr size_t kPageMax = 1000;

constexpr const char* kColumns =
    "uid, kind, name, version, created, modified, status, principal, owner, spec, state, tags";

// Rows lie in the order of their creation: new ones fill one page after another, and only the small indexes are touched
// at random places.
constexpr const char* kSchema = R"sql(
CREATE TABLE resource(
  uid TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
  created INTEGER NOT NULL, modified INTEGER NOT NULL, status TEXT NOT NULL, principal TEXT NOT NULL,
  owner TEXT NOT NULL, spec TEXT NOT NULL, state TEXT NOT NULL, tags TEXT NOT NULL);
CREATE UNIQUE INDEX resource_name ON resource(kind, name);
CREATE INDEX resource_created ON resource(kind, created, uid);
CREATE INDEX resource_status ON resource(kind, status);
CREATE INDEX resource_owner ON resource(owner) WHERE owner <> '';
)sql";

std::string TagsToJson(const Tags& tags) {
  return tags.empty() ? std::string() : DumpJson(Json(tags));
}

Tags TagsFromJson(const std::string& text) {
  if (text.empty()) return {};
  Result<Json> json = ParseJson(text);
  Tags tags;
  if (!json.ok() || !json->is_object()) return tags;
  for (const auto& [key, value] : json->items()) {
    if (value.is_string()) tags[key] = value.get<std::string>();
  }
  return tags;
}

const char* SortColumn(SortBy sort_by) {
  switch (sort_by) {
    case SortBy::kCreated:
      return "created";
    case SortBy::kName:
      return "name";
    case SortBy::kModified:
      return "modified";
    case SortBy::kStatus:
      return "status";
  }
  return "created";
}

// What a page token must agree with: a token of another query would skip or repeat.
std::string QueryFingerprint(const Query& q) {
  std::string text = std::string(SortColumn(q.sort_by)) + (q.order == SortOrder::kAscending ? "+" : "-");
  text += std::to_string(static_cast<int>(q.kind)) + "|" + q.name_contains + "|" + q.status + "|" + q.owner;
  for (const auto& t : {q.created_after, q.created_before, q.modified_after, q.modified_before}) {
    text += "|" + (t ? std::to_string(ToUnixNanos(*t)) : "");
  }
  return Sha256Hex(text).substr(0, 12);
}

std::string EscapeLike(std::string_view text) {
  std::string out = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "%";
}

}  // namespace

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kTrainingJob:
      return "training-job";
    case Kind::kModel:
      return "model";
    case Kind::kEndpointConfig:
      return "endpoint-config";
    case Kind::kEndpoint:
      return "endpoint";
    case Kind::kInstance:
      return "instance";
    case Kind::kScalableTarget:
      return "scalable-target";
    case Kind::kScalingPolicy:
      return "scaling-policy";
    case Kind::kScheduledAction:
      return "scheduled-action";
    case Kind::kScalingActivity:
      return "scaling-activity";
    case Kind::kAlarm:
      return "alarm";
    case Kind::kUser:
      return "user";
    case Kind::kTeam:
      return "team";
    case Kind::kAccessKey:
      return "access-key";
  }
  return "resource";
}

// One use of a prepared statement: binds in order, resets at the end.
class SqliteStore::Statement {
 public:
  explicit Statement(sqlite3_stmt* stmt) : stmt_(stmt) {}
  ~Statement() {
    sqlite3_reset(stmt_);
    sqlite3_clear_bindings(stmt_);
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Text(std::string_view text) {
    sqlite3_bind_text(stmt_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& Int(int64_t value) {
    sqlite3_bind_int64(stmt_, ++bound_, value);
    return *this;
  }
  int Step() { return sqlite3_step(stmt_); }

  std::string Column(int i) const {
    const void* text = sqlite3_column_text(stmt_, i);
    return {static_cast<const char*>(text), static_cast<size_t>(sqlite3_column_bytes(stmt_, i))};
  }
  int64_t ColumnInt(int i) const { return sqlite3_column_int64(stmt_, i); }

  Resource Row() const {
    Resource r;
    r.uid = Column(0);
    r.kind = static_cast<Kind>(ColumnInt(1));
    r.name = Column(2);
    r.version = static_cast<uint64_t>(ColumnInt(3));
    r.created = FromUnixNanos(ColumnInt(4));
    r.modified = FromUnixNanos(ColumnInt(5));
    r.status = Column(6);
    r.principal = Column(7);
    r.owner = Column(8);
    r.spec = Column(9);
    r.state = Column(10);
    r.tags = TagsFromJson(Column(11));
    return r;
  }

 private:
  sqlite3_stmt* stmt_;
  int bound_ = 0;
};

namespace {

// SQLite takes a file that is shorter than its header for a new, empty database.
constexpr uintmax_t kHeaderBytes = 100;

Status CheckLength(const std::string& path) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size == 0 || size >= kHeaderBytes) return {};
  return Error(ErrorCode::kCorrupt, "opening the catalog " + path + ": it has " + std::to_string(size) +
                                        " bytes and cannot be a database; put back a copy of it");
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path, Access access, const std::string& vfs) {
  const int flags = SQLITE_OPEN_NOMUTEX |
                    (access == Access::kReader ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (vfs.empty()) {
    if (Status s = CheckLength(path); !s.ok()) return s.error();
  }
  sqlite3* db = nullptr;
  const int rc = sqlite3_open_v2(path.c_str(), &db, flags, vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<SqliteStore> store(new SqliteStore(db));
  if (rc != SQLITE_OK) return store->Failure("opening the catalog " + path);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, kBusyWaitMillis);
  if (access == Access::kExclusiveWriter) {
    if (Status s = store->Exec("PRAGMA locking_mode=EXCLUSIVE"); !s.ok()) return s.error();
  }
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                             access == Access::kReader ? "PRAGMA cache_size=-2048" : "PRAGMA cache_size=-8192"}) {
    if (Status s = store->Exec(pragma); !s.ok()) return s.error().Wrap("opening the catalog " + path);
  }
  if (access != Access::kReader) {
    if (Status s = store->Migrate(); !s.ok()) return s.error().Wrap("opening the catalog " + path);
    // The log may hold what an earlier process wrote but never flushed. Nothing is done on the strength of it before it
    // is durable: a power cut would take it back. A full disk leaves it in the log, where it can still be read.
    Status durable = store->Exec("PRAGMA wal_checkpoint(TRUNCATE)");
    if (!durable.ok() && durable.error().code() != ErrorCode::kNoSpace) {
      return durable.error().Wrap("opening the catalog " + path);
    }
  }
  return store;
}

SqliteStore::~SqliteStore() {
  for (auto& [sql, stmt] : statements_) sqlite3_finalize(stmt);
  sqlite3_close_v2(db_);
}

Error SqliteStore::Failure(std::string_view doing) const {
  const int rc = db_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(db_);
  const std::string text = std::string(doing) + ": " + (db_ == nullptr ? "out of memory" : sqlite3_errmsg(db_));
  switch (rc & 0xff) {
    case SQLITE_FULL:
      return {ErrorCode::kNoSpace, text};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::kCorrupt, text};
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {ErrorCode::kPermissionDenied, text};
    default:
      return {ErrorCode::kIo, text};
  }
}

Status SqliteStore::Exec(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Failure(sql);
  return {};
}

Status SqliteStore::Migrate() {
  int version = 0;
  {
    Statement read(Prepared("PRAGMA user_version"));
    if (read.Step() == SQLITE_ROW) version = static_cast<int>(read.ColumnInt(0));
  }
  if (version > kSchemaVersion) {
    return Error(ErrorCode::kCorrupt, "it was written by a newer Argosy (schema " + std::to_string(version) +
                                          ", this one knows " + std::to_string(kSchemaVersion) + "): start that one");
  }
  if (version == kSchemaVersion) return {};
  if (Status s = Exec("BEGIN IMMEDIATE"); !s.ok()) return s;
  Status done = Exec(kSchema);
  if (done.ok()) done = Exec(("PRAGMA user_version=" + std::to_string(kSchemaVersion)).c_str());
  if (done.ok()) done = Exec("COMMIT");
  if (!done.ok()) (void)Exec("ROLLBACK");
  return done;
}

sqlite3_stmt* SqliteStore::Prepared(const std::string& sql) {
  const auto it = statements_.find(sql);
  if (it != statements_.end()) return it->second;
  if (statements_.size() >= kPreparedMax) {
    sqlite3_finalize(statements_.begin()->second);
    statements_.erase(statements_.begin());
  }
  sqlite3_stmt* stmt = nullptr;
  const int rc = sqlite3_prepare_v2(db_, sql.c_str(), -1, &stmt, nullptr);
  Check(rc == SQLITE_OK, std::string("a statement of the catalog's own does not compile: ") + sqlite3_errmsg(db_));
  statements_[sql] = stmt;
  return stmt;
}

std::vector<Result<Change>> SqliteStore::Apply(const std::vector<Transaction>& transactions) {
  std::vector<Result<Change>> results;
  results.reserve(transactions.size());
  const auto fail_all = [&](const Error& error) {
    results.assign(transactions.size(), error);
    if (sqlite3_get_autocommit(db_) == 0) (void)Exec("ROLLBACK");
    return results;
  };
  if (Status s = Exec("BEGIN IMMEDIATE"); !s.ok()) return fail_all(s.error());
  for (const Transaction& transaction : transactions) {
    const bool single = transaction.inserts.size() + transaction.updates.size() + transaction.removes.size() == 1;
    if (!single) {  // a lone statement is atomic by itself
      if (Status s = Exec("SAVEPOINT one"); !s.ok()) return fail_all(s.error());
    }
    results.push_back(ApplyOne(transaction));
    if (!results.back().ok() && results.back().error().code() != ErrorCode::kAlreadyExists &&
        results.back().error().code() != ErrorCode::kConflict &&
        results.back().error().code() != ErrorCode::kNotFound) {
      return fail_all(results.back().error());
    }
    if (!single) {
      if (!results.back().ok()) (void)Exec("ROLLBACK TO one");
      if (Status s = Exec("RELEASE one"); !s.ok()) return fail_all(s.error());
    }
  }
  if (Status s = Exec("COMMIT"); !s.ok()) return fail_all(s.error());
  return results;
}

Result<Change> SqliteStore::ApplyOne(const Transaction& transaction) {
  Change change;
  for (const auto& remove : transaction.removes) {
    Result<Resource> removed = RemoveOne(remove);
    if (!removed.ok()) return removed.error();
    change.removed.push_back(std::move(*removed));
  }
  for (const auto& insert : transaction.inserts) {
    Result<Resource> inserted = InsertOne(insert.resource);
    if (!inserted.ok()) return inserted.error();
    change.written.push_back(std::move(*inserted));
  }
  for (const auto& update : transaction.updates) {
    Result<Resource> updated = UpdateOne(update);
    if (!updated.ok()) return updated.error();
    change.written.push_back(std::move(*updated));
  }
  return change;
}

Result<Resource> SqliteStore::InsertOne(const Resource& resource) {
  Resource r = resource;
  r.version = 1;
  static const std::string sql = std::string("INSERT INTO resource(") + kColumns + ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?)";
  Statement insert(Prepared(sql));
  insert.Text(r.uid).Int(static_cast<int64_t>(r.kind)).Text(r.name).Int(1);
  insert.Int(ToUnixNanos(r.created)).Int(ToUnixNanos(r.modified)).Text(r.status).Text(r.principal).Text(r.owner);
  insert.Text(r.spec).Text(r.state).Text(TagsToJson(r.tags));
  const int rc = insert.Step();
  if (rc == SQLITE_DONE) return r;
  if ((rc & 0xff) == SQLITE_CONSTRAINT) {
    return Error(ErrorCode::kAlreadyExists,
                 "a " + std::string(KindName(r.kind)) + " named '" + r.name + "' already exists");
  }
  return Failure("writing to the catalog");
}

Result<Resource> SqliteStore::UpdateOne(const Transaction::Update& update) {
  Result<Resource> stored = GetByUid(update.uid);
  if (!stored.ok()) return stored;
  if (update.version != 0 && update.version != stored->version) {
    return Error(ErrorCode::kConflict, "'" + stored->name + "' has changed meanwhile (version " +
                                           std::to_string(stored->version) + ", not " + std::to_string(update.version) +
                                           ")");
  }
  Resource r = std::move(*stored);
  ++r.version;
  r.modified = update.modified;
  if (update.status) r.status = *update.status;
  if (update.spec) r.spec = *update.spec;
  if (update.state) r.state = *update.state;
  if (update.tags) r.tags = *update.tags;
  Statement write(Prepared("UPDATE resource SET version=?, modified=?, status=?, spec=?, state=?, tags=? WHERE uid=?"));
  write.Int(static_cast<int64_t>(r.version)).Int(ToUnixNanos(r.modified)).Text(r.status).Text(r.spec).Text(r.state);
  write.Text(TagsToJson(r.tags)).Text(r.uid);
  if (write.Step() != SQLITE_DONE) return Failure("writing to the catalog");
  return r;
}

Result<Resource> SqliteStore::RemoveOne(const Transaction::Remove& remove) {
  Result<Resource> stored = GetByUid(remove.uid);
  if (!stored.ok()) return stored;
  if (remove.version != 0 && remove.version != stored->version) {
    return Error(ErrorCode::kConflict, "'" + stored->name + "' has changed meanwhile");
  }
  Statement erase(Prepared("DELETE FROM resource WHERE uid=?"));
  erase.Text(remove.uid);
  if (erase.Step() != SQLITE_DONE) return Failure("writing to the catalog");
  return stored;
}

Result<Resource> SqliteStore::Get(Kind kind, std::string_view name) {
  static const std::string sql = std::string("SELECT ") + kColumns + " FROM resource WHERE kind=? AND name=?";
  Statement read(Prepared(sql));
  read.Int(static_cast<int64_t>(kind)).Text(name);
  const int rc = read.Step();
  if (rc == SQLITE_ROW) return read.Row();
  if (rc != SQLITE_DONE) return Failure("reading the catalog");
  return Error(ErrorCode::kNotFound,
               "there is no " + std::string(KindName(kind)) + " named '" + std::string(name) + "'");
}

Result<Resource> SqliteStore::GetByUid(std::string_view uid) {
  static const std::string sql = std::string("SELECT ") + kColumns + " FROM resource WHERE uid=?";
  Statement read(Prepared(sql));
  read.Text(uid);
  const int rc = read.Step();
  if (rc == SQLITE_ROW) return read.Row();
  if (rc != SQLITE_DONE) return Failure("reading the catalog");
  return Error(ErrorCode::kNotFound, "there is no resource with the uid '" + std::string(uid) + "'");
}

Result<Page> SqliteStore::List(const Query& query) {
  const std::string fingerprint = QueryFingerprint(query);
  const bool by_text = query.sort_by == SortBy::kName || query.sort_by == SortBy::kStatus;
  std::string after_key;
  std::string after_uid;
  if (!query.page_token.empty()) {
    const Error bad(ErrorCode::kInvalidArgument, "the page token is not one of this query's: start again without it");
    const std::optional<std::string> text = FromBase64(query.page_token);
    Result<Json> token = ParseJson(text.value_or(""));
    if (!token.ok() || !token->is_array() || token->size() != 3) return bad;
    for (const Json& part : *token) {
      if (!part.is_string()) return bad;
    }
    if ((*token)[0].get<std::string>() != fingerprint) return bad;
    after_key = (*token)[1].get<std::string>();
    after_uid = (*token)[2].get<std::string>();
    if (!by_text && !ParseInt(after_key)) return bad;
  }
  const std::string column = SortColumn(query.sort_by);
  const bool ascending = query.order == SortOrder::kAscending;
  std::string sql = std::string("SELECT ") + kColumns + " FROM resource WHERE kind=?";
  if (!query.name_contains.empty()) sql += " AND name LIKE ? ESCAPE '\\'";
  if (!query.status.empty()) sql += " AND status=?";
  if (!query.owner.empty()) sql += " AND owner=?";
  if (query.created_after) sql += " AND created>?";
  if (query.created_before) sql += " AND created<?";
  if (query.modified_after) sql += " AND modified>?";
  if (query.modified_before) sql += " AND modified<?";
  if (!query.page_token.empty()) sql += " AND (" + column + ", uid) " + (ascending ? ">" : "<") + " (?, ?)";
  const std::string direction = ascending ? " ASC" : " DESC";
  sql += " ORDER BY " + column + direction + ", uid" + direction + " LIMIT ?";

  Statement read(Prepared(sql));
  read.Int(static_cast<int64_t>(query.kind));
  if (!query.name_contains.empty()) read.Text(EscapeLike(query.name_contains));
  if (!query.status.empty()) read.Text(query.status);
  if (!query.owner.empty()) read.Text(query.owner);
  for (const auto& t : {query.created_after, query.created_before, query.modified_after, query.modified_before}) {
    if (t) read.Int(ToUnixNanos(*t));
  }
  if (!query.page_token.empty()) {
    if (by_text) {
      read.Text(after_key);
    } else {
      read.Int(*ParseInt(after_key));
    }
    read.Text(after_uid);
  }
  const size_t limit = std::min(std::max<size_t>(query.max_results, 1), kPageMax);
  read.Int(static_cast<int64_t>(limit) + 1);

  Page page;
  for (;;) {
    const int rc = read.Step();
    if (rc == SQLITE_DONE) return page;
    if (rc != SQLITE_ROW) return Failure("reading the catalog");
    if (page.resources.size() == limit) break;
    page.resources.push_back(read.Row());
  }
  const Resource& last = page.resources.back();
  std::string key;
  switch (query.sort_by) {
    case SortBy::kCreated:
      key = std::to_string(ToUnixNanos(last.created));
      break;
    case SortBy::kModified:
      key = std::to_string(ToUnixNanos(last.modified));
      break;
    case SortBy::kName:
      key = last.name;
      break;
    case SortBy::kStatus:
      key = last.status;
      break;
  }
  page.next_token = ToBase64(DumpJson(Json::array({fingerprint, key, last.uid})));
  return page;
}

void SqliteStore::Checkpoint() {
  sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

}  // namespace argosy::catalog
