#include "catalog/alarm.h"

#include <gtest/gtest.h>

namespace argosy::catalog {
namespace {

constexpr const char* kRequest =
    R"({"AlarmName":"a","Namespace":"n","MetricName":"m","Dimensions":[{"Name":"d","Value":"v"}],)"
    R"("ExtendedStatistic":"p99","Period":300,"EvaluationPeriods":3,"DatapointsToAlarm":2,"Threshold":1.5,)"
    R"("ComparisonOperator":"LessThanThreshold","TreatMissingData":"ignore",)"
    R"("AlarmActions":["arn:aws:sns:r:1:t","arn:aws:autoscaling:r:1:scalingPolicy:u:resource/x:policyName/p"]})";

TEST(AlarmSpec, IsReadFromItsRequest) {
  const Result<AlarmSpec> spec = AlarmSpec::FromRequestJson(kRequest);
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->dimensions.at("d"), "v");
  EXPECT_EQ(spec->statistic, "p99");
  EXPECT_EQ(spec->period_seconds, 300);
  EXPECT_EQ(spec->datapoints_to_alarm, 2);
  EXPECT_EQ(spec->threshold, 1.5);
  EXPECT_EQ(spec->treat_missing, "ignore");
  EXPECT_EQ(spec->ActionsFor(kAlarmInAlarm).size(), 2u);
  EXPECT_TRUE(spec->ActionsFor(kAlarmOk).empty());
  EXPECT_FALSE(AlarmSpec::FromRequestJson("[]").ok());
  const Result<AlarmSpec> few = AlarmSpec::FromRequestJson(R"({"EvaluationPeriods":4,"ActionsEnabled":false})");
  EXPECT_EQ(few->datapoints_to_alarm, 4);
  EXPECT_FALSE(few->actions_enabled);
}

TEST(AlarmState, GoesOverNotesItAndComesBackAsItWas) {
  const AlarmSpec spec = *AlarmSpec::FromRequestJson(kRequest);
  AlarmState state;
  state.Enter(spec, kAlarmInAlarm, "too few", R"({"x":1})", FromUnixSeconds(100));
  EXPECT_EQ(state.transitioned, FromUnixSeconds(100));
  ASSERT_EQ(state.history.size(), 3u);
  EXPECT_EQ(state.history[0].summary, "Alarm updated from INSUFFICIENT_DATA to ALARM");
  EXPECT_NE(state.history[1].summary.find("Not delivered"), std::string::npos);
  EXPECT_NE(state.history[2].summary.find("Application Auto Scaling"), std::string::npos);
  state.Enter(spec, kAlarmInAlarm, "still too few", "", FromUnixSeconds(200));
  EXPECT_EQ(state.transitioned, FromUnixSeconds(100));
  EXPECT_EQ(state.updated, FromUnixSeconds(200));
  EXPECT_EQ(state.history.size(), 3u);
  const Result<AlarmState> back = AlarmState::FromJson(state.ToJson());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->ToJson(), state.ToJson());
  EXPECT_EQ(back->reason, "still too few");
}

TEST(AlarmState, KeepsTheNewestOfItsHistory) {
  const AlarmSpec spec = *AlarmSpec::FromRequestJson("{}");
  AlarmState state;
  for (int i = 0; i < 50; ++i) {
    state.Enter(spec, i % 2 == 0 ? kAlarmOk : kAlarmInAlarm, "", "", FromUnixSeconds(i));
  }
  EXPECT_EQ(state.history.size(), kAlarmHistoryMax);
  EXPECT_EQ(state.history.back().at, FromUnixSeconds(49));
}

}  // namespace
}  // namespace argosy::catalog
