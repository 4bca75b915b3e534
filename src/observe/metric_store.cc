#include "observe/metric_store.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "base/log.h"

namespace argosy::observe {
namespace {

constexpr int64_t kTen = 10;
constexpr int64_t kMinute = 60;
constexpr auto kPrunePeriod = std::chrono::minutes(10);
constexpr int64_t kDay = 86'400;
constexpr int64_t kQuiet = 3600;        // seconds without a value, after which a series may have to go
constexpr size_t kEvictedAtOnce = 100;  // finding them looks at all

int64_t SecondOf(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

Time TimeOfSecond(int64_t second) {
  return Time(std::chrono::seconds(second));
}

int64_t SecondsOf(Duration duration) {
  return std::chrono::floor<std::chrono::seconds>(duration).count();
}

bool HasDimensions(const MetricKey& key, const MetricFilter& filter) {
  return std::all_of(filter.dimensions.begin(), filter.dimensions.end(), [&](const auto& wanted) {
    const auto found = key.dimensions.find(wanted.first);
    return found != key.dimensions.end() && (!wanted.second || *wanted.second == found->second);
  });
}

}  // namespace

MetricStore::MetricStore(std::filesystem::path path, std::unique_ptr<MetricFile> file, const Clock* clock,
                         MetricBounds bounds)
    : path_(std::move(path)), clock_(clock), bounds_(bounds), file_(std::move(file)) {}

Result<std::unique_ptr<MetricStore>> MetricStore::Open(const std::filesystem::path& path, const Clock* clock,
                                                       MetricBounds bounds) {
  Result<std::unique_ptr<MetricFile>> file = MetricFile::Open(path);
  if (!file.ok()) return file.error();
  Result<std::vector<MetricFile::Series>> rows = (*file)->LoadSeries();
  if (!rows.ok()) return rows.error();
  std::unique_ptr<MetricStore> store(new MetricStore(path, std::move(*file), clock, bounds));
  store->Load(std::move(*rows));
  return store;
}

void MetricStore::Load(std::vector<MetricFile::Series> rows) {
  const std::lock_guard lock(mutex_);
  for (MetricFile::Series& row : rows) {
    Series& series = series_[std::move(row.key)][std::move(row.unit)];
    series.id = row.id;
    series.last = row.last;
    next_id_ = std::max(next_id_, row.id + 1);
    ++series_count_;
  }
}

MetricStore::~MetricStore() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  Flush();
}

void MetricStore::Start() {
  thread_ = std::thread([this] { Work(); });
}

void MetricStore::Work() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty() || !writing_.empty(); });
      if (wake_.wait_for(lock, kMetricFlushPeriod, [this] { return stopping_; })) return;
    }
    Flush();
  }
}

void MetricStore::EvictQuiet(int64_t now) {
  struct Quiet {
    int64_t last;
    MetricKey key;
    std::string unit;
  };
  std::vector<Quiet> quiet;
  for (const auto& [key, units] : series_) {
    for (const auto& [unit, series] : units) {
      if (series.last < now - kQuiet) quiet.push_back({series.last, key, unit});
    }
  }
  const auto by_age = [](const Quiet& a, const Quiet& b) { return a.last < b.last; };
  if (quiet.size() > kEvictedAtOnce) {
    std::nth_element(quiet.begin(), quiet.begin() + kEvictedAtOnce, quiet.end(), by_age);
    quiet.resize(kEvictedAtOnce);
  }
  for (const Quiet& one : quiet) {
    const auto metric = series_.find(one.key);
    const Series& series = metric->second.at(one.unit);
    waiting_.erase(waiting_.lower_bound({series.id, 0, 0}), waiting_.lower_bound({series.id + 1, 0, 0}));
    evicted_.push_back(series.id);
    seconds_count_ -= series.seconds.size();
    --series_count_;
    metric->second.erase(one.unit);
    if (metric->second.empty()) series_.erase(metric);
  }
}

MetricStore::Series* MetricStore::FindOrAdd(const MetricKey& key, const std::string& unit, int64_t now) {
  const auto metric = series_.find(key);
  if (metric != series_.end()) {
    const auto found = metric->second.find(unit);
    if (found != metric->second.end()) return &found->second;
  }
  if (series_count_ >= bounds_.series_max) EvictQuiet(now);
  if (series_count_ >= bounds_.series_max) return nullptr;
  ++series_count_;
  Series& series = series_[key][unit];
  series.id = next_id_++;
  return &series;
}

void MetricStore::TrimSeconds(Series& series, int64_t before) {
  const auto end = series.seconds.lower_bound(before);
  seconds_count_ -= static_cast<size_t>(std::distance(series.seconds.begin(), end));
  series.seconds.erase(series.seconds.begin(), end);
}

void MetricStore::AddSecond(Series& series, int64_t second, const Distribution& values) {
  const int64_t oldest = std::max(series.last, second) - SecondsOf(kSecondsKept);
  TrimSeconds(series, oldest);
  if (second < oldest) return;
  const auto there = series.seconds.find(second);
  if (there != series.seconds.end()) return there->second.Merge(values);
  if (seconds_count_ >= bounds_.seconds_max) return;  // the ten seconds around it have it
  ++seconds_count_;
  series.seconds.emplace(second, values);
}

