#include "api/autoscaling/autoscaling_fixture.h"

namespace argosy::api {
namespace {

class PoliciesTest : public AutoscalingTest {
 protected:
  PoliciesTest() { Register(); }

  static Json Steps(const Json& configuration) {
    return Of({{"PolicyName", "p"}, {"StepScalingPolicyConfiguration", configuration}});
  }
  static Json Step(std::optional<double> lower, std::optional<double> upper) {
    Json step = {{"ScalingAdjustment", 1}};
    if (lower) step["MetricIntervalLowerBound"] = *lower;
    if (upper) step["MetricIntervalUpperBound"] = *upper;
    return step;
  }
  static Json Tracks(const Json& configuration) {
    return Of({{"PolicyName", "p"},
               {"PolicyType", "TargetTrackingScaling"},
               {"TargetTrackingScalingPolicyConfiguration", configuration}});
  }
  static Json Predicts(const Json& configuration) {
    return Of({{"PolicyName", "p"},
               {"PolicyType", "PredictiveScaling"},
               {"PredictiveScalingPolicyConfiguration", configuration}});
  }
  void Refused(const Json& request, const std::string& message) {
    Bad("PutScalingPolicy", request, "ValidationException", message);
  }
};

TEST_F(PoliciesTest, APolicyIsPutReplacedDescribedAndDeleted) {
  const Json made = Good("PutScalingPolicy", Policy("p"));
  const std::string arn = made["PolicyARN"];
  EXPECT_EQ(arn.find("arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:"), 0U);
  EXPECT_TRUE(arn.ends_with(std::string(":resource/sagemaker/") + kTargetId + ":policyName/p")) << arn;
  EXPECT_EQ(made["Alarms"].size(), 2U);
  Json quiet = Policy("p", 50);
  quiet["TargetTrackingScalingPolicyConfiguration"]["DisableScaleIn"] = true;
  const Json again = Good("PutScalingPolicy", quiet);
  EXPECT_EQ(again["PolicyARN"], arn);
  EXPECT_EQ(again["Alarms"].size(), 1U) << "nothing watches for too little load";
  const Json policies = Good("DescribeScalingPolicies", All())["ScalingPolicies"];
  ASSERT_EQ(policies.size(), 1U);
  EXPECT_EQ(policies[0]["TargetTrackingScalingPolicyConfiguration"], quiet["TargetTrackingScalingPolicyConfiguration"]);
  EXPECT_EQ(policies[0]["Alarms"], again["Alarms"]);
  EXPECT_EQ(policies[0]["PolicyType"], "TargetTrackingScaling");
  EXPECT_TRUE(policies[0].contains("CreationTime"));
  Good("DeleteScalingPolicy", Of({{"PolicyName", "p"}}));
  Bad("DeleteScalingPolicy", Of({{"PolicyName", "p"}}), "ObjectNotFoundException", "policy name: p");
  Bad("DeleteScalingPolicy", OfVariant("e", {{"PolicyName", "p"}}), "ValidationException", "'e'");
}

TEST_F(PoliciesTest, WithoutATypeItIsStepScaling) {
  const Json configuration = {{"AdjustmentType", "PercentChangeInCapacity"},
                              {"StepAdjustments", Json::array({Step(0, 10), Step(10, {})})},
                              {"MinAdjustmentMagnitude", 1},
                              {"Cooldown", 60},
                              {"MetricAggregationType", "Maximum"}};
  EXPECT_TRUE(Good("PutScalingPolicy", Steps(configuration))["Alarms"].empty()) << "its alarms are the user's";
  const Json shown = Good("DescribeScalingPolicies", All())["ScalingPolicies"][0];
  EXPECT_EQ(shown["PolicyType"], "StepScaling");
  EXPECT_EQ(shown["StepScalingPolicyConfiguration"], configuration);
}

TEST_F(PoliciesTest, AStepPolicyHasTheAlarmsThatNameIt) {
  const Json steps = {{"AdjustmentType", "ChangeInCapacity"}, {"StepAdjustments", Json::array({Step(0, {})})}};
  const std::string arn = Good("PutScalingPolicy", Steps(steps))["PolicyARN"];
  catalog::Transaction transaction;
  for (const char* name : {"busy", "also-busy", "of-another", "calm"}) {
    const Json actions = Json::array({name == std::string("of-another") ? arn + "2" : arn});
    catalog::Resource r;
    r.kind = Kind::kAlarm;
    r.name = name;
    r.uid = std::string(name) + "-uid";
    r.created = r.modified = clock_.Now();
    r.spec = Json{{name == std::string("calm") ? "OKActions" : "AlarmActions", actions}}.dump();
    r.state = "{}";
    transaction.inserts.push_back({std::move(r)});
  }
  Commit(std::move(transaction));
  const std::string prefix = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:";
  const Json alarms = Json::array({{{"AlarmName", "also-busy"}, {"AlarmARN", prefix + "also-busy"}},
                                   {{"AlarmName", "busy"}, {"AlarmARN", prefix + "busy"}}});
  EXPECT_EQ(Good("DescribeScalingPolicies", All())["ScalingPolicies"][0]["Alarms"], alarms);
  EXPECT_EQ(Good("PutScalingPolicy", Steps(steps))["Alarms"], alarms);
}

TEST_F(PoliciesTest, ListsAreOfATargetByNameAndInPages) {
  Register("endpoint/e/variant/Second");
  for (const char* name : {"a", "b", "c"}) Good("PutScalingPolicy", Policy(name));
  Json other = Policy("a");
  other["ResourceId"] = "endpoint/e/variant/Second";
  Good("PutScalingPolicy", other);
  const auto names = [this](const Json& request) {
    std::string text;
    const Json answer = Good("DescribeScalingPolicies", request);
    for (const Json& policy : answer["ScalingPolicies"]) text += policy["PolicyName"].get<std::string>();
    return text;
  };
  EXPECT_EQ(names(All()), "abca");
  EXPECT_EQ(names(Of()), "abc");
  EXPECT_EQ(names(Of({{"PolicyNames", {"b", "none"}}})), "b");
  EXPECT_EQ(names(OfVariant("endpoint/none/variant/v")), "");
  const Json page = Good("DescribeScalingPolicies", Of({{"MaxResults", 2}}));
  EXPECT_EQ(names(Of({{"MaxResults", 2}, {"NextToken", page["NextToken"]}})), "c");
  Bad("DescribeScalingPolicies", Of({{"NextToken", "?"}}), "InvalidNextTokenException", "token");
  Bad("DescribeScalingPolicies", OfVariant("none"), "ValidationException", "'none'");
}

TEST_F(PoliciesTest, ATypeHasItsConfigurationAndNoOther) {
  const Json tracking = Policy("p")["TargetTrackingScalingPolicyConfiguration"];
  Refused(Of({{"PolicyName", "p"}}), "StepScaling needs StepScalingPolicyConfiguration");
  Refused(Of({{"PolicyName", "p"}, {"TargetTrackingScalingPolicyConfiguration", tracking}}),
          "StepScaling needs StepScalingPolicyConfiguration");
  Json both = Policy("p");
  both["StepScalingPolicyConfiguration"] = {{"AdjustmentType", "ExactCapacity"}};
  Refused(both, "needs TargetTrackingScalingPolicyConfiguration and no other");
  Refused(Of({{"PolicyName", "p"}, {"PolicyType", "PredictiveScaling"}}), "PredictiveScalingPolicyConfiguration");
}

TEST_F(PoliciesTest, WhatCannotBeTrackedIsRefused) {
  const Json predefined = {{"PredefinedMetricType", "SageMakerVariantInvocationsPerInstance"}};
  const Json custom = {{"MetricName", "m"}, {"Namespace", "n"}, {"Statistic", "Sum"}};
  const auto refused = [&](Json configuration, const std::string& message) {
    configuration.emplace("TargetValue", 1.0);
    Refused(Tracks(configuration), message);
  };
  refused({{"TargetValue", 0}, {"PredefinedMetricSpecification", predefined}}, "greater than 0");
  refused({{"TargetValue", -1}, {"PredefinedMetricSpecification", predefined}}, "greater than 0");
  refused(Json::object(), "Exactly one of");
  refused({{"PredefinedMetricSpecification", predefined}, {"CustomizedMetricSpecification", custom}}, "Exactly one of");
  refused({{"PredefinedMetricSpecification", {{"PredefinedMetricType", "ALBRequestCountPerTarget"}}}}, "ALBRequest");
  refused({{"CustomizedMetricSpecification", {{"Metrics", Json::array({{{"Id", "a"}}})}}}}, "metric math");
  refused({{"PredefinedMetricSpecification", predefined}, {"ScaleInCooldown", -1}}, "scaleInCooldown");
  for (const char* member : {"MetricName", "Namespace", "Statistic"}) {
    Json less = custom;
    less.erase(member);
    refused({{"CustomizedMetricSpecification", less}}, std::string("needs ") + member);
  }
  Good("PutScalingPolicy", Tracks({{"TargetValue", 1.5}, {"CustomizedMetricSpecification", custom}}));
}

TEST_F(PoliciesTest, AMetricIsFollowedByOnePolicyOfATarget) {
  const auto follows = [](const std::string& name, const std::string& metric) {
    Json request = Tracks({{"TargetValue", 10}, {"PredefinedMetricSpecification", {{"PredefinedMetricType", metric}}}});
    request["PolicyName"] = name;
    return request;
  };
  Good("PutScalingPolicy", follows("a", "SageMakerVariantInvocationsPerInstance"));
  Good("PutScalingPolicy", follows("a", "SageMakerVariantInvocationsPerInstance"));
  Refused(follows("b", "SageMakerVariantInvocationsPerInstance"), "policy 'a' has it already");
  Good("PutScalingPolicy", follows("b", "SageMakerVariantConcurrentRequestsPerModelHighResolution"));
  Register("endpoint/e/variant/Second");
  Json other = follows("a", "SageMakerVariantInvocationsPerInstance");
  other["ResourceId"] = "endpoint/e/variant/Second";
  Good("PutScalingPolicy", other);
}

TEST_F(PoliciesTest, StepsCoverARangeWithoutGapOrOverlap) {
  const auto refused = [this](const Json& steps, const std::string& message) {
    Refused(Steps({{"AdjustmentType", "ChangeInCapacity"}, {"StepAdjustments", steps}}), message);
  };
  refused(Json::array(), "at least one step");
  refused(Json::array({Step(0, 5), Step(6, {})}), "one ends at 5.000000, the next begins at 6.000000");
  refused(Json::array({Step(0, 5), Step(4, {})}), "not overlap");
  refused(Json::array({Step({}, 0), Step({}, 5)}), "not overlap");
  refused(Json::array({Step(5, 5)}), "less than its upper bound");
  refused(Json::array({Step({}, 0), Step({}, {})}), "at least one bound");
  Json many = Json::array();
  for (int i = 0; i < 21; ++i) many.push_back(Step(i, i + 1));
  refused(many, "less than or equal to 20");
  Refused(Steps({{"StepAdjustments", Json::array({Step(0, {})})}}), "needs an AdjustmentType");
  Refused(Steps({{"AdjustmentType", "ExactCapacity"},
                 {"StepAdjustments", Json::array({Step(0, {})})},
                 {"MinAdjustmentMagnitude", 2}}),
          "only for the AdjustmentType PercentChangeInCapacity");
  // In any order, and one may have no bounds.
  for (const Json& steps : {Json::array({Step(5, {}), Step({}, 0), Step(0, 5)}), Json::array({Step({}, {})})}) {
    Good("PutScalingPolicy", Steps({{"AdjustmentType", "ChangeInCapacity"}, {"StepAdjustments", steps}}));
  }
}

TEST_F(PoliciesTest, WhatIsNotPredictedIsRefused) {
  const Json pair = {{"PredefinedMetricType", "SageMakerVariantInvocations"}};
  const Json metric = {{"TargetValue", 60}, {"PredefinedMetricPairSpecification", pair}};
  const auto with = [](const Json& one, const Json& more = {{"Mode", "ForecastAndScale"}}) {
    Json configuration = {{"MetricSpecifications", Json::array({one})}};
    configuration.update(more);
    return Predicts(configuration);
  };
  Refused(with(metric, Json::object()), "no Mode 'ForecastOnly'");
  Refused(with(metric, {{"Mode", "ForecastOnly"}}), "ForecastOnly");
  Refused(with({{"TargetValue", 0}, {"PredefinedMetricPairSpecification", pair}}), "greater than 0");
  Refused(with({{"TargetValue", 1}}), "needs a PredefinedMetricPairSpecification");
  Refused(with({{"TargetValue", 1},
                {"CustomizedLoadMetricSpecification", {{"MetricDataQueries", Json::array({{{"Id", "a"}}})}}}}),
          "another metric");
  Refused(with(metric, {{"Mode", "ForecastAndScale"}, {"SchedulingBufferTime", 3601}}), "schedulingBufferTime");
  Refused(Predicts({{"MetricSpecifications", Json::array()}}), "metricSpecifications");
  Refused(with(metric, {{"Mode", "ForecastAndScale"}, {"MaxCapacityBreachBehavior", "IncreaseMaxCapacity"}}),
          "IncreaseMaxCapacity");
  Good("PutScalingPolicy", with(metric, {{"Mode", "ForecastAndScale"}, {"SchedulingBufferTime", 300}}));
}

TEST_F(PoliciesTest, APolicyNeedsItsTarget) {
  Json other = Policy("p");
  other["ResourceId"] = "endpoint/e/variant/Second";
  Bad("PutScalingPolicy", other, "ObjectNotFoundException", "endpoint/e/variant/Second");
  other["ResourceId"] = "e";
  Refused(other, "'e'");
}

TEST_F(PoliciesTest, ATargetHasAtMostFifty) {
  for (int i = 0; i < 50; ++i) Good("PutScalingPolicy", Policy("p" + std::to_string(i)));
  Bad("PutScalingPolicy", Policy("one-more"), "LimitExceededException", "at most 50 scaling policies");
  Good("PutScalingPolicy", Policy("p7", 7));
}

TEST_F(PoliciesTest, OneThatIsPutWhileItsTargetGoesIsNotLeftBehind) {
  interposed_->before_commit = [this] { Good("DeregisterScalableTarget", Of()); };
  Bad("PutScalingPolicy", Policy("p"), "ObjectNotFoundException", kTargetId);
  EXPECT_EQ(Count(Kind::kScalingPolicy), 0U);
  Register();
  interposed_->before_commit = [this] { Good("PutScalingPolicy", Policy("p")); };
  Good("DeregisterScalableTarget", Of());
  EXPECT_EQ(Count(Kind::kScalingPolicy), 0U);
}

TEST_F(PoliciesTest, TwoThatPutOneNameAtOnceMakeOnePolicy) {
  interposed_->before_commit = [this] { Good("PutScalingPolicy", Policy("p", 1)); };
  Good("PutScalingPolicy", Policy("p", 2));
  const Json shown = Good("DescribeScalingPolicies", All())["ScalingPolicies"];
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"], 2.0);
}

}  // namespace
}  // namespace argosy::api
