#include "api/autoscaling/autoscaling_fixture.h"

namespace argosy::api {
namespace {

TEST_F(AutoscalingTest, ATargetIsRegisteredDescribedChangedAndGone) {
  const std::string arn = Register();
  EXPECT_EQ(arn, "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/" + Target().uid);
  EXPECT_EQ(Target().owner, "e-uid");
  EXPECT_EQ(Target().principal, kPrincipal.arn);
  const Json shown = Good("DescribeScalableTargets", All())["ScalableTargets"][0];
  EXPECT_EQ(shown["MinCapacity"], 1);
  EXPECT_EQ(shown["MaxCapacity"], 4);
  EXPECT_EQ(shown["ScalableTargetARN"], arn);
  EXPECT_NE(shown["RoleARN"].get<std::string>().find("AWSServiceRoleForApplicationAutoScaling"), std::string::npos);
  EXPECT_EQ(Good("RegisterScalableTarget", Of({{"MaxCapacity", 3}, {"RoleARN", "arn:aws:iam::0:role/r"}})),
            (Json{{"ScalableTargetARN", arn}}));
  const Json changed = Good("DescribeScalableTargets", All())["ScalableTargets"][0];
  EXPECT_EQ(changed["MinCapacity"], 1);
  EXPECT_EQ(changed["MaxCapacity"], 3);
  EXPECT_EQ(changed["RoleARN"], "arn:aws:iam::0:role/r");
  EXPECT_EQ(changed["CreationTime"], shown["CreationTime"]);
  EXPECT_EQ(Good("DeregisterScalableTarget", Of()), Json::object());
  EXPECT_TRUE(Good("DescribeScalableTargets", All())["ScalableTargets"].empty());
  Bad("DeregisterScalableTarget", Of(), "ObjectNotFoundException", kTargetId);
}

TEST_F(AutoscalingTest, WhatIsSuspendedStaysSoUntilItIsSaidOtherwise) {
  Register();
  const auto suspend = [this](const Json& state) {
    Good("RegisterScalableTarget", Of({{"SuspendedState", state}}));
    return Good("DescribeScalableTargets", All())["ScalableTargets"][0]["SuspendedState"];
  };
  EXPECT_EQ(suspend({{"DynamicScalingInSuspended", true}}), (Json{{"DynamicScalingInSuspended", true},
                                                                  {"DynamicScalingOutSuspended", false},
                                                                  {"ScheduledScalingSuspended", false}}));
  EXPECT_EQ(suspend({{"DynamicScalingOutSuspended", true}, {"ScheduledScalingSuspended", true}}),
            (Json{{"DynamicScalingInSuspended", true},
                  {"DynamicScalingOutSuspended", true},
                  {"ScheduledScalingSuspended", true}}));
  EXPECT_EQ(suspend({{"DynamicScalingInSuspended", false}})["DynamicScalingInSuspended"], false);
  EXPECT_EQ(Good("DescribeScalableTargets", All())["ScalableTargets"][0]["MaxCapacity"], 4);
}

TEST_F(AutoscalingTest, WhatIsNoVariantOfAnEndpointIsRefusedByName) {
  const Json bounds = {{"MinCapacity", 1}, {"MaxCapacity", 2}};
  const auto refused = [&](const Json& request, const std::string& message) {
    Bad("RegisterScalableTarget", request, "ValidationException", message);
  };
  refused(OfVariant("endpoint/e", bounds), "'endpoint/e' must be endpoint/");
  refused(OfVariant("endpoint/none/variant/AllTraffic", bounds), "no endpoint 'none'");
  refused(OfVariant("endpoint/e/variant/Other", bounds), "production variant 'Other'");
  Json other = Of(bounds);
  other["ServiceNamespace"] = "ecs";
  refused(other, "ecs");
  other = Of(bounds);
  other["ScalableDimension"] = "sagemaker:inference-component:DesiredCopyCount";
  refused(other, "DesiredCopyCount");
  ChangeEndpoint("e", [](EndpointState& state) { state.delete_requested = true; });
  refused(Of(bounds), "doesn't exist");
  EXPECT_EQ(Count(Kind::kScalableTarget), 0U);
}

TEST_F(AutoscalingTest, AVariantThatIsOnlyAskedForMayBeRegistered) {
  MakeEndpoint("new", {});
  ChangeEndpoint("new", [](EndpointState& state) {
    state.current.reset();
    state.requested_variants = {Plan("AllTraffic")};
  });
  Register("endpoint/new/variant/AllTraffic");
}

TEST_F(AutoscalingTest, BoundsThatCannotBeAreRefused) {
  const auto refused = [this](const Json& bounds, const std::string& message) {
    Bad("RegisterScalableTarget", Of(bounds), "ValidationException", message);
  };
  refused({{"MinCapacity", 1}}, "MinCapacity and MaxCapacity are required");
  refused({{"MaxCapacity", 1}}, "MinCapacity and MaxCapacity are required");
  refused({{"MinCapacity", nullptr}, {"MaxCapacity", nullptr}}, "MinCapacity and MaxCapacity are required");
  refused({{"MinCapacity", 3}, {"MaxCapacity", 2}}, "MinCapacity is 3, MaxCapacity 2");
  refused({{"MinCapacity", -1}, {"MaxCapacity", 2}}, "minCapacity");
  refused({{"MinCapacity", 0}, {"MaxCapacity", 10'001}}, "maxCapacity");
  Register();
  refused({{"MinCapacity", 5}}, "MinCapacity is 5, MaxCapacity 4");
  EXPECT_EQ(Good("DescribeScalableTargets", All())["ScalableTargets"][0]["MinCapacity"], 1);
}

TEST_F(AutoscalingTest, ListsComeInPagesAndByName) {
  Register();
  Register("endpoint/e/variant/Second");
  const Json first = Good("DescribeScalableTargets", All({{"MaxResults", 1}}));
  EXPECT_EQ(first["ScalableTargets"][0]["ResourceId"], kTargetId) << "in the order of their making";
  const Json second = Good("DescribeScalableTargets", All({{"MaxResults", 1}, {"NextToken", first["NextToken"]}}));
  EXPECT_EQ(second["ScalableTargets"][0]["ResourceId"], "endpoint/e/variant/Second");
  EXPECT_FALSE(second.contains("NextToken"));
  const Json named = All({{"ResourceIds", {"endpoint/e/variant/Second", "endpoint/e/variant/Third"}}});
  EXPECT_EQ(Good("DescribeScalableTargets", named)["ScalableTargets"].size(), 1U);
  Bad("DescribeScalableTargets", All({{"ResourceIds", Json::array({"Second"})}}), "ValidationException", "'Second'");
  Bad("DescribeScalableTargets", All({{"NextToken", "none"}}), "InvalidNextTokenException", "token");
  Bad("DescribeScalableTargets", All({{"MaxResults", 51}}), "ValidationException", "maxResults");
  for (const char* operation : {"DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions",
                                "DescribeScalingActivities"}) {
    Bad(operation, All({{"ScalableDimension", catalog::kScalingDimension}}), "ValidationException", "resource ID");
  }
}

TEST_F(AutoscalingTest, WithATargetGoesAllThatIsItsOwn) {
  Register();
  Register("endpoint/e/variant/Second");
  Good("PutScalingPolicy", Policy("p"));
  Good("PutScheduledAction", Action("a"));
  Json other = Policy("p");
  other["ResourceId"] = "endpoint/e/variant/Second";
  Good("PutScalingPolicy", other);
  Good("DeregisterScalableTarget", Of());
  EXPECT_EQ(Count(Kind::kScheduledAction), 0U);
  const Json left = Good("DescribeScalingPolicies", All())["ScalingPolicies"];
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0]["ResourceId"], "endpoint/e/variant/Second");
}

TEST_F(AutoscalingTest, AChangeThatIsUnderWayWhenItsTargetGoesIsEnded) {
  Register();
  catalog::ScalingActivity activity;
  activity.uid = "act";
  activity.resource_id = kTargetId;
  activity.status = "InProgress";
  catalog::ScalableTarget target = *catalog::ScalableTarget::FromResource(Target());
  target.state.activity = activity.uid;
  catalog::Transaction transaction;
  transaction.inserts.push_back({activity.ToResource()});
  transaction.updates.push_back({.uid = target.uid, .state = target.StateJson()});
  Commit(std::move(transaction));
  Good("DeregisterScalableTarget", Of());
  const Json told = Good("DescribeScalingActivities", Of())["ScalingActivities"][0];
  EXPECT_EQ(told["StatusCode"], "Overridden");
  EXPECT_EQ(told["StatusMessage"], "The scalable target was deregistered.");
  EXPECT_TRUE(told.contains("EndTime"));
}

TEST_F(AutoscalingTest, WhoComesBetweenIsNotOverwritten) {
  Register();
  interposed_->before_commit = [this] { Good("RegisterScalableTarget", Of({{"MinCapacity", 2}})); };
  Good("RegisterScalableTarget", Of({{"MaxCapacity", 8}}));
  const Json shown = Good("DescribeScalableTargets", All())["ScalableTargets"][0];
  EXPECT_EQ(shown["MinCapacity"], 2);
  EXPECT_EQ(shown["MaxCapacity"], 8);
}

TEST_F(AutoscalingTest, OfTwoThatRegisterAtOnceTheSecondChangesWhatTheFirstMade) {
  interposed_->before_commit = [this] { Register(); };
  Good("RegisterScalableTarget", Of({{"MinCapacity", 2}, {"MaxCapacity", 9}}));
  EXPECT_EQ(Count(Kind::kScalableTarget), 1U);
  EXPECT_EQ(Good("DescribeScalableTargets", All())["ScalableTargets"][0]["MaxCapacity"], 9);
}

TEST_F(AutoscalingTest, WhereOthersComeBetweenEachTimeItIsSaid) {
  Register();
  int rounds = 0;
  std::function<void()> between = [&] {
    ++rounds;
    TouchTarget();
    interposed_->before_commit = between;
  };
  interposed_->before_commit = between;
  Bad("RegisterScalableTarget", Of({{"MaxCapacity", 8}}), "ConcurrentUpdateException", "try again");
  EXPECT_EQ(rounds, kUpdateAttemptsMax);
}

TEST_F(AutoscalingTest, TagsAreGivenAddedListedAndRemoved) {
  const std::string arn =
      Good("RegisterScalableTarget", Of({{"MinCapacity", 1}, {"MaxCapacity", 2}, {"Tags", {{"team", "a"}}}}))
          .value("ScalableTargetARN", "");
  const auto tags = [&] { return Good("ListTagsForResource", {{"ResourceARN", arn}})["Tags"]; };
  EXPECT_EQ(tags(), (Json{{"team", "a"}}));
  Good("TagResource", {{"ResourceARN", arn}, {"Tags", {{"team", "b"}, {"cost", ""}}}});
  EXPECT_EQ(tags(), (Json{{"team", "b"}, {"cost", ""}}));
  Good("RegisterScalableTarget", Of({{"Tags", {{"stage", "x"}}}}));
  Good("UntagResource", {{"ResourceARN", arn}, {"TagKeys", {"team", "unknown"}}});
  EXPECT_EQ(tags(), (Json{{"cost", ""}, {"stage", "x"}}));
  Json many = Json::object();
  for (int i = 0; i < 49; ++i) many["k" + std::to_string(i)] = "v";
  Bad("TagResource", {{"ResourceARN", arn}, {"Tags", many}}, "TooManyTagsException", "at most 50");
  interposed_->before_commit = [&] {
    Good("UntagResource", {{"ResourceARN", arn}, {"TagKeys", Json::array({"cost"})}});
  };
  Good("TagResource", {{"ResourceARN", arn}, {"Tags", {{"late", "1"}}}});
  EXPECT_EQ(tags(), (Json{{"late", "1"}, {"stage", "x"}}));
}

TEST_F(AutoscalingTest, OnlyTargetsHaveTags) {
  const std::string arn = Register();
  for (const std::string& none : {arn + "x", std::string("arn:aws:sagemaker:us-east-1:000000000000:endpoint/e"),
                                  arn.substr(0, arn.find('/') + 1) + "e-uid"}) {
    Bad("ListTagsForResource", {{"ResourceARN", none}}, "ResourceNotFoundException", none);
    Bad("TagResource", {{"ResourceARN", none}, {"Tags", {{"a", "b"}}}}, "ResourceNotFoundException", none);
    Bad("UntagResource", {{"ResourceARN", none}, {"TagKeys", Json::array({"a"})}}, "ResourceNotFoundException", none);
  }
}

TEST_F(AutoscalingTest, ActivitiesAreToldNewestFirstAndWhatWasNotScaledOnlyWhenAskedFor) {
  catalog::Transaction transaction;
  for (int i = 0; i < 3; ++i) {
    catalog::ScalingActivity activity;
    activity.uid = "activity-" + std::to_string(i);
    activity.resource_id = i == 1 ? "endpoint/e/variant/Second" : kTargetId;
    activity.cause = "cause " + std::to_string(i);
    activity.start = clock_.Now();
    activity.status = i == 2 ? "Unfulfilled" : "InProgress";
    if (i == 2) activity.not_scaled_code = "AlreadyAtMaxCapacity", activity.end = clock_.Now();
    activity.min_capacity = 1, activity.max_capacity = activity.current_capacity = 4;
    transaction.inserts.push_back({activity.ToResource()});
  }
  Commit(std::move(transaction));
  const auto told = [this](const Json& request) {
    std::string ids;
    const Json answer = Good("DescribeScalingActivities", request);
    for (const Json& one : answer["ScalingActivities"]) ids += one["ActivityId"].get<std::string>().back();
    return ids;
  };
  EXPECT_EQ(told(All()), "10");
  EXPECT_EQ(told(Of()), "0");
  EXPECT_EQ(told(All({{"IncludeNotScaledActivities", true}})), "210");
  const Json page = Good("DescribeScalingActivities", All({{"IncludeNotScaledActivities", true}, {"MaxResults", 1}}));
  EXPECT_EQ(page["ScalingActivities"][0]["NotScaledReasons"],
            Json::array(
                {{{"Code", "AlreadyAtMaxCapacity"}, {"MaxCapacity", 4}, {"MinCapacity", 1}, {"CurrentCapacity", 4}}}));
  EXPECT_TRUE(page["ScalingActivities"][0].contains("EndTime"));
  EXPECT_EQ(told(All({{"NextToken", page["NextToken"]}})), "10");
  Bad("DescribeScalingActivities", All({{"ResourceId", "e"}}), "ValidationException", "'e'");
}

}  // namespace
}  // namespace argosy::api
