// Replays a trace of requests a minute through the product's own scaling planner, second by second, and counts what
// would not have been served. Driven by scaling_replay.py.
//
//   bench_scaling <trace.csv> <policy> key=value…
//
// The trace: lines of "minute,requests", minutes since 1970 ascending; minutes left out had none. Within a minute
// requests come as a Poisson process (the generator's seed is fixed). An instance serves `capacity` requests a minute,
// spread evenly over its seconds; what comes beyond in a second is unserved, nothing queues. An instance that is asked
// for serves `start` seconds later, one that is let go stops at once; both are paid from the asking.
//
//   fixed       count=N
//   sagemaker   the metric by the minute, an alarm of three minutes out and fifteen in, as AWS's target tracking
//   reactive    control/scaling_planner with a target tracking policy
//   predictive  the same with a predictive policy beside it
//
// Prints a line of JSON; with series=FILE also "minute,requests,instances" of every minute.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <string>

#include "base/bytes.h"
#include "control/scaling_planner.h"
#include "observe/load_forecast.h"

namespace argosy {
namespace {

struct Settings {
  double capacity = 1000;  // requests a minute and instance
  double target = 700;     // of the policy
  uint32_t start_seconds = 1;
  uint32_t in_cooldown = 300;
  uint32_t buffer = 0;
  uint32_t most = 10'000;
  uint32_t count = 1;
  int64_t report_from = 0;  // minutes before only warm up
  std::string series;
};

// Decides once a second; told of each second that has passed.
class Scaler {
 public:
  virtual ~Scaler() = default;
  virtual uint32_t Decide(int64_t second, uint32_t desired) = 0;
  virtual void See(int64_t second, uint64_t requests) = 0;
};

class FixedScaler final : public Scaler {
 public:
  explicit FixedScaler(uint32_t count) : count_(count) {}
  uint32_t Decide(int64_t, uint32_t) override { return count_; }
  void See(int64_t, uint64_t) override {}

 private:
  uint32_t count_;
};

// As AWS describes target tracking: a high alarm of three one-minute datapoints above the target, a low alarm of
// fifteen below 90 % of it, both cooldowns of 300 s.
class AlarmScaler final : public Scaler {
 public:
  explicit AlarmScaler(const Settings& settings) : settings_(settings) {}
  void See(int64_t second, uint64_t requests) override {
    sum_ += static_cast<double>(requests);
    if (second % 60 == 59) {
      minutes_.push_back(sum_);
      sum_ = 0;
      if (minutes_.size() > 15) minutes_.pop_front();
    }
  }
  uint32_t Decide(int64_t second, uint32_t desired) override {
    if (second % 60 != 0 || minutes_.size() < 3) return desired;
    const double per_instance = minutes_.back() / std::max(desired, 1U);
    const auto needed = static_cast<uint32_t>(std::max(std::ceil(minutes_.back() / settings_.target), 1.0));
    bool high = true;
    for (size_t i = minutes_.size() - 3; i < minutes_.size(); ++i)
      high = high && minutes_[i] > settings_.target * desired;
    if (high && second - last_out_ >= 300) {
      last_out_ = second;
      return std::min(std::max(needed, desired), settings_.most);
    }
    bool low = minutes_.size() == 15 && per_instance < settings_.target * 0.9;
    for (const double minute : minutes_) low = low && minute < settings_.target * 0.9 * desired;
    if (low && second - last_in_ >= 300 && second - last_out_ >= 300) {
      last_in_ = second;
      return std::min(needed, desired);
    }
    return desired;
  }

 private:
  const Settings& settings_;
  std::deque<double> minutes_;
  double sum_ = 0;
  int64_t last_out_ = -1'000'000, last_in_ = -1'000'000;
};

class PlannerScaler final : public Scaler {
 public:
  PlannerScaler(const Settings& settings, int64_t begin, const std::string& kind)
      : forecast_(1 + (settings.buffer + 59) / 60), predictive_(kind == "predictive") {
    view_.target.min_capacity = 1;
    view_.target.max_capacity = settings.most;
    catalog::ScalingPolicy tracking;
    tracking.uid = "tracking";
    tracking.tracking = catalog::TargetTracking{.target_value = settings.target,
                                                .metric = {.predefined = control::kInvocationsPerInstance},
                                                .in_cooldown_seconds = settings.in_cooldown};
    view_.policies.push_back(tracking);
    if (predictive_) {
      catalog::ScalingPolicy ahead;
      ahead.uid = "predictive";
      ahead.predictive = catalog::PredictiveScaling{settings.target, settings.buffer};
      view_.policies.push_back(ahead);
    }
    facts_.changeable = true;
    facts_.load = &load_;
    facts_.load_known_since = Time(std::chrono::seconds(begin));
  }

  void See(int64_t second, uint64_t requests) override {
    if (requests > 0) load_.Add(second, requests, 0);
    if (!predictive_) return;
    sum_ += static_cast<double>(requests);
    if (second % 60 != 59) return;
    forecast_.Add(second / 60, sum_);
    sum_ = 0;
    if (const std::optional<double> most = forecast_.Most()) facts_.forecast["predictive"] = *most;
  }

  uint32_t Decide(int64_t second, uint32_t desired) override {
    facts_.desired = desired;
    for (const control::ScalingAction& action : PlanScaling(view_, facts_, Time(std::chrono::seconds(second)))) {
      const auto* change = std::get_if<control::SetDesiredCount>(&action);
      if (change == nullptr) continue;
      view_.target.state = change->state;  // with no activity left open: changes are done at once here
      return change->count;
    }
    return desired;
  }

