#include "control/alarms_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "observe/statistic.h"

namespace argosy::control {
namespace {

using catalog::AlarmSpec;
using std::chrono::seconds;

constexpr size_t kReasonMax = 1023;  // the service's bounds
constexpr size_t kReasonDataMax = 4000;
constexpr size_t kDatapointsQuotedMax = 5;  // in a reason

Duration StepOf(const AlarmSpec& spec) {
  return std::min<Duration>(seconds(spec.period_seconds), std::chrono::minutes(1));
}

Time CutDown(Time time, Duration step) {
  const Duration since = time.time_since_epoch();
  return Time(since - since % step);
}

// A datapoint that counts.
struct Sample {
  Time start{};
  double value = 0;
  uint64_t count = 0;
  int64_t age = 0;  // in periods; the newest is 1
  bool breaches = false;
};

bool Breaches(const AlarmSpec& spec, double value) {
  if (spec.comparison == "GreaterThanOrEqualToThreshold") return value >= spec.threshold;
  if (spec.comparison == "GreaterThanThreshold") return value > spec.threshold;
  if (spec.comparison == "LessThanThreshold") return value < spec.threshold;
  return value <= spec.threshold;
}

std::string_view ComparisonWords(const AlarmSpec& spec) {
  if (spec.comparison == "GreaterThanOrEqualToThreshold") return "greater than or equal to";
  if (spec.comparison == "GreaterThanThreshold") return "greater than";
  if (spec.comparison == "LessThanThreshold") return "less than";
  return "less than or equal to";
}

// Those that exist, newest first; no more than count.
std::vector<Sample> NewestSamples(const AlarmSpec& spec, const std::vector<AlarmDatapoint>& datapoints) {
  const std::optional<observe::Statistic> statistic = observe::Statistic::Parse(spec.statistic);
  std::vector<Sample> out;
  if (!statistic) return out;  // of another version's catalog
  for (size_t i = datapoints.size(); i > 0 && out.size() < static_cast<size_t>(spec.evaluation_periods); --i) {
    const AlarmDatapoint& datapoint = datapoints[i - 1];
    if (!datapoint.values) continue;
    const double value = statistic->Of(*datapoint.values);
    out.push_back({datapoint.start, value, datapoint.values->count(), static_cast<int64_t>(datapoints.size() - i + 1),
                   Breaches(spec, value)});
  }
  return out;
}

std::string StateOf(const AlarmSpec& spec, const std::vector<Sample>& samples, const std::string& present) {
  const auto breaching = std::count_if(samples.begin(), samples.end(), [](const Sample& s) { return s.breaches; });
  const int64_t missing = spec.evaluation_periods - static_cast<int64_t>(samples.size());
  const std::string ok(catalog::kAlarmOk);
  const std::string alarm(catalog::kAlarmInAlarm);
  if (breaching >= spec.datapoints_to_alarm) return alarm;
  if (missing <= 0) return ok;
  if (spec.treat_missing == "breaching") return breaching + missing >= spec.datapoints_to_alarm ? alarm : ok;
  if (spec.treat_missing == "notBreaching") return ok;
  if (spec.treat_missing == "ignore") {
    return breaching == static_cast<int64_t>(samples.size()) ? present : ok;
  }
  if (samples.empty()) return std::string(catalog::kAlarmInsufficientData);
  const bool all_breach = breaching == static_cast<int64_t>(samples.size());
  return all_breach && samples.back().age >= spec.datapoints_to_alarm ? alarm : ok;
}

std::string TimeWords(Time time) {
  const std::string iso = FormatIso8601(time);  // 2024-05-01T12:34:56.789Z
  return fmt::format("{}/{}/{} {}", iso.substr(8, 2), iso.substr(5, 2), iso.substr(2, 2), iso.substr(11, 8));
}

std::string ReasonOf(const AlarmSpec& spec, const std::vector<Sample>& samples, const std::string& state) {
  const int64_t missing = spec.evaluation_periods - static_cast<int64_t>(samples.size());
  if (state == catalog::kAlarmInsufficientData || samples.empty()) {
    const std::string counted = missing == 1 ? "1 datapoint was" : fmt::format("{} datapoints were", missing);
    if (spec.treat_missing == "breaching" || spec.treat_missing == "notBreaching") {
      return fmt::format(
          "Threshold Crossed: no datapoints were received for {} period{} and {} missing datapoint{} "
          "treated as [{}].",
          missing, missing == 1 ? "" : "s", missing, missing == 1 ? " was" : "s were",
          spec.treat_missing == "breaching" ? "Breaching" : "NonBreaching");
    }
    return "Insufficient Data: " + counted + " unknown.";
  }
  const bool alarm = state == catalog::kAlarmInAlarm;
  std::string values;
  int64_t told = 0;
  for (const Sample& sample : samples) {
    if (sample.breaches != alarm) continue;
    if (static_cast<size_t>(++told) > kDatapointsQuotedMax) continue;
    values += fmt::format("{}{} ({})", values.empty() ? "" : ", ", Json(sample.value).dump(), TimeWords(sample.start));
  }
  const int64_t needed = alarm ? spec.datapoints_to_alarm : spec.evaluation_periods - spec.datapoints_to_alarm + 1;
  return fmt::format(
      "Threshold Crossed: {} out of the last {} datapoint{} [{}] {} {}{} the threshold ({}) (minimum {} "
      "datapoint{} for {} transition).",
      told, spec.evaluation_periods, spec.evaluation_periods == 1 ? "" : "s", values, told == 1 ? "was" : "were",
      alarm ? "" : "not ", ComparisonWords(spec), Json(spec.threshold).dump(), needed, needed == 1 ? "" : "s",
      alarm ? "OK -> ALARM" : "ALARM -> OK");
}

std::string QueryTime(Time time) {
  std::string text = FormatIso8601(time);
  text.replace(text.size() - 1, 1, "+0000");
  return text;
}

std::string ReasonDataOf(const AlarmSpec& spec, const std::vector<Sample>& samples, Time now) {
  Json json = {{"version", "1.0"},
               {"queryDate", QueryTime(now)},
               {"statistic", spec.statistic},
               {"period", spec.period_seconds},
               {"threshold", spec.threshold},
               {"recentDatapoints", Json::array()},
               {"evaluatedDatapoints", Json::array()}};
  if (!spec.unit.empty()) json["unit"] = spec.unit;
  if (!samples.empty()) json["startDate"] = QueryTime(samples.back().start);
  for (auto sample = samples.rbegin(); sample != samples.rend(); ++sample) {
    json["recentDatapoints"].push_back(sample->value);
  }
  for (const Sample& sample : samples) {
    json["evaluatedDatapoints"].push_back({{"timestamp", QueryTime(sample.start)},
                                           {"sampleCount", static_cast<double>(sample.count)},
                                           {"value", sample.value}});
  }
  // Hundreds of datapoints do not fit: the newest are told.
  std::string text = DumpJson(json);
  while (text.size() > kReasonDataMax) {
    Json& recent = json["recentDatapoints"];
    Json& evaluated = json["evaluatedDatapoints"];
    const size_t kept = evaluated.size() / 2;
    while (evaluated.size() > kept) evaluated.erase(evaluated.size() - 1);
    recent.erase(recent.begin(), recent.begin() + static_cast<int64_t>(recent.size() - kept));
    text = DumpJson(json);
  }
  return text;
}

}  // namespace

Time AlarmEvaluationEnd(const AlarmSpec& spec, Time now) {
  return CutDown(now - kAlarmSettle, StepOf(spec));
}

Time NextAlarmEvaluation(const AlarmSpec& spec, Time now) {
  return AlarmEvaluationEnd(spec, now) + StepOf(spec) + kAlarmSettle;
}

AlarmReadRange RangeToRead(const AlarmSpec& spec, Time end) {
  const Duration whole = seconds(spec.period_seconds) * (spec.evaluation_periods + kAlarmDatapointsMore);
  return {end - whole, end, spec.period_seconds % 60 == 0 ? Duration(std::chrono::minutes(1)) : Duration(seconds(10))};
}

observe::MetricKey AlarmMetric(const AlarmSpec& spec) {
  return {spec.name_space, spec.metric_name, spec.dimensions};
}

std::vector<AlarmDatapoint> AlarmDatapoints(const AlarmSpec& spec, const std::vector<observe::MetricPeriod>& periods,
                                            Time end) {
  const AlarmReadRange range = RangeToRead(spec, end);
  const Duration length = seconds(spec.period_seconds);
  std::vector<AlarmDatapoint> out;
  for (Time start = range.begin; start < end; start += length) out.push_back({start, std::nullopt});
  for (const observe::MetricPeriod& period : periods) {
    if (period.start < range.begin || period.start >= end) continue;
    if (!spec.unit.empty() && period.unit != spec.unit) continue;
    std::optional<observe::Distribution>& values =
        out[static_cast<size_t>((period.start - range.begin) / length)].values;
    if (!values) values.emplace();
    values->Merge(period.values);
  }
  return out;
}

AlarmVerdict EvaluateAlarm(const AlarmSpec& spec, const std::vector<AlarmDatapoint>& datapoints,
                           const std::string& present, Time now) {
  const std::vector<Sample> samples = NewestSamples(spec, datapoints);
  AlarmVerdict verdict;
  verdict.state = StateOf(spec, samples, present);
  verdict.reason = ReasonOf(spec, samples, verdict.state).substr(0, kReasonMax);
  verdict.reason_data = ReasonDataOf(spec, samples, now);
  if (!samples.empty()) verdict.newest = samples.front().value;
  return verdict;
}

}  // namespace argosy::control
