// The metrics on disk: a SQLite file of series and their periods (docs/formats/metrics.md). It may be lost without harm
// to anything but the graphs.
//
// Blocking; one call at a time.
#pragma once

#include <compare>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sqlite.h"
#include "observe/metric_periods.h"
#include "observe/metrics.h"

namespace argosy::observe {

class MetricFile {
 public:
  // Makes the file when absent. One that is no file of metrics (any more) is put aside (".broken") and made anew.
  static Result<std::unique_ptr<MetricFile>> Open(const std::filesystem::path& path);
  // Puts aside what is there.
  static Result<std::unique_ptr<MetricFile>> MakeAnew(const std::filesystem::path& path);

  struct Series {
    int64_t id = 0;
    MetricKey key;
    std::string unit;
    int64_t last = 0;  // second of its newest value
  };
  Result<std::vector<Series>> LoadSeries();

  // A period of one series: where values go.
  struct Cell {
    int64_t series = 0;
    int64_t length = 0;
    int64_t start = 0;
    auto operator<=>(const Cell&) const = default;
  };
  // One transaction: `series` are as given from now on; the values are added to what the cells have.
  Status Write(const std::vector<Series>& series, const std::map<Cell, Distribution>& values);

  // From `begin` up to but without `end`.
  Result<Periods> Read(int64_t series, int64_t length, int64_t begin, int64_t end);

  // Forgets the series' periods of `length` that begin before `before`.
  Status Forget(const std::vector<int64_t>& series, int64_t length, int64_t before);
  // And whole series.
  Status Remove(const std::vector<int64_t>& series);

  // What is in use of the file.
  Result<int64_t> Bytes();

 private:
  MetricFile() = default;
  static Result<std::unique_ptr<MetricFile>> OpenOrMake(const std::filesystem::path& path);
  Status Add(const Cell& cell, const Distribution& values);
  Status Put(const Series& series);
  Status Run(sqlite3_stmt* statement);
  Status InTransaction(const std::function<Status()>& work);

  sqlite::Database database_;
  sqlite::Statement put_series_;
  sqlite::Statement read_;
  sqlite::Statement put_period_;
  sqlite::Statement forget_;
  sqlite::Statement remove_series_;
};

}  // namespace argosy::observe
