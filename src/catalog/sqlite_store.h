// The catalog's tables in one SQLite file, one connection: blocking and single-threaded. SqliteCatalog gives it
// threads; the simulated world runs it as it is on a disk that forgets.
//
// File and schema: docs/formats/catalog.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/resource.h"

struct sqlite3;
struct sqlite3_stmt;

namespace argosy::catalog {

enum class Access {
  kWriter,           // makes the file and migrates it when needed
  kReader,           // beside a writer in the same process
  kExclusiveWriter,  // the only connection there is: no shared-memory file
};

class SqliteStore {
 public:
  // `vfs` names a registered SQLite VFS; "" = the operating system's. kCorrupt when the file is not a catalog or of a
  // newer version.
  static Result<std::unique_ptr<SqliteStore>> Open(const std::string& path, Access access, const std::string& vfs = "");
  ~SqliteStore();
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  // Applies each transaction for itself and flushes them together, once: when this returns, those that are ok would
  // survive a power cut. When the flush itself fails, all of them fail.
  std::vector<Result<Change>> Apply(const std::vector<Transaction>& transactions);

  Result<Resource> Get(Kind kind, std::string_view name);
  Result<Resource> GetByUid(std::string_view uid);
  Result<Page> List(const Query& query);

  // Moves what the log holds into the main file as far as nobody waits for it.
  void Checkpoint();

 private:
  class Statement;
  explicit SqliteStore(sqlite3* db) : db_(db) {}

  Status Migrate();
  Status Exec(const char* sql);
  sqlite3_stmt* Prepared(const std::string& sql);
  Result<Change> ApplyOne(const Transaction& transaction);
  Result<Resource> InsertOne(const Resource& resource);
  Result<Resource> UpdateOne(const Transaction::Update& update);
  Result<Resource> RemoveOne(const Transaction::Remove& remove);
  Error Failure(std::string_view doing) const;

  sqlite3* db_;
  std::map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace argosy::catalog
