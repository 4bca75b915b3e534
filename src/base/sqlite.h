// The little of SQLite's C interface that the stores need, with errors as values. A handle belongs to one thread at a
// time.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace argosy::sqlite {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// SQLITE_FULL gives kNoSpace, damage kCorrupt, a missing file kNotFound, all else kIo. The sentence begins with the
// file's name.
Error SqliteError(sqlite3* database, std::string_view what);

// `flags` as for sqlite3_open_v2, without a mutex of SQLite's own.
Result<Database> OpenDatabase(const std::filesystem::path& path, int flags);
Status Execute(sqlite3* database, const char* sql);
Result<Statement> Prepare(sqlite3* database, std::string_view sql);

// The bytes must stay until the statement is reset.
void BindText(sqlite3_stmt* statement, int at, std::string_view text);
void BindBlob(sqlite3_stmt* statement, int at, std::string_view bytes);
void BindInt(sqlite3_stmt* statement, int at, int64_t value);
void BindDouble(sqlite3_stmt* statement, int at, double value);
std::string ColumnBytes(sqlite3_stmt* statement, int at);  // text or blob

enum class Step { kRow, kDone };
Result<Step> StepStatement(sqlite3* database, sqlite3_stmt* statement);

// Resets the statement at the end of a scope, whatever happened in it.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(sqlite3_stmt* statement) : statement_(statement) {}
  ~ResetAtEnd() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  sqlite3_stmt* statement_;
};

}  // namespace argosy::sqlite