void MetricStore::AddWaiting(int64_t series, int64_t length, int64_t second, const Distribution& values) {
  waiting_[{series, length, StartOfPeriod(second, length)}].Merge(values);
}

void MetricStore::Record(const MetricKey& key, Time at, const std::string& unit, const Distribution& values) {
  if (values.count() == 0) return;
  const int64_t second = SecondOf(at);
  const int64_t now = SecondOf(clock_->Now());
  if (second < now - SecondsOf(kMinutesKept)) return;
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + writing_.size() >= bounds_.waiting_max) {
    ++dropped_;
    return;
  }
  Series* const series = FindOrAdd(key, unit, now);
  if (series == nullptr) {
    ++dropped_;
    return;
  }
  AddSecond(*series, second, values);
  if (second > series->last) {
    // In the file it may be a minute behind.
    series->changed = series->changed || StartOfPeriod(second, kMinute) != StartOfPeriod(series->last, kMinute);
    series->last = second;
  }
  if (waiting_.empty()) wake_.notify_one();
  if (second >= now - SecondsOf(kTensKept)) AddWaiting(series->id, kTen, second, values);
  AddWaiting(series->id, kMinute, second, values);
}

Result<Periods> MetricStore::ReadSeries(int64_t id, int64_t length, int64_t begin, int64_t end) {
  Result<Periods> out = file_->Read(id, length, begin, end);
  if (!out.ok()) return out;
  const std::lock_guard lock(mutex_);
  for (const Cells* cells : {&writing_, &waiting_}) {
    for (auto it = cells->lower_bound({id, length, begin}); it != cells->end(); ++it) {
      if (it->first.series != id || it->first.length != length || it->first.start >= end) break;
      AddTo(*out, it->first.start, it->second);
    }
  }
  return out;
}

Result<std::vector<MetricPeriod>> MetricStore::Read(const MetricKey& key, Time begin, Time end, Duration length) {
  if (end <= begin) return std::vector<MetricPeriod>();
  const int64_t period = std::max<int64_t>(SecondsOf(length), 1);
  const int64_t from = StartOfPeriod(SecondOf(begin), period);
  const int64_t to = SecondOf(end - Duration(1)) + 1;  // starts below it are before `end`
  std::vector<std::pair<std::string, int64_t>> units;
  {
    const std::lock_guard lock(mutex_);
    const auto metric = series_.find(key);
    if (metric == series_.end()) return std::vector<MetricPeriod>();
    for (const auto& [unit, series] : metric->second) units.emplace_back(unit, series.id);
  }
  std::vector<MetricPeriod> out;
  const std::lock_guard file_lock(file_mutex_);
  for (const auto& [unit, id] : units) {
    Result<Periods> periods = ReadSeries(id, kMinute, StartOfPeriod(from, kMinute), to);
    if (!periods.ok()) return periods.error();
    if (period % kMinute != 0) {
      const Result<Periods> tens = ReadSeries(id, kTen, StartOfPeriod(from, kMinute), to + kMinute);
      if (!tens.ok()) return tens.error();
      *periods = Refine(std::move(*periods), *tens, kMinute);
    }
    if (period % kTen != 0) {
      const std::lock_guard lock(mutex_);
      const auto metric = series_.find(key);
      if (metric == series_.end() || !metric->second.contains(unit)) continue;  // forgotten in between
      *periods = Refine(std::move(*periods), metric->second.at(unit).seconds, kTen);
    }
    periods->erase(periods->begin(), periods->lower_bound(from));
    periods->erase(periods->lower_bound(to), periods->end());
    for (auto& [start, values] : Gather(*periods, period)) out.push_back({TimeOfSecond(start), unit, values});
  }
  std::sort(out.begin(), out.end(), [](const MetricPeriod& a, const MetricPeriod& b) {
    return std::tie(a.start, a.unit) < std::tie(b.start, b.unit);
  });
  return out;
}

std::vector<MetricKey> MetricStore::List(const MetricFilter& filter, const std::optional<MetricKey>& after,
                                         size_t max) {
  std::vector<MetricKey> out;
  const std::lock_guard lock(mutex_);
  for (auto it = after ? series_.upper_bound(*after) : series_.begin(); it != series_.end() && out.size() < max; ++it) {
    const auto& [key, units] = *it;
    if (!filter.name_space.empty() && key.name_space != filter.name_space) continue;
    if (!filter.name.empty() && key.name != filter.name) continue;
    if (!HasDimensions(key, filter)) continue;
    const bool active = !filter.active_since || std::any_of(units.begin(), units.end(), [&](const auto& unit) {
      return TimeOfSecond(unit.second.last) >= *filter.active_since;
    });
    if (active) out.push_back(key);
  }
  return out;
}

std::vector<MetricFile::Series> MetricStore::TakeChanged() {
  std::vector<MetricFile::Series> rows;
  for (auto& [key, units] : series_) {
    for (auto& [unit, series] : units) {
      if (std::exchange(series.changed, false)) rows.push_back({series.id, key, unit, series.last});
    }
  }
  return rows;
}

