#include "catalog/deployment.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace argosy::catalog {
namespace {

Result<DeploymentConfig> Read(const std::string& text) {
  return DeploymentConfig::FromRequest(*ParseJson(text));
}

std::string Routing(const std::string& members) {
  return R"({"BlueGreenUpdatePolicy":{"TrafficRoutingConfiguration":{)" + members + "}}}";
}

TEST(DeploymentConfig, IsAllAtOnceUnlessOtherwiseSaid) {
  const DeploymentConfig config = *Read("{}");
  EXPECT_EQ(config.routing, TrafficRouting::kAllAtOnce);
  EXPECT_EQ(config.wait_seconds, 0U);
  EXPECT_EQ(config.timeout_seconds, 0U);
}

TEST(DeploymentConfig, SurvivesStoring) {
  Deployment deployment;
  deployment.config = *Read(
      R"({"BlueGreenUpdatePolicy":{"TrafficRoutingConfiguration":{"Type":"CANARY","WaitIntervalInSeconds":7,
          "CanarySize":{"Type":"INSTANCE_COUNT","Value":3}},"TerminationWaitInSeconds":8,
          "MaximumExecutionTimeoutInSeconds":900},"AutoRollbackConfiguration":{"Alarms":[{"AlarmName":"a"}]}})");
  deployment.share = 30;
  deployment.stepped_at = Time(std::chrono::seconds(5));
  const Deployment again = DeploymentFromJson(DeploymentToJson(deployment));
  EXPECT_EQ(DeploymentToJson(again), DeploymentToJson(deployment));
  EXPECT_EQ(again.config.routing, TrafficRouting::kCanary);
  EXPECT_EQ(again.config.step.value, 3U);
  EXPECT_EQ(again.config.alarms, std::vector<std::string>{"a"});
  EXPECT_EQ(again.config.timeout_seconds, 900U);
  EXPECT_EQ(again.stepped_at, deployment.stepped_at);
}

TEST(DeploymentConfig, RulesBetweenMembersAreSaid) {
  const auto fault = [](const std::string& members) {
    const Result<DeploymentConfig> config = Read(Routing(members));
    return config.ok() ? std::string() : config.error().message();
  };
  const std::string wait = R"(,"WaitIntervalInSeconds":0)";
  const std::string half = R"({"Type":"CAPACITY_PERCENT","Value":50})";
  const std::string most = R"({"Type":"CAPACITY_PERCENT","Value":51})";
  EXPECT_EQ(fault(R"("Type":"CANARY","CanarySize":)" + half + wait), "");
  EXPECT_EQ(fault(R"("Type":"LINEAR","LinearStepSize":)" + half + wait), "");
  EXPECT_NE(fault(R"("Type":"CANARY")" + wait).find("CanarySize is required"), std::string::npos);
  EXPECT_NE(fault(R"("Type":"LINEAR")" + wait).find("LinearStepSize is required"), std::string::npos);
  EXPECT_NE(fault(R"("Type":"CANARY","CanarySize":)" + most + wait).find("between 1 and 50; it is 51"),
            std::string::npos);
  EXPECT_NE(fault(R"("Type":"ALL_AT_ONCE","CanarySize":)" + half + wait).find("only for"), std::string::npos);
  EXPECT_NE(fault(R"("Type":"CANARY","CanarySize":)" + half + R"(,"LinearStepSize":)" + half + wait).find("only for"),
            std::string::npos);
  EXPECT_FALSE(Read(R"({"BlueGreenUpdatePolicy":{},"RollingUpdatePolicy":{}})").ok());
}

TEST(DeploymentConfig, AStepInInstancesIsHeldToItsShareOfTheFleet) {
  const auto fault = [](TrafficRouting routing, uint32_t value, uint32_t instances) {
    DeploymentConfig config;
    config.routing = routing;
    config.step = {CapacitySize::Type::kInstanceCount, value};
    const Status fits = config.CheckFleet(instances);
    return fits.ok() ? std::string() : fits.error().message();
  };
  for (const TrafficRouting routing : {TrafficRouting::kCanary, TrafficRouting::kLinear, TrafficRouting::kRolling}) {
    for (const uint32_t instances : {0U, 1U, 2U, 3U}) {
      EXPECT_EQ(fault(routing, 1, instances), "");
      EXPECT_NE(fault(routing, 2, instances), "");
    }
    EXPECT_EQ(fault(routing, 2, 4), "");
    EXPECT_NE(fault(routing, 3, 4), "");
  }
  EXPECT_EQ(fault(TrafficRouting::kCanary, 4, 4),
            "CanarySize of type INSTANCE_COUNT must be between 1 and 50 % of the 4 instances that the endpoint is to "
            "have, which is 1 to 2; it is 4");
  EXPECT_NE(fault(TrafficRouting::kLinear, 1, 11).find("which is 2 to 5; it is 1"), std::string::npos);
  EXPECT_NE(fault(TrafficRouting::kRolling, 1, 21).find("which is 2 to 10; it is 1"), std::string::npos);
  EXPECT_EQ(fault(TrafficRouting::kCanary, 1, 100), "");
  EXPECT_EQ(fault(TrafficRouting::kAllAtOnce, 100, 4), "");
}

TEST(CapacitySize, IsAtLeastOneAndAtMostAll) {
  const CapacitySize tenth{CapacitySize::Type::kCapacityPercent, 10};
  EXPECT_EQ(tenth.Instances(4), 1U);
  EXPECT_EQ(tenth.Instances(25), 3U);
  EXPECT_EQ(tenth.Percent(4), 10U);
  const CapacitySize three{CapacitySize::Type::kInstanceCount, 3};
  EXPECT_EQ(three.Instances(2), 2U);
  EXPECT_EQ(three.Percent(10), 30U);
  EXPECT_EQ(three.Percent(1), 100U);
}

}  // namespace
}  // namespace argosy::catalog