 private:
  control::ScalingView view_;
  control::ScalingFacts facts_;
  control::LoadWindow load_;
  observe::LoadForecast forecast_;
  const bool predictive_;
  double sum_ = 0;
};

struct Outcome {
  double requests = 0, unserved = 0, instance_seconds = 0;
  uint64_t changes = 0;
  uint32_t most = 0;
};

Outcome Replay(const std::map<int64_t, double>& trace, const Settings& settings, Scaler& scaler, std::ostream* series) {
  std::mt19937_64 random(1);
  Outcome outcome;
  uint32_t desired = std::max(settings.count, 1U);
  std::deque<int64_t> starting;  // when those that are not serving yet will
  const double per_second = settings.capacity / 60;
  for (int64_t minute = trace.begin()->first; minute <= trace.rbegin()->first; ++minute) {
    const auto found = trace.find(minute);
    const double rate = found == trace.end() ? 0 : found->second / 60;
    std::poisson_distribution<uint64_t> arrivals(std::max(rate, 1e-12));
    const bool counts = minute >= settings.report_from;
    for (int64_t second = minute * 60; second < minute * 60 + 60; ++second) {
      const uint32_t wanted = scaler.Decide(second, desired);
      if (wanted != desired && counts) ++outcome.changes;
      for (; desired < wanted; ++desired) starting.push_back(second + settings.start_seconds);
      for (; desired > wanted; --desired) {
        if (!starting.empty()) starting.pop_back();  // the newest goes first
      }
      while (!starting.empty() && starting.front() <= second) starting.pop_front();
      const uint64_t requests = rate > 0 ? arrivals(random) : 0;
      scaler.See(second, requests);
      if (!counts) continue;
      const double served = per_second * (desired - static_cast<double>(starting.size()));
      outcome.requests += static_cast<double>(requests);
      outcome.unserved += std::max(0.0, static_cast<double>(requests) - served);
      outcome.instance_seconds += desired;
      outcome.most = std::max(outcome.most, desired);
    }
    if (series != nullptr && counts) {
      *series << minute << ',' << (found == trace.end() ? 0 : found->second) << ',' << desired << '\n';
    }
  }
  return outcome;
}

std::map<int64_t, double> ReadTrace(const std::string& path) {
  std::map<int64_t, double> trace;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    const size_t comma = line.find(',');
    const auto minute = ParseInt(line.substr(0, comma));
    if (comma == std::string::npos || !minute) continue;
    trace[*minute] = std::strtod(line.c_str() + comma + 1, nullptr);
  }
  return trace;
}

bool Take(const std::string& word, Settings& settings) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos) return false;
  const std::string key = word.substr(0, equals);
  const std::string text = word.substr(equals + 1);
  const double value = std::strtod(text.c_str(), nullptr);
  const std::map<std::string, uint32_t*> naturals = {{"start", &settings.start_seconds},
                                                     {"in_cooldown", &settings.in_cooldown},
                                                     {"buffer", &settings.buffer},
                                                     {"most", &settings.most},
                                                     {"count", &settings.count}};
  if (const auto found = naturals.find(key); found != naturals.end()) {
    *found->second = static_cast<uint32_t>(value);
  } else if (key == "capacity") {
    settings.capacity = value;
  } else if (key == "target") {
    settings.target = value;
  } else if (key == "from") {
    settings.report_from = static_cast<int64_t>(value);
  } else if (key == "series") {
    settings.series = text;
  } else {
    return false;
  }
  return true;
}

int Main(int argc, char** argv) {
  Settings settings;
  if (argc < 3) {
    std::fputs("bench_scaling <trace.csv> fixed|sagemaker|reactive|predictive key=value…\n", stderr);
    return 2;
  }
  for (int i = 3; i < argc; ++i) {
    if (Take(argv[i], settings)) continue;
    std::fprintf(stderr, "'%s' is no setting\n", argv[i]);
    return 2;
  }
  const std::map<int64_t, double> trace = ReadTrace(argv[1]);
  if (trace.empty()) {
    std::fprintf(stderr, "%s has no lines of minute,requests\n", argv[1]);
    return 2;
  }
  const std::string kind = argv[2];
  std::unique_ptr<Scaler> scaler;
  if (kind == "fixed") scaler = std::make_unique<FixedScaler>(settings.count);
  if (kind == "sagemaker") scaler = std::make_unique<AlarmScaler>(settings);
  if (kind == "reactive" || kind == "predictive") {
    scaler = std::make_unique<PlannerScaler>(settings, trace.begin()->first * 60, kind);
  }
  if (scaler == nullptr) return 2;
  std::ofstream series;
  if (!settings.series.empty()) series.open(settings.series);
  const Outcome outcome = Replay(trace, settings, *scaler, series.is_open() ? &series : nullptr);
  std::puts(fmt::format(R"({{"requests":{:.0f},"unserved":{:.0f},"instance_hours":{:.2f},"changes":{},"most":{}}})",
                        outcome.requests, outcome.unserved, outcome.instance_seconds / 3600, outcome.changes,
                        outcome.most)
                .c_str());
  return 0;
}

}  // namespace
}  // namespace argosy

int main(int argc, char** argv) {
  return argosy::Main(argc, argv);
}
