#include "control/alarms_planner.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "control/planner_test_values.h"

namespace argosy::control {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

catalog::AlarmSpec Spec(int64_t datapoints, int64_t periods, const std::string& missing = "missing") {
  catalog::AlarmSpec spec;
  spec.alarm_name = "a";
  spec.statistic = "Sum";
  spec.threshold = 5;
  spec.comparison = "GreaterThanThreshold";
  spec.evaluation_periods = periods;
  spec.datapoints_to_alarm = datapoints;
  spec.treat_missing = missing;
  return spec;
}

// One datapoint a letter, oldest first: X breaches, 0 does not, - is missing.
std::vector<AlarmDatapoint> Drawn(const std::string& text) {
  std::vector<AlarmDatapoint> out;
  for (const char c : text) {
    AlarmDatapoint datapoint{At(60.0 * static_cast<double>(out.size())), std::nullopt};
    if (c != '-') datapoint.values.emplace().Add(c == 'X' ? 10 : 1);
    out.push_back(std::move(datapoint));
  }
  return out;
}

TEST(EvaluateAlarm, FollowsTheServicesTablesOfMissingData) {
  struct Row {
    const char* datapoints;
    int64_t needed;
    const char* missing;
    const char* ignore;
    const char* breaching;
    const char* not_breaching;
  };
  const char* const kOk = "OK";
  const char* const kAlarm = "ALARM";
  const char* const kNoData = "INSUFFICIENT_DATA";
  const char* const kStays = "as it was";
  const Row rows[] = {
      {"0-X-X", 3, kOk, kOk, kOk, kOk},
      {"----0", 3, kOk, kOk, kOk, kOk},
      {"-----", 3, kNoData, kStays, kAlarm, kOk},
      {"0XX-X", 3, kAlarm, kAlarm, kAlarm, kAlarm},
      {"--X--", 3, kAlarm, kStays, kAlarm, kOk},
      {"----X", 3, kOk, kStays, kAlarm, kOk},
      {"0-X-X", 2, kAlarm, kAlarm, kAlarm, kAlarm},
      {"00X0X", 2, kAlarm, kAlarm, kAlarm, kAlarm},
      {"0-X--", 2, kOk, kOk, kAlarm, kOk},
      {"----0", 2, kOk, kOk, kAlarm, kOk},
      {"---X-", 2, kAlarm, kStays, kAlarm, kOk},
      {"XX000", 3, kOk, kOk, kOk, kOk},
      {"00XXX", 3, kAlarm, kAlarm, kAlarm, kAlarm},
  };
  for (const Row& row : rows) {
    const std::pair<const char*, const char*> cases[] = {{"missing", row.missing},
                                                         {"ignore", row.ignore},
                                                         {"breaching", row.breaching},
                                                         {"notBreaching", row.not_breaching}};
    for (const auto& [missing, expected] : cases) {
      for (const std::string present : {"OK", "ALARM", "INSUFFICIENT_DATA"}) {
        const AlarmVerdict verdict =
            EvaluateAlarm(Spec(row.needed, 3, missing), Drawn(row.datapoints), present, At(300));
        EXPECT_EQ(verdict.state, expected == kStays ? present : expected)
            << row.datapoints << " " << row.needed << " of 3, " << missing << ", was " << present;
        EXPECT_FALSE(verdict.reason.empty());
        EXPECT_TRUE(ParseJson(verdict.reason_data).ok());
      }
    }
  }
}

TEST(EvaluateAlarm, ComparesAsAsked) {
  const struct {
    const char* comparison;
    double value;
    bool alarm;
  } rows[] = {{"GreaterThanThreshold", 5, false},
              {"GreaterThanThreshold", 5.1, true},
              {"GreaterThanOrEqualToThreshold", 5, true},
              {"GreaterThanOrEqualToThreshold", 4.9, false},
              {"LessThanThreshold", 5, false},
              {"LessThanThreshold", 4.9, true},
              {"LessThanOrEqualToThreshold", 5, true},
              {"LessThanOrEqualToThreshold", 5.1, false}};
  for (const auto& row : rows) {
    catalog::AlarmSpec spec = Spec(1, 1);
    spec.comparison = row.comparison;
    AlarmDatapoint datapoint{At(0), observe::Distribution()};
    datapoint.values->Add(row.value);
    const AlarmVerdict verdict = EvaluateAlarm(spec, {datapoint}, "OK", At(62));
    EXPECT_EQ(verdict.state, row.alarm ? "ALARM" : "OK") << row.comparison << " " << row.value;
    EXPECT_EQ(verdict.newest, row.value);
  }
}

TEST(EvaluateAlarm, SaysWhyInTheServicesWords) {
  const AlarmVerdict alarm = EvaluateAlarm(Spec(2, 3), Drawn("00X0X"), "OK", At(302));
  EXPECT_EQ(
      alarm.reason,
      "Threshold Crossed: 2 out of the last 3 datapoints [10.0 (14/11/23 22:17:20), 10.0 (14/11/23 22:15:20)] were "
      "greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition).");
  const Json data = *ParseJson(alarm.reason_data);
  EXPECT_EQ(data["recentDatapoints"], (Json{10.0, 1.0, 10.0}));
  EXPECT_EQ(data["evaluatedDatapoints"][0]["value"], 10.0);
  EXPECT_EQ(data["threshold"], 5.0);
  const AlarmVerdict ok = EvaluateAlarm(Spec(1, 1), Drawn("00X00"), "ALARM", At(302));
  EXPECT_EQ(ok.reason,
            "Threshold Crossed: 1 out of the last 1 datapoint [1.0 (14/11/23 22:17:20)] was not greater than the "
            "threshold (5.0) (minimum 1 datapoint for ALARM -> OK transition).");
  EXPECT_EQ(EvaluateAlarm(Spec(1, 3), Drawn("-----"), "OK", At(302)).reason,
            "Insufficient Data: 3 datapoints were unknown.");
}

TEST(EvaluateAlarm, ManyDatapointsAreCutToWhatTheServiceTakes) {
  const AlarmVerdict verdict = EvaluateAlarm(Spec(1, 1000), Drawn(std::string(1002, 'X')), "OK", At(90'000));
  EXPECT_EQ(verdict.state, "ALARM");
  EXPECT_LE(verdict.reason.size(), 1023U);
  EXPECT_LE(verdict.reason_data.size(), 4000U);
  EXPECT_TRUE(ParseJson(verdict.reason_data).ok());
}

TEST(AlarmDatapoints, PeriodsArePutTogetherUpToTheEnd) {
  catalog::AlarmSpec spec = Spec(1, 2);
  spec.period_seconds = 120;
  spec.unit = "Count";
  const Time end = At(100);  // a whole minute: the test's begin is 40 seconds before one
  ASSERT_EQ(AlarmEvaluationEnd(spec, At(100) + kAlarmSettle), FromUnixSeconds(1'700'000'100));
  std::vector<observe::MetricPeriod> periods;
  const auto add = [&](int64_t before_end, double value, const char* unit) {
    observe::Distribution values;
    values.Add(value);
    periods.push_back({end - seconds(before_end), unit, values});
  };
  add(480, 1, "Count");
  add(240, 2, "Count");
  add(180, 4, "Count");
  add(180, 100, "None");
  add(60, 8, "Count");
  add(0, 100, "Count");
  const std::vector<AlarmDatapoint> datapoints = AlarmDatapoints(spec, periods, end);
  ASSERT_EQ(datapoints.size(), 4U);
  EXPECT_EQ(datapoints[0].values->sum(), 1);
  EXPECT_FALSE(datapoints[1].values.has_value());
  EXPECT_EQ(datapoints[2].values->sum(), 6);
  EXPECT_EQ(datapoints[3].values->sum(), 8);
  EXPECT_EQ(RangeToRead(spec, end).begin, end - minutes(8));
  EXPECT_EQ(RangeToRead(spec, end).length, minutes(1));
}

TEST(NextAlarmEvaluation, ComesAPeriodOrAMinuteLaterOnceItsValuesHaveSettled) {
  const Time minute = FromUnixSeconds(1'700'000'040);
  const struct {
    int64_t period;
    double now;
    double next;
  } rows[] = {{60, 2, 62}, {60, 1, 2}, {60, 61.9, 62}, {300, 2, 62}, {10, 2, 12}, {10, 11.9, 12}, {30, 2, 32}};
  for (const auto& row : rows) {
    catalog::AlarmSpec spec = Spec(1, 1);
    spec.period_seconds = row.period;
    const auto after = [&](double by) { return minute + std::chrono::milliseconds(static_cast<int64_t>(by * 1000)); };
    EXPECT_EQ(NextAlarmEvaluation(spec, after(row.now)), after(row.next)) << row.period << " " << row.now;
  }
}

}  // namespace
}  // namespace argosy::control
