#include "base/sqlite.h"

#include <algorithm>

#include "base/bytes.h"

namespace argosy::sqlite {
namespace {

// Another process that reads (an attached agent) can hold SQLite's short locks for moments only.
constexpr int kBusyMillis = 5000;

// The beginning of a statement, on one line.
std::string BeginningOf(std::string_view sql) {
  constexpr size_t kBytesMax = 60;
  std::string text = "running '" + std::string(Trim(sql).substr(0, kBytesMax));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text + (Trim(sql).size() > kBytesMax ? "…'" : "'");
}

std::string NameOf(sqlite3* database) {
  const char* path = sqlite3_db_filename(database, "main");
  return path == nullptr || *path == '\0' ? "database" : std::filesystem::path(path).filename().string();
}

}  // namespace

Error SqliteError(sqlite3* database, std::string_view what) {
  const int code = database == nullptr ? SQLITE_NOMEM : sqlite3_errcode(database) & 0xff;
  ErrorCode ours = ErrorCode::kIo;
  if (code == SQLITE_FULL) ours = ErrorCode::kNoSpace;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) ours = ErrorCode::kCorrupt;
  if (code == SQLITE_CANTOPEN) ours = ErrorCode::kNotFound;
  if (database == nullptr) return Error(ours, std::string(what) + ": out of memory");
  return Error(ours, NameOf(database) + ": " + std::string(what) + ": " + sqlite3_errmsg(database));
}

Result<Database> OpenDatabase(const std::filesystem::path& path, int flags) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (opened != SQLITE_OK) return SqliteError(raw, "opening " + path.string());
  sqlite3_busy_timeout(raw, kBusyMillis);
  return database;
}

Status Execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return SqliteError(database, BeginningOf(sql));
  return {};
}

Result<Statement> Prepare(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw,
                         nullptr) != SQLITE_OK) {
    return SqliteError(database, BeginningOf(sql));
  }
  return Statement(raw);
}

void BindText(sqlite3_stmt* statement, int at, std::string_view text) {
  sqlite3_bind_text(statement, at, text.data() == nullptr ? "" : text.data(), static_cast<int>(text.size()),
                    SQLITE_STATIC);
}

void BindBlob(sqlite3_stmt* statement, int at, std::string_view bytes) {
  sqlite3_bind_blob(statement, at, bytes.data() == nullptr ? "" : bytes.data(), static_cast<int>(bytes.size()),
                    SQLITE_STATIC);
}

void BindInt(sqlite3_stmt* statement, int at, int64_t value) {
  sqlite3_bind_int64(statement, at, value);
}

void BindDouble(sqlite3_stmt* statement, int at, double value) {
  sqlite3_bind_double(statement, at, value);
}

std::string ColumnBytes(sqlite3_stmt* statement, int at) {
  const void* bytes = sqlite3_column_blob(statement, at);
  const int size = sqlite3_column_bytes(statement, at);
  if (bytes == nullptr || size <= 0) return {};
  return std::string(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

Result<Step> StepStatement(sqlite3* database, sqlite3_stmt* statement) {
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) return Step::kRow;
  if (code == SQLITE_DONE) return Step::kDone;
  return SqliteError(database, "running a statement");
}

}  // namespace argosy::sqlite