void MetricStore::Flush() {
  const std::lock_guard file_lock(file_mutex_);
  std::vector<MetricFile::Series> rows;
  std::vector<int64_t> evicted;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [cell, values] : waiting_) writing_[cell].Merge(values);  // writing_ has what failed last time
    waiting_.clear();
    rows = TakeChanged();
    evicted = evicted_;
    if (dropped_ > dropped_told_) {
      Log(LogLevel::kWarning, "metric values dropped: too many metrics, or the disk does not keep up",
          {{"dropped", std::to_string(dropped_ - dropped_told_)}, {"metrics", std::to_string(series_count_)}});
      dropped_told_ = dropped_;
    }
  }
  // Nobody but this function changes writing_, under file_mutex_.
  Status done = rows.empty() && writing_.empty() ? Status() : file_->Write(rows, writing_);
  if (done.ok() && !evicted.empty()) done = RemoveSeries(evicted);
  if (!done.ok()) OnWriteFailed(done.error());
  failing_ = !done.ok();
  {
    const std::lock_guard lock(mutex_);
    if (done.ok()) {
      writing_.clear();
      evicted_.erase(evicted_.begin(), evicted_.begin() + static_cast<int64_t>(evicted.size()));
    } else {
      // All of them again: a file made anew has none of the series.
      for (auto& [key, units] : series_) {
        for (auto& [unit, series] : units) series.changed = true;
      }
    }
  }
  const Time now = clock_->Now();
  if (done.ok() && (now - pruned_ >= kPrunePeriod || now < pruned_)) {
    pruned_ = now;
    Prune();
  }
}

void MetricStore::OnWriteFailed(const Error& error) {
  // Every two seconds it is the same.
  if (!failing_) Log(LogLevel::kError, "metrics cannot be written", {{"reason", error.message()}});
  if (error.code() != ErrorCode::kCorrupt) return;
  Result<std::unique_ptr<MetricFile>> anew = MetricFile::MakeAnew(path_);
  if (anew.ok()) file_ = std::move(*anew);
}

Status MetricStore::RemoveSeries(const std::vector<int64_t>& ids) {
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  // The rows of the series last: what is cut off in the middle is found again.
  Status done = file_->Forget(ids, kTen, kAll);
  if (done.ok()) done = file_->Forget(ids, kMinute, kAll);
  if (done.ok()) done = file_->Remove(ids);
  return done;
}

std::vector<int64_t> MetricStore::ForgetSeries(int64_t before) {
  std::vector<int64_t> gone;
  for (auto metric = series_.begin(); metric != series_.end();) {
    for (auto it = metric->second.begin(); it != metric->second.end();) {
      Series& series = it->second;
      const bool waits = std::any_of(waiting_.begin(), waiting_.end(),
                                     [&](const auto& cell) { return cell.first.series == series.id; });
      if (series.last >= before || waits) {
        ++it;
        continue;
      }
      gone.push_back(series.id);
      seconds_count_ -= series.seconds.size();
      --series_count_;
      it = metric->second.erase(it);
    }
    metric = metric->second.empty() ? series_.erase(metric) : std::next(metric);
  }
  return gone;
}

void MetricStore::Prune() {
  const int64_t now = SecondOf(clock_->Now());
  std::vector<int64_t> gone;
  std::vector<int64_t> all;
  {
    const std::lock_guard lock(mutex_);
    gone = ForgetSeries(now - SecondsOf(kMinutesKept));
    for (auto& [key, units] : series_) {
      for (auto& [unit, series] : units) {
        TrimSeconds(series, now - SecondsOf(kSecondsKept));
        all.push_back(series.id);
      }
    }
  }
  all.insert(all.end(), gone.begin(), gone.end());
  int64_t oldest = now - SecondsOf(kMinutesKept);
  Status done = file_->Forget(all, kTen, now - SecondsOf(kTensKept));
  if (done.ok()) done = file_->Forget(all, kMinute, oldest);
  if (done.ok()) done = file_->Remove(gone);
  // Too much all the same: a day less, until it fits.
  for (; done.ok() && oldest < now - kDay; oldest += kDay) {
    const Result<int64_t> bytes = file_->Bytes();
    if (!bytes.ok() || *bytes <= bounds_.file_bytes_max) break;
    done = file_->Forget(all, kMinute, oldest + kDay);
  }
  if (!done.ok()) Log(LogLevel::kError, "old metrics cannot be removed", {{"reason", done.error().message()}});
}

void MetricStore::Write(PrometheusText& page) const {
  page.Begin("argosy_metrics", PrometheusText::Type::kGauge, "Metrics that CloudWatch's calls know, by unit.");
  page.Sample({}, static_cast<double>(series()));
  page.Begin("argosy_metric_records_dropped_total", PrometheusText::Type::kCounter,
             "Values that found no room: too many metrics, or a disk that does not keep up.");
  page.Sample({}, static_cast<double>(dropped()));
}

uint64_t MetricStore::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

size_t MetricStore::series() const {
  const std::lock_guard lock(mutex_);
  return series_count_;
}

}  // namespace argosy::observe
