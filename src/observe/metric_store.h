// The metrics of the running program: the newest seconds in memory, periods of ten seconds and of a minute on disk.
//
// What is recorded waits in memory until the store's own thread has written it, some seconds later; a crash loses that
// much. Read puts both together, so nobody sees the difference. Everything is bounded: series, what waits, seconds in
// memory, the file. A new series takes the place of one that has been quiet for an hour at least, the quietest first;
// what finds no room is dropped and counted.
//
// Thread-safe. Record and List take a lock for microseconds; Read reads the file and may wait for a batch being
// written: on pool threads only.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "observe/metric_file.h"
#include "observe/metric_periods.h"
#include "observe/metrics.h"
#include "observe/prometheus.h"

namespace argosy::observe {

inline constexpr Duration kSecondsKept = std::chrono::minutes(5);
inline constexpr Duration kTensKept = std::chrono::hours(3);           // CloudWatch's time for periods below a minute
inline constexpr Duration kMinutesKept = std::chrono::hours(24 * 15);  // and for those of one
inline constexpr Duration kMetricFlushPeriod = std::chrono::seconds(2);

struct MetricBounds {
  size_t series_max = 10'000;                 // a dozen for each of some hundred variants
  size_t seconds_max = 50'000;                // of all series in memory: at most about 10 MB
  size_t waiting_max = 50'000;                // periods that the disk does not have yet
  int64_t file_bytes_max = int64_t{2} << 30;  // past it the oldest minutes go
};

class MetricStore final : public MetricSink, public MetricReader, public MetricDirectory {
 public:
  // Opens or makes the file. `clock` outlives the store.
  static Result<std::unique_ptr<MetricStore>> Open(const std::filesystem::path& path, const Clock* clock,
                                                   MetricBounds bounds = {});
  // Writes what waits.
  ~MetricStore() override;
  MetricStore(const MetricStore&) = delete;
  MetricStore& operator=(const MetricStore&) = delete;

  void Start();  // the writing thread

  // Values from before kMinutesKept are let be.
  void Record(const MetricKey& key, Time at, const std::string& unit, const Distribution& values) override;
  Result<std::vector<MetricPeriod>> Read(const MetricKey& key, Time begin, Time end, Duration length) override;
  std::vector<MetricKey> List(const MetricFilter& filter, const std::optional<MetricKey>& after, size_t max) override;

  // Writes what waits, and from time to time forgets what is too old. The thread calls it; tests too.
  void Flush();

  // How it is doing itself.
  void Write(PrometheusText& page) const;

  uint64_t dropped() const;  // records that found no room, since the start
  size_t series() const;

 private:
  struct Series {
    int64_t id = 0;
    int64_t last = 0;      // second of the newest value
    bool changed = false;  // since the file had it
    Periods seconds;
  };
  using Cells = std::map<MetricFile::Cell, Distribution>;

  MetricStore(std::filesystem::path path, std::unique_ptr<MetricFile> file, const Clock* clock, MetricBounds bounds);
  void Load(std::vector<MetricFile::Series> rows);
  Series* FindOrAdd(const MetricKey& key, const std::string& unit, int64_t now);
  void EvictQuiet(int64_t now);
  void AddSecond(Series& series, int64_t second, const Distribution& values);
  void TrimSeconds(Series& series, int64_t before);
  void AddWaiting(int64_t series, int64_t length, int64_t second, const Distribution& values);
  Result<Periods> ReadSeries(int64_t id, int64_t length, int64_t begin, int64_t end);
  std::vector<MetricFile::Series> TakeChanged();
  void OnWriteFailed(const Error& error);
  Status RemoveSeries(const std::vector<int64_t>& ids);
  void Prune();
  std::vector<int64_t> ForgetSeries(int64_t before);
  void Work();

  const std::filesystem::path path_;
  const Clock* clock_;
  const MetricBounds bounds_;

  // Taken before mutex_. Held while cells go from memory to the file and while a reader puts the two together.
  std::mutex file_mutex_;
  std::unique_ptr<MetricFile> file_;  // guarded by file_mutex_
  Time pruned_{};                     // guarded by file_mutex_
  uint64_t dropped_told_ = 0;         // guarded by file_mutex_
  bool failing_ = false;              // the last write failed; guarded by file_mutex_

  mutable std::mutex mutex_;                                   // guards the following
  std::map<MetricKey, std::map<std::string, Series>> series_;  // by unit
  size_t series_count_ = 0;
  size_t seconds_count_ = 0;
  int64_t next_id_ = 1;
  Cells waiting_;                 // not in the file
  Cells writing_;                 // being written: not in the file until this is empty
  std::vector<int64_t> evicted_;  // ids whose rows are still to be removed
  uint64_t dropped_ = 0;
  bool stopping_ = false;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace argosy::observe
