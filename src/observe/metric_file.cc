#include "observe/metric_file.h"

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/json.h"
#include "base/log.h"

namespace argosy::observe {
namespace {

using sqlite::Prepare;
using sqlite::ResetAtEnd;

constexpr int kMetricSchemaVersion = 1;

constexpr char kMetricSchema[] = R"sql(
  CREATE TABLE IF NOT EXISTS series(
    id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL, unit TEXT NOT NULL,
    last INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS period(
    series INTEGER NOT NULL, length INTEGER NOT NULL, start INTEGER NOT NULL,
    sum REAL NOT NULL, min REAL NOT NULL, max REAL NOT NULL, buckets BLOB NOT NULL,
    PRIMARY KEY(series, length, start)) WITHOUT ROWID;
)sql";

Result<int64_t> IntegerOf(sqlite3* database, const char* sql) {
  Result<sqlite::Statement> query = Prepare(database, sql);
  if (!query.ok()) return query.error();
  const Result<sqlite::Step> step = sqlite::StepStatement(database, query->get());
  if (!step.ok()) return step.error();
  return sqlite3_column_int64(query->get(), 0);
}

}  // namespace

Result<std::unique_ptr<MetricFile>> MetricFile::OpenOrMake(const std::filesystem::path& path) {
  Result<sqlite::Database> database = sqlite::OpenDatabase(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!database.ok()) return database.error();
  std::unique_ptr<MetricFile> file(new MetricFile());
  file->database_ = std::move(*database);
  sqlite3* raw = file->database_.get();
  Status done = sqlite::Execute(raw, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2048");
  if (!done.ok()) return done.error();
  const Result<int64_t> version = IntegerOf(raw, "PRAGMA user_version");
  if (!version.ok()) return version.error();
  if (*version != 0 && *version != kMetricSchemaVersion) {
    return Error(ErrorCode::kCorrupt, "schema version " + std::to_string(*version) + " is not " +
                                          std::to_string(kMetricSchemaVersion) + ", which this program writes");
  }
  done = sqlite::Execute(raw, kMetricSchema);
  if (done.ok()) {
    done = sqlite::Execute(raw, ("PRAGMA user_version=" + std::to_string(kMetricSchemaVersion)).c_str());
  }
  if (!done.ok()) return done.error();
  struct Wanted {
    sqlite::Statement* statement;
    const char* sql;
  };
  const Wanted wanted[] = {
      {&file->put_series_,
       "INSERT OR REPLACE INTO series(id, namespace, name, dimensions, unit, last) "
       "VALUES(?,?,?,?,?,?)"},
      {&file->read_,
       "SELECT start, sum, min, max, buckets FROM period WHERE series = ? AND length = ? AND start >= ? AND start < ? "
       "ORDER BY start"},
      {&file->put_period_,
       "INSERT OR REPLACE INTO period(series, length, start, sum, min, max, buckets) VALUES(?,?,?,?,?,?,?)"},
      {&file->forget_, "DELETE FROM period WHERE series = ? AND length = ? AND start < ?"},
      {&file->remove_series_, "DELETE FROM series WHERE id = ?"},
  };
  for (const Wanted& one : wanted) {
    Result<sqlite::Statement> statement = Prepare(raw, one.sql);
    if (!statement.ok()) return statement.error();
    *one.statement = std::move(*statement);
  }
  return file;
}

Result<std::unique_ptr<MetricFile>> MetricFile::Open(const std::filesystem::path& path) {
  Result<std::unique_ptr<MetricFile>> file = OpenOrMake(path);
  if (file.ok() || file.error().code() != ErrorCode::kCorrupt) return file;
  Log(LogLevel::kWarning, "file of metrics put aside and made anew", {{"reason", file.error().message()}});
  return MakeAnew(path);
}

Result<std::unique_ptr<MetricFile>> MetricFile::MakeAnew(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::rename(path, path.string() + ".broken", ignored);
  for (const char* part : {"-wal", "-shm"}) std::filesystem::remove(path.string() + part, ignored);
  return OpenOrMake(path);
}

Result<std::vector<MetricFile::Series>> MetricFile::LoadSeries() {
  Result<sqlite::Statement> query =
      Prepare(database_.get(), "SELECT id, namespace, name, dimensions, unit, last FROM series");
  if (!query.ok()) return query.error();
  std::vector<Series> out;
  for (;;) {
    const Result<sqlite::Step> step = sqlite::StepStatement(database_.get(), query->get());
    if (!step.ok()) return step.error();
    if (*step == sqlite::Step::kDone) return out;
    Series series;
    series.id = sqlite3_column_int64(query->get(), 0);
    series.key.name_space = sqlite::ColumnBytes(query->get(), 1);
    series.key.name = sqlite::ColumnBytes(query->get(), 2);
    const Result<Json> dimensions = ParseJson(sqlite::ColumnBytes(query->get(), 3));
    if (dimensions.ok() && dimensions->is_object()) {
      for (const auto& [name, value] : dimensions->items()) {
        if (value.is_string()) series.key.dimensions[name] = value.get<std::string>();
      }
    }
    series.unit = sqlite::ColumnBytes(query->get(), 4);
    series.last = sqlite3_column_int64(query->get(), 5);
    out.push_back(std::move(series));
  }
}

Status MetricFile::Run(sqlite3_stmt* statement) {
  const Result<sqlite::Step> step = sqlite::StepStatement(database_.get(), statement);
  if (!step.ok()) return step.error();
  return {};
}

Status MetricFile::InTransaction(const std::function<Status()>& work) {
  sqlite3* raw = database_.get();
  Status done = sqlite::Execute(raw, "BEGIN IMMEDIATE");
  if (done.ok()) done = work();
  if (done.ok()) done = sqlite::Execute(raw, "COMMIT");
  if (!done.ok() && sqlite3_get_autocommit(raw) == 0) sqlite3_exec(raw, "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

Status MetricFile::Put(const Series& series) {
  sqlite3_stmt* put = put_series_.get();
  const std::string dimensions = DumpJson(Json(series.key.dimensions));
  const ResetAtEnd reset(put);
  sqlite::BindInt(put, 1, series.id);
  sqlite::BindText(put, 2, series.key.name_space);
  sqlite::BindText(put, 3, series.key.name);
  sqlite::BindText(put, 4, dimensions);
  sqlite::BindText(put, 5, series.unit);
  sqlite::BindInt(put, 6, series.last);
  return Run(put);
}

Status MetricFile::Add(const Cell& cell, const Distribution& values) {
  Result<Periods> there = Read(cell.series, cell.length, cell.start, cell.start + 1);
  if (!there.ok()) return there.error();
  Distribution& all = (*there)[cell.start];
  all.Merge(values);
  const std::string buckets = EncodeBuckets(all);
  sqlite3_stmt* put = put_period_.get();
  const ResetAtEnd reset(put);
  sqlite::BindInt(put, 1, cell.series);
  sqlite::BindInt(put, 2, cell.length);
  sqlite::BindInt(put, 3, cell.start);
  sqlite::BindDouble(put, 4, all.sum());
  sqlite::BindDouble(put, 5, all.min());
  sqlite::BindDouble(put, 6, all.max());
  sqlite::BindBlob(put, 7, buckets);
  return Run(put);
}

Status MetricFile::Write(const std::vector<Series>& series, const std::map<Cell, Distribution>& values) {
  return InTransaction([&]() -> Status {
    for (const Series& one : series) {
      if (Status done = Put(one); !done.ok()) return done;
    }
    for (const auto& [cell, added] : values) {
      if (Status done = Add(cell, added); !done.ok()) return done;
    }
    return {};
  });
}

Result<Periods> MetricFile::Read(int64_t series, int64_t length, int64_t begin, int64_t end) {
  sqlite3_stmt* read = read_.get();
  const ResetAtEnd reset(read);
  sqlite::BindInt(read, 1, series);
  sqlite::BindInt(read, 2, length);
  sqlite::BindInt(read, 3, begin);
  sqlite::BindInt(read, 4, end);
  Periods out;
  for (;;) {
    const Result<sqlite::Step> step = sqlite::StepStatement(database_.get(), read);
    if (!step.ok()) return step.error();
    if (*step == sqlite::Step::kDone) return out;
    Result<std::vector<Distribution::Bucket>> buckets = DecodeBuckets(sqlite::ColumnBytes(read, 4));
    if (!buckets.ok()) return buckets.error();
    out.emplace_hint(out.end(), sqlite3_column_int64(read, 0),
                     Distribution::FromParts(sqlite3_column_double(read, 1), sqlite3_column_double(read, 2),
                                             sqlite3_column_double(read, 3), std::move(*buckets)));
  }
}

Status MetricFile::Forget(const std::vector<int64_t>& series, int64_t length, int64_t before) {
  return InTransaction([&]() -> Status {
    for (const int64_t id : series) {
      sqlite3_stmt* forget = forget_.get();
      const ResetAtEnd reset(forget);
      sqlite::BindInt(forget, 1, id);
      sqlite::BindInt(forget, 2, length);
      sqlite::BindInt(forget, 3, before);
      if (Status done = Run(forget); !done.ok()) return done;
    }
    return {};
  });
}

Status MetricFile::Remove(const std::vector<int64_t>& series) {
  return InTransaction([&]() -> Status {
    for (const int64_t id : series) {
      sqlite3_stmt* remove = remove_series_.get();
      const ResetAtEnd reset(remove);
      sqlite::BindInt(remove, 1, id);
      if (Status done = Run(remove); !done.ok()) return done;
    }
    return {};
  });
}

Result<int64_t> MetricFile::Bytes() {
  const Result<int64_t> pages = IntegerOf(database_.get(), "PRAGMA page_count");
  if (!pages.ok()) return pages;
  const Result<int64_t> unused = IntegerOf(database_.get(), "PRAGMA freelist_count");
  if (!unused.ok()) return unused;
  const Result<int64_t> size = IntegerOf(database_.get(), "PRAGMA page_size");
  if (!size.ok()) return size;
  return (*pages - *unused) * *size;
}

}  // namespace argosy::observe
