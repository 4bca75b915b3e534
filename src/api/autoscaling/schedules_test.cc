#include "api/autoscaling/autoscaling_fixture.h"

namespace argosy::api {
namespace {

class SchedulesTest : public AutoscalingTest {
 protected:
  SchedulesTest() { Register(); }

  void Refused(const Json& request, const std::string& message) {
    Bad("PutScheduledAction", request, "ValidationException", message);
  }
  Json Described() { return Good("DescribeScheduledActions", All())["ScheduledActions"]; }
};

TEST_F(SchedulesTest, AnActionIsPutDescribedAndDeleted) {
  EXPECT_EQ(Good("PutScheduledAction", Action("a", {{"StartTime", 2e9}, {"EndTime", 3e9}})), Json::object());
  ASSERT_EQ(Described().size(), 1U);
  const Json shown = Described()[0];
  EXPECT_EQ(shown["Schedule"], "cron(0 9 ? * MON-FRI *)");
  EXPECT_EQ(shown["Timezone"], "Europe/Vienna");
  EXPECT_EQ(shown["ScalableTargetAction"], (Json{{"MinCapacity", 2}, {"MaxCapacity", 6}}));
  EXPECT_EQ(shown["StartTime"], 2e9);
  EXPECT_EQ(shown["EndTime"], 3e9);
  EXPECT_TRUE(shown["ScheduledActionARN"].get<std::string>().ends_with(":scheduledActionName/a"));
  EXPECT_TRUE(shown.contains("CreationTime"));
  Good("DeleteScheduledAction", Of({{"ScheduledActionName", "a"}}));
  EXPECT_TRUE(Described().empty());
  Bad("DeleteScheduledAction", Of({{"ScheduledActionName", "a"}}), "ObjectNotFoundException", "action name: a");
  Bad("DeleteScheduledAction", OfVariant("e", {{"ScheduledActionName", "a"}}), "ValidationException", "'e'");
}

TEST_F(SchedulesTest, AnUpdateKeepsWhatItLeavesOutButForTheTimes) {
  Good("PutScheduledAction", Action("a", {{"StartTime", 2e9}, {"EndTime", 3e9}}));
  const std::string arn = Described()[0]["ScheduledActionARN"];
  Good("PutScheduledAction",
       Of({{"ScheduledActionName", "a"}, {"ScalableTargetAction", {{"MinCapacity", 3}}}, {"Timezone", nullptr}}));
  const Json shown = Described()[0];
  EXPECT_EQ(shown["ScheduledActionARN"], arn);
  EXPECT_EQ(shown["Schedule"], "cron(0 9 ? * MON-FRI *)");
  EXPECT_EQ(shown["Timezone"], "Europe/Vienna");
  EXPECT_EQ(shown["ScalableTargetAction"], (Json{{"MinCapacity", 3}}));
  EXPECT_FALSE(shown.contains("StartTime"));
  EXPECT_FALSE(shown.contains("EndTime"));
}

// What lies before is not made up for.
TEST_F(SchedulesTest, AnActionIsDueOnlyAfterItWasPut) {
  const auto last_run = [this] {
    const auto name = catalog::ActionResourceName(kTargetId, "a");
    return catalog::ScheduledAction::FromResource(store_->Get(Kind::kScheduledAction, name).value())->last_run;
  };
  Good("PutScheduledAction", Action("a", {{"Schedule", "rate(1 minute)"}}));
  const std::optional<Time> first = last_run();
  ASSERT_TRUE(first.has_value());
  Good("PutScheduledAction", Action("a", {{"Schedule", "rate(1 minute)"}}));
  EXPECT_GT(last_run(), first);
}

TEST_F(SchedulesTest, WhatCannotBeCarriedOutIsRefused) {
  const auto refused = [this](const Json& more, const std::string& message) { Refused(Action("a", more), message); };
  refused({{"ScalableTargetAction", Json::object()}}, "needs MinCapacity, MaxCapacity or both");
  refused({{"ScalableTargetAction", {{"MinCapacity", nullptr}}}}, "needs MinCapacity, MaxCapacity or both");
  refused({{"ScalableTargetAction", {{"MinCapacity", 3}, {"MaxCapacity", 2}}}}, "cannot be less than minimum");
  refused({{"ScalableTargetAction", {{"MinCapacity", -1}}}}, "minCapacity");
  refused({{"Schedule", nullptr}}, "Schedule is required");
  refused({{"Schedule", "daily"}}, "'daily' is not valid");
  refused({{"Timezone", "Mars/Olympus"}}, "no time zone");
  refused({{"Schedule", "at(2020-01-01T00:00:00)"}}, "in the past");
  refused({{"EndTime", 1.6e9}}, "EndTime must lie in the future");
  refused({{"StartTime", 2.5e9}, {"EndTime", 2e9}}, "after StartTime");
  Json other = Action("a");
  other["ResourceId"] = "endpoint/e/variant/Second";
  Bad("PutScheduledAction", other, "ObjectNotFoundException", "endpoint/e/variant/Second");
  EXPECT_TRUE(Described().empty());
}

TEST_F(SchedulesTest, ListsAreOfATargetByNameAndInPages) {
  for (const char* name : {"a", "b", "c"}) Good("PutScheduledAction", Action(name));
  const auto names = [this](const Json& request) {
    std::string text;
    const Json answer = Good("DescribeScheduledActions", request);
    for (const Json& action : answer["ScheduledActions"]) text += action["ScheduledActionName"].get<std::string>();
    return text;
  };
  EXPECT_EQ(names(Of({{"ScheduledActionNames", {"c", "a"}}})), "ac");
  const Json page = Good("DescribeScheduledActions", Of({{"MaxResults", 2}}));
  EXPECT_EQ(names(Of({{"MaxResults", 2}, {"NextToken", page["NextToken"]}})), "c");
  EXPECT_EQ(names(OfVariant("endpoint/e/variant/Second")), "");
}

TEST_F(SchedulesTest, ATargetHasAtMostTwoHundred) {
  for (int i = 0; i < 200; ++i) Good("PutScheduledAction", Action("a" + std::to_string(i)));
  Bad("PutScheduledAction", Action("one-more"), "LimitExceededException", "at most 200 scheduled actions");
}

TEST_F(SchedulesTest, OneThatIsPutWhileItsTargetGoesIsNotLeftBehind) {
  interposed_->before_commit = [this] { Good("DeregisterScalableTarget", Of()); };
  Bad("PutScheduledAction", Action("a"), "ObjectNotFoundException", kTargetId);
  EXPECT_EQ(Count(Kind::kScheduledAction), 0U);
}

}  // namespace
}  // namespace argosy::api
