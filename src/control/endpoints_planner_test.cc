#include "control/endpoints_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/planner_test_values.h"

namespace argosy::control {
namespace {

using compute::InstanceLife;
using protocol::AgentPhase;

catalog::VariantPlan Plan(const std::string& model, uint32_t count) {
  catalog::VariantPlan plan;
  plan.variant = {"AllTraffic", model, "ml.m5.large", count, 1.0};
  plan.model = *catalog::ModelSpec::FromRequestJson(R"({"ModelName":")" + model + R"("})");
  return plan;
}

class EndpointsPlannerTest : public ::testing::Test {
 protected:
  EndpointsPlannerTest() {
    endpoint_.uid = "u1";
    endpoint_.name = "e";
    endpoint_.version = 1;
    endpoint_.state.requested_config = "c0";
    endpoint_.state.requested_variants = {Plan("m0", 2)};
    facts_.capacity = {.memory_total_bytes = 64 * kGib,
                       .memory_free_bytes = 64 * kGib,
                       .cpus = 2,
                       .hosts_free = 100,
                       .hosts_total = 100};
  }

  std::vector<EndpointAction> PlanAt(double now) {
    EndpointPolicy policy{{"us-east-1", "000000000000", "", "objects"}, {}};
    for (size_t i = FreshIdsNeeded(endpoint_.state); i > 0; --i)
      policy.fresh_ids.push_back("i-" + std::to_string(++ids_));
    return PlanEndpoint(endpoint_, facts_, policy, At(now));
  }

  template <class Action>
  static std::vector<Action> All(const std::vector<EndpointAction>& actions) {
    std::vector<Action> found;
    for (const EndpointAction& action : actions) {
      if (const auto* a = std::get_if<Action>(&action)) found.push_back(*a);
    }
    return found;
  }

  SaveEndpoint PlanAndSave(double now) {
    const auto saves = All<SaveEndpoint>(PlanAt(now));
    EXPECT_EQ(saves.size(), 1U) << "one save was expected";
    if (saves.empty()) return {};
    for (const auto& entry : saves[0].open) facts_.instances[entry.instance_id].ledger = entry;
    for (const auto& [id, close] : saves[0].close) facts_.instances.erase(id);
    endpoint_.state = saves[0].state;
    return saves[0];
  }

  void Run(const std::string& id, double started, AgentPhase phase = AgentPhase::kReady) {
    protocol::Report report;
    report.phase = phase;
    facts_.instances[id].instance = compute::InstanceView{.instance_id = id,
                                                          .life = InstanceLife::kRunning,
                                                          .started = At(started),
                                                          .report = report,
                                                          .address = "at-" + id};
  }
  void Answer(const std::string& id, double at) { facts_.instances[id].answered_at = At(at); }
  void Lose(const std::string& id, double ended) {
    facts_.instances[id].instance->life = InstanceLife::kGone;
    facts_.instances[id].instance->ended = At(ended);
    facts_.instances[id].instance->gone_reason = "killed";
  }

  // Both instances of c0 answer: i-1 and i-2.
  void InService() {
    PlanAndSave(0);
    for (const auto& instance : endpoint_.state.next->instances) {
      Run(instance.instance_id, 1);
      Answer(instance.instance_id, 2);
    }
    PlanAndSave(2);
    ASSERT_EQ(endpoint_.state.status, "InService");
  }
  std::vector<std::string> Ids(const std::vector<catalog::EndpointInstance>& instances) {
    std::vector<std::string> ids;
    for (const auto& i : instances) ids.push_back(i.instance_id);
    return ids;
  }

  EndpointView endpoint_;
  EndpointFacts facts_;
  int ids_ = 0;
};

TEST_F(EndpointsPlannerTest, ARequestBecomesAFleetWithOpenLedgerEntriesBeforeAnythingStarts) {
  const auto first = PlanAt(0);
  EXPECT_EQ(All<StartServing>(first).size(), 0U);
  ids_ = 0;
  const SaveEndpoint save = PlanAndSave(0);
  ASSERT_EQ(save.open.size(), 2U);
  EXPECT_EQ(save.open[0].nano_dollars_per_hour,
            cost::FindInstanceType(save.open[0].instance_type)->nano_dollars_per_hour);
  EXPECT_EQ(save.state.next->config_name, "c0");
  EXPECT_TRUE(save.state.requested_config.empty());
  const auto starts = All<StartServing>(PlanAt(0));
  ASSERT_EQ(starts.size(), 2U);
  EXPECT_EQ(starts[0].assignment.model->model_name, "m0");
  EXPECT_EQ(starts[0].assignment.log_group, "/aws/sagemaker/Endpoints/e");
}

class DeploymentTest : public EndpointsPlannerTest {
 protected:
  // An endpoint in service is updated to c1; its new instances (i-…) answer at 10.
  void Update(const std::string& deployment) {
    InService();
    endpoint_.state.status = "Updating";
    endpoint_.state.requested_config = "c1";
    endpoint_.state.requested_variants = {Plan("m1", 2)};
    endpoint_.state.deployment_request = deployment;
    old_ = Ids(endpoint_.state.current->instances);
    PlanAndSave(9);
    new_ = Ids(endpoint_.state.next->instances);
    for (const std::string& id : new_) {
      Run(id, 9);
      Answer(id, 10);
    }
  }
  // Plans until nothing more is to be saved.
  void Settle(double now) {
    while (!All<SaveEndpoint>(PlanAt(now)).empty()) PlanAndSave(now);
  }
  // Weights of the old fleet and of the new one in the route.
  std::pair<double, double> Shares(double now) {
    const auto route = All<SetEndpointRoute>(PlanAt(now)).at(0).route;
    std::pair<double, double> shares{0, 0};
    for (const serving::RouteVariant& variant : route->variants) {
      const bool is_new = std::find(new_.begin(), new_.end(), variant.instances.at(0).instance_id) != new_.end();
      (is_new ? shares.second : shares.first) += variant.weight;
    }
    return shares;
  }
  bool WakesAt(double now, double at) {
    for (const WakeAt& wake : All<WakeAt>(PlanAt(now))) {
      if (wake.at == At(at)) return true;
    }
    return false;
  }

  static constexpr const char* kCanary =
      R"({"BlueGreenUpdatePolicy":{"TrafficRoutingConfiguration":{"Type":"CANARY","WaitIntervalInSeconds":60,)"
      R"("CanarySize":{"Type":"CAPACITY_PERCENT","Value":10}},"TerminationWaitInSeconds":30,)"
      R"("MaximumExecutionTimeoutInSeconds":600},"AutoRollbackConfiguration":{"Alarms":[{"AlarmName":"errors"}]}})";

  std::vector<std::string> old_, new_;
};

TEST_F(DeploymentTest, ACanaryGetsItsShareBakesAndThenAll) {
  Update(kCanary);
  Settle(10);
  EXPECT_EQ(endpoint_.state.status, "Updating");
  EXPECT_EQ(Shares(10), std::pair(90.0, 10.0));
  EXPECT_TRUE(WakesAt(10, 70));
  EXPECT_TRUE(All<SaveEndpoint>(PlanAt(69)).empty()) << "nothing before its time";
  Settle(70);
  EXPECT_EQ(Shares(70).first, 0);
  EXPECT_EQ(endpoint_.state.status, "Updating") << "the old fleet stays while the new one bakes";
  EXPECT_TRUE(All<KillInstance>(PlanAt(159)).empty());
  EXPECT_TRUE(WakesAt(71, 160)) << "60 s of baking and 30 s before the old fleet ends";
  PlanAndSave(160);
  EXPECT_EQ(endpoint_.state.status, "InService");
  EXPECT_EQ(endpoint_.state.current->config_name, "c1");
  EXPECT_EQ(All<DrainInstance>(PlanAt(160)).size(), 2U);
  EXPECT_FALSE(endpoint_.state.deployment.has_value());
}

TEST_F(DeploymentTest, LinearTakesEqualSteps) {
  Update(R"({"BlueGreenUpdatePolicy":{"TrafficRoutingConfiguration":{"Type":"LINEAR","WaitIntervalInSeconds":10,)"
         R"("LinearStepSize":{"Type":"INSTANCE_COUNT","Value":1}}}})");
  Settle(10);
  EXPECT_EQ(Shares(10), std::pair(50.0, 50.0)) << "one of two instances";
  Settle(20);
  EXPECT_EQ(Shares(20).first, 0);
  Settle(30);
  EXPECT_EQ(endpoint_.state.status, "InService");
}

TEST_F(DeploymentTest, AllAtOnceWithoutAnyWaitIsOneCommit) {
  Update("");
  Settle(10);
  EXPECT_EQ(endpoint_.state.status, "InService");
  EXPECT_EQ(endpoint_.state.current->config_name, "c1");
}

TEST_F(DeploymentTest, AnAlarmBringsAllTrafficBack) {
  Update(kCanary);
  Settle(10);
  facts_.alarms = {"another"};
  EXPECT_TRUE(All<SaveEndpoint>(PlanAt(20)).empty());
  facts_.alarms = {"another", "errors"};
  PlanAndSave(20);
  EXPECT_EQ(endpoint_.state.status, "InService");
  EXPECT_EQ(endpoint_.state.current->config_name, "c0");
  EXPECT_NE(endpoint_.state.failure_reason.find("'errors'"), std::string::npos);
  EXPECT_EQ(Shares(20).second, 0);
  EXPECT_EQ(All<DrainInstance>(PlanAt(20)).size(), 2U) << "the new fleet ends";
}

TEST_F(DeploymentTest, AnAlarmBringsTrafficBackAlsoWhileAllOfItBakes) {
  Update(kCanary);
  Settle(10);
  Settle(70);
  ASSERT_EQ(Shares(70).first, 0);
  facts_.alarms = {"errors"};
  PlanAndSave(100);
  EXPECT_EQ(endpoint_.state.current->config_name, "c0");
  EXPECT_EQ(Shares(100).second, 0);
  EXPECT_GT(Shares(100).first, 0);
}

TEST_F(DeploymentTest, OneThatTakesTooLongIsRolledBack) {
  Update(kCanary);
  for (const std::string& id : new_) facts_.instances[id].answered_at.reset();
  EXPECT_TRUE(WakesAt(10, 609));
  PlanAndSave(609);
  EXPECT_EQ(endpoint_.state.status, "InService");
  EXPECT_EQ(endpoint_.state.current->config_name, "c0");
  EXPECT_NE(endpoint_.state.failure_reason.find("600 seconds"), std::string::npos);
}

class RollingTest : public DeploymentTest {
 protected:
  // Two old instances, one new one at a time.
  void Roll() {
    Update(R"({"RollingUpdatePolicy":{"MaximumBatchSize":{"Type":"INSTANCE_COUNT","Value":1},)"
           R"("WaitIntervalInSeconds":10},"AutoRollbackConfiguration":{"Alarms":[{"AlarmName":"errors"}]}})");
  }
};

TEST_F(RollingTest, NewInstancesTakeThePlaceOfOldOnesBatchByBatch) {
  Roll();
  EXPECT_EQ(new_.size(), 1U) << "no more than the batch beside the old fleet";
  Settle(10);
  EXPECT_EQ(Shares(10), std::pair(50.0, 50.0));
  EXPECT_EQ(endpoint_.state.current->instances.size(), 1U);
  EXPECT_TRUE(All<SaveEndpoint>(PlanAt(19)).empty());
  PlanAndSave(20);
  ASSERT_EQ(endpoint_.state.next->instances.size(), 2U);
  const std::string second = endpoint_.state.next->instances[1].instance_id;
  EXPECT_EQ(Shares(20), std::pair(50.0, 50.0)) << "until it answers";
  Run(second, 21);
  Answer(second, 22);
  Settle(22);
  EXPECT_EQ(Shares(22).first, 0);
  EXPECT_EQ(endpoint_.state.status, "Updating");
  Settle(32);
  EXPECT_EQ(endpoint_.state.status, "InService");
  EXPECT_EQ(Ids(endpoint_.state.current->instances), (std::vector<std::string>{new_[0], second}));
  EXPECT_EQ(endpoint_.state.current->variants[0].variant.initial_instance_count, 2U);
}

TEST_F(RollingTest, AnAlarmBringsTheOldInstancesBackBeforeTheNewOnesGo) {
  Roll();
  Settle(10);
  facts_.alarms = {"errors"};
  Settle(15);
  EXPECT_EQ(endpoint_.state.status, "RollingBack");
  ASSERT_EQ(endpoint_.state.current->instances.size(), 2U);
  EXPECT_EQ(Shares(15).second, 50) << "the new instance answers until the old ones are back";
  for (const auto& instance : endpoint_.state.current->instances) {
    Run(instance.instance_id, 15);
    Answer(instance.instance_id, 16);
  }
  Settle(16);
  EXPECT_EQ(endpoint_.state.status, "InService");
  EXPECT_EQ(endpoint_.state.current->config_name, "c0");
  EXPECT_EQ(Shares(16).second, 0);
  EXPECT_NE(endpoint_.state.failure_reason.find("'errors'"), std::string::npos);
  EXPECT_FALSE(endpoint_.state.next.has_value());
}

TEST_F(RollingTest, AFirstBatchThatFailsLeavesTheOldFleetAsItIs) {
  Roll();
  facts_.alarms = {"errors"};
  Settle(10);
  EXPECT_EQ(endpoint_.state.status, "InService");
  EXPECT_EQ(Ids(endpoint_.state.current->instances), old_);
}

TEST_F(DeploymentTest, AnInstanceLostWhileBakingIsReplacedAndTheNextStepWaitsForIt) {
  Update(kCanary);
  Settle(10);
  Lose(new_[0], 30);
  PlanAndSave(30);
  const auto again = Ids(endpoint_.state.next->instances);
  EXPECT_NE(again[0], new_[0]);
  EXPECT_TRUE(All<SaveEndpoint>(PlanAt(75)).empty()) << "a step without a whole fleet";
  new_ = again;
  Run(again[0], 76);
  Answer(again[0], 77);
  Settle(77);
  EXPECT_EQ(Shares(77).first, 0);
}

TEST_F(EndpointsPlannerTest, InServiceOnlyWhenEveryInstanceHasAnsweredAPing) {
  PlanAndSave(0);
  const auto ids = Ids(endpoint_.state.next->instances);
  Run(ids[0], 1);
  Run(ids[1], 1);
  EXPECT_EQ(All<PingInstance>(PlanAt(1)).size(), 2U);
  Answer(ids[0], 2);
  EXPECT_EQ(PlanAndSave(2).state.status, "Creating");
  EXPECT_FALSE(All<SetEndpointRoute>(PlanAt(2)).at(0).route.has_value());
  Answer(ids[1], 3);
  EXPECT_EQ(PlanAndSave(3).state.status, "InService");
  const auto route = All<SetEndpointRoute>(PlanAt(3)).at(0).route;
  ASSERT_TRUE(route.has_value());
  ASSERT_EQ(route->variants.at(0).instances.size(), 2U);
  EXPECT_EQ(route->variants[0].instances[0].address, "at-" + ids[0]);
}

TEST_F(EndpointsPlannerTest, AModelThatDoesNotLoadFailsTheEndpointAtOnceWithItsReason) {
  PlanAndSave(0);
  const auto ids = Ids(endpoint_.state.next->instances);
  Run(ids[0], 1);
  Run(ids[1], 1);
  protocol::AgentOutcome outcome;
  outcome.kind = protocol::OutcomeKind::kFailed;
  outcome.failure_reason = "ClientError: torn archive";
  facts_.instances[ids[0]].instance->report->outcome = outcome;
  Lose(ids[0], 2);
  const SaveEndpoint save = PlanAndSave(2);
  EXPECT_EQ(save.state.status, "Failed");
  EXPECT_EQ(save.state.failure_reason, "ClientError: torn archive");
  EXPECT_EQ(All<KillInstance>(PlanAt(2)).size(), 1U);  // the other one does not live on
}

TEST_F(EndpointsPlannerTest, TheFirstRouteIsSetBeforeAnybodyReadsInService) {
  PlanAndSave(0);
  for (const auto& instance : endpoint_.state.next->instances) {
    Run(instance.instance_id, 1);
    Answer(instance.instance_id, 2);
  }
  const auto actions = PlanAt(2);
  ASSERT_EQ(actions.size(), 2U);
  ASSERT_TRUE(std::holds_alternative<SetEndpointRoute>(actions[0]));
  EXPECT_EQ(std::get<SetEndpointRoute>(actions[0]).route->variants[0].instances.size(), 2U);
  EXPECT_EQ(std::get<SaveEndpoint>(actions[1]).state.status, "InService");
}

TEST_F(EndpointsPlannerTest, AnInstanceLostWhileComingUpIsReplacedAFewTimes) {
  PlanAndSave(0);
  const uint32_t most = kFleetStartsMax * 2;  // a fleet of two
  for (uint32_t lost = 1; lost <= most; ++lost) {
    const std::string id = endpoint_.state.next->instances[0].instance_id;
    Run(id, 1, AgentPhase::kStarting);
    Lose(id, 2);
    const SaveEndpoint save = PlanAndSave(2);
    EXPECT_EQ(save.state.status, lost < most ? "Creating" : "Failed");
    if (lost < most) {
      EXPECT_NE(save.state.next->instances[0].instance_id, id);
      EXPECT_TRUE(save.close.contains(id));
    }
  }
}

TEST_F(EndpointsPlannerTest, InstancesThatNeverBeganAreReplacedWithoutBeingCounted) {
  PlanAndSave(0);
  for (uint32_t lost = 1; lost <= 4 * kFleetStartsMax; ++lost) {
    const std::string id = endpoint_.state.next->instances[0].instance_id;
    facts_.instances[id].instance =
        compute::InstanceView{.instance_id = id, .life = InstanceLife::kGone, .gone_reason = "it was never started"};
    const SaveEndpoint save = PlanAndSave(2);
    EXPECT_EQ(save.state.status, "Creating");
    EXPECT_TRUE(save.close.contains(id));
  }
}

TEST_F(EndpointsPlannerTest, AFleetThatWaitsForCapacitySaysSoAndIsGivenUpAtLast) {
  PlanAndSave(0);
  facts_.capacity.hosts_free = 0;
  EXPECT_EQ(PlanAndSave(1).state.failure_reason,
            "Waiting for a host: " + std::to_string(facts_.capacity.hosts_total) +
                " instances run, as many as --hosts-max allows; other jobs and endpoints hold them");
  EXPECT_EQ(All<SaveEndpoint>(PlanAt(2)).size(), 0U);  // said once
  const SaveEndpoint given_up = PlanAndSave(601);
  EXPECT_EQ(given_up.state.status, "Failed");
  EXPECT_NE(given_up.state.failure_reason.find("CapacityError"), std::string::npos);
}

TEST_F(EndpointsPlannerTest, AnUpdateBringsUpTheNewFleetFirstThenSwitchesThenRetiresTheOld) {
  InService();
  const auto old = Ids(endpoint_.state.current->instances);
  endpoint_.state.requested_config = "c1";
  endpoint_.state.requested_variants = {Plan("m1", 1)};
  endpoint_.state.status = "Updating";
  PlanAndSave(10);
  const std::string fresh = endpoint_.state.next->instances[0].instance_id;
  EXPECT_EQ(All<SetEndpointRoute>(PlanAt(10)).at(0).route->variants[0].instances.size(), 2U);
  Run(fresh, 11);
  Answer(fresh, 12);
  const SaveEndpoint switched = PlanAndSave(12);
  EXPECT_EQ(switched.state.status, "InService");
  EXPECT_EQ(switched.state.current->config_name, "c1");
  EXPECT_EQ(Ids(switched.state.retired), old);

  const auto after = PlanAt(12);
  ASSERT_TRUE(std::holds_alternative<SetEndpointRoute>(after.front()))
      << "the route changes before anything is drained";
  EXPECT_EQ(std::get<SetEndpointRoute>(after.front()).route->variants[0].instances.at(0).instance_id, fresh);
  EXPECT_EQ(All<DrainInstance>(after).size(), 2U);
  EXPECT_EQ(All<KillInstance>(after).size(), 0U);
  for (const auto& id : old) facts_.instances[id].drained = true;
  EXPECT_EQ(All<KillInstance>(PlanAt(13)).size(), 2U);
  for (const auto& id : old) Lose(id, 14);
  const SaveEndpoint closed = PlanAndSave(14);
  EXPECT_EQ(closed.close.size(), 2U);
  EXPECT_TRUE(closed.state.retired.empty());
}

TEST_F(EndpointsPlannerTest, AnUpdateThatFailsLeavesTheOldFleetServing) {
  InService();
  const auto old = Ids(endpoint_.state.current->instances);
  endpoint_.state.requested_config = "c1";
  endpoint_.state.requested_variants = {Plan("m1", 1)};
  endpoint_.state.status = "Updating";
  PlanAndSave(10);
  const std::string fresh = endpoint_.state.next->instances[0].instance_id;
  Run(fresh, 11);
  protocol::AgentOutcome outcome;
  outcome.failure_reason = "ClientError: no";
  facts_.instances[fresh].instance->report->outcome = outcome;
  Lose(fresh, 12);
  const SaveEndpoint save = PlanAndSave(12);
  EXPECT_EQ(save.state.status, "InService");
  EXPECT_EQ(save.state.failure_reason, "ClientError: no");
  EXPECT_EQ(save.state.current->config_name, "c0");
  EXPECT_EQ(Ids(save.state.current->instances), old);
}

TEST_F(EndpointsPlannerTest, AServingInstanceThatDiesLeavesTheRouteAndIsReplacedWithGrowingWaits) {
  InService();
  std::string id = endpoint_.state.current->instances[0].instance_id;
  Lose(id, 5);
  EXPECT_EQ(PlanAndSave(5).state.status, "InService");
  EXPECT_EQ(All<SetEndpointRoute>(PlanAt(5)).at(0).route->variants[0].instances.size(), 1U);
  EXPECT_EQ(All<StartServing>(PlanAt(5)).size(), 1U) << "the first replacement starts at once";
  for (int i = 0; i < 3; ++i) {
    id = endpoint_.state.current->instances[0].instance_id;
    Run(id, 6, AgentPhase::kStarting);
    Lose(id, 7);
    PlanAndSave(7);
  }
  EXPECT_EQ(All<StartServing>(PlanAt(7)).size(), 0U) << "one that keeps dying waits";
  EXPECT_EQ(All<StartServing>(PlanAt(60)).size(), 1U);
}

TEST_F(EndpointsPlannerTest, InstancesLostTogetherStartTogetherAndThoseToldToEndAreNoFailure) {
  InService();
  std::vector<std::string> ids;
  for (const auto& instance : endpoint_.state.current->instances) ids.push_back(instance.instance_id);
  for (const std::string& id : ids) Lose(id, 5);
  PlanAndSave(5);
  EXPECT_EQ(All<StartServing>(PlanAt(5)).size(), 2U) << "one event counts once";
  for (int i = 0; i < 5; ++i) {
    for (const auto& instance : endpoint_.state.current->instances) {
      Run(instance.instance_id, 6, AgentPhase::kReady);
      protocol::AgentOutcome stopped;
      stopped.kind = protocol::OutcomeKind::kStopped;
      facts_.instances[instance.instance_id].instance->report->outcome = stopped;
      Lose(instance.instance_id, 7);
    }
    PlanAndSave(7);
    EXPECT_EQ(All<StartServing>(PlanAt(7)).size(), 2U) << i;
  }
}

TEST_F(EndpointsPlannerTest, AFleetThatCanNeverFitFailsAtOnce) {
  facts_.capacity.hosts_total = 1;
  facts_.capacity.hosts_free = 1;
  const SaveEndpoint save = PlanAndSave(1);
  EXPECT_EQ(save.state.status, "Failed");
  EXPECT_THAT(save.state.failure_reason, testing::HasSubstr("2 instances are needed, and --hosts-max allows 1"));
}

TEST_F(EndpointsPlannerTest, AFleetThatNeverFitsBesideTheOldOneLeavesItServing) {
  InService();
  facts_.capacity.hosts_total = 3;
  endpoint_.state.requested_config = "c2";
  endpoint_.state.requested_variants = endpoint_.state.current->variants;
  const SaveEndpoint save = PlanAndSave(20);
  EXPECT_EQ(save.state.status, "InService");
  EXPECT_THAT(save.state.failure_reason, testing::HasSubstr("beside the 2 that serve until they answer"));
  EXPECT_EQ(save.state.current->instances.size(), 2U);
}

TEST_F(EndpointsPlannerTest, DeletionTakesTheRouteAwayThenDrainsThenRemoves) {
  InService();
  endpoint_.state.delete_requested = true;
  endpoint_.state.status = "Deleting";
  const auto first = PlanAt(20);
  EXPECT_FALSE(All<SetEndpointRoute>(first).at(0).route.has_value());
  EXPECT_TRUE(All<RemoveEndpoint>(first).empty());
  PlanAndSave(20);
  EXPECT_EQ(All<DrainInstance>(PlanAt(20)).size(), 2U);
  for (const auto& instance : endpoint_.state.retired) {
    facts_.instances[instance.instance_id].drained = true;
    Lose(instance.instance_id, 21);
  }
  PlanAndSave(21);
  EXPECT_EQ(All<RemoveEndpoint>(PlanAt(21)).size(), 1U);
}

TEST_F(EndpointsPlannerTest, AfterARestartAnInstanceThatAnsweredBeforeIsRoutedAsItIs) {
  InService();
  for (auto& [id, facts] : facts_.instances) facts.answered_at.reset();  // what was only in memory is gone
  const auto actions = PlanAt(30);
  EXPECT_TRUE(All<SaveEndpoint>(actions).empty());
  EXPECT_EQ(All<SetEndpointRoute>(actions).at(0).route->variants[0].instances.size(), 2U);
}

TEST_F(EndpointsPlannerTest, WithoutMemoryItWaitsAndGoesOnWhenThereIsSome) {
  PlanAndSave(0);
  facts_.capacity.memory_free_bytes = 0;
  EXPECT_TRUE(All<StartServing>(PlanAt(1)).empty());
  PlanAndSave(1);  // says that it waits
  facts_.capacity.memory_free_bytes = kMemoryFloor;
  EXPECT_EQ(All<StartServing>(PlanAt(2)).size(), 1U) << "there is room for one";
}

TEST_F(EndpointsPlannerTest, AModelThatNeverGetsReadyIsKilledAfterFourMinutes) {
  PlanAndSave(0);
  Run(endpoint_.state.next->instances[0].instance_id, 1, AgentPhase::kDownloading);
  EXPECT_TRUE(All<KillInstance>(PlanAt(240)).empty());
  EXPECT_EQ(All<KillInstance>(PlanAt(241)).size(), 1U);
}

TEST_F(EndpointsPlannerTest, MoreCapacityServesBeforeItIsShownAsThere) {
  InService();
  endpoint_.state.ChangeCapacity({{"AllTraffic", 3, 7.0}});
  const SaveEndpoint begun = PlanAndSave(10);
  ASSERT_EQ(begun.open.size(), 1U);
  EXPECT_EQ(begun.state.status, "Updating");
  const std::string id = begun.open[0].instance_id;
  EXPECT_EQ(All<StartServing>(PlanAt(10)).size(), 1U);
  EXPECT_EQ(All<SetEndpointRoute>(PlanAt(10)).at(0).route->variants[0].weight, 1.0) << "weights change with the counts";
  Run(id, 10);
  EXPECT_EQ(All<PingInstance>(PlanAt(10)).size(), 1U);
  Answer(id, 11);
  const auto last = PlanAt(11);
  ASSERT_EQ(last.size(), 2U);
  const serving::RouteVariant& variant = std::get<SetEndpointRoute>(last[0]).route->variants.at(0);
  EXPECT_EQ(variant.instances.size(), 3U);
  EXPECT_EQ(variant.weight, 7.0);
  EXPECT_EQ(PlanAndSave(11).state.status, "InService");
  EXPECT_FALSE(endpoint_.state.capacity_changing());
  EXPECT_TRUE(All<SaveEndpoint>(PlanAt(12)).empty()) << "and comes to rest";
}

TEST_F(EndpointsPlannerTest, LessCapacityLeavesTheRouteIsDrainedAndEndsTheNewestFirst) {
  InService();
  endpoint_.state.ChangeCapacity({{"AllTraffic", 1, std::nullopt}});
  const auto plan = PlanAt(10);
  EXPECT_EQ(std::get<SetEndpointRoute>(plan.at(0)).route->variants.at(0).instances.size(), 1U);
  const SaveEndpoint save = PlanAndSave(10);
  EXPECT_EQ(save.state.status, "InService");
  EXPECT_THAT(Ids(save.state.current->instances), testing::ElementsAre("i-1"));
  EXPECT_THAT(Ids(save.state.retired), testing::ElementsAre("i-2"));
  EXPECT_EQ(All<DrainInstance>(PlanAt(10)).at(0).instance_id, "i-2");
  EXPECT_TRUE(All<KillInstance>(PlanAt(10)).empty());
  facts_.instances["i-2"].drained = true;
  EXPECT_EQ(All<KillInstance>(PlanAt(11)).at(0).instance_id, "i-2");
  Lose("i-2", 12);
  EXPECT_TRUE(PlanAndSave(12).close.contains("i-2"));
}

TEST_F(EndpointsPlannerTest, ZeroInstancesKeepTheRouteSoThatRequestsMayWaitAndOneComesBack) {
  InService();
  endpoint_.state.ChangeCapacity({{"AllTraffic", 0, std::nullopt}});
  EXPECT_EQ(PlanAndSave(10).state.status, "InService");
  const auto route = All<SetEndpointRoute>(PlanAt(10)).at(0).route;
  ASSERT_TRUE(route.has_value());
  EXPECT_TRUE(route->variants.at(0).instances.empty());
  endpoint_.state.ChangeCapacity({{"AllTraffic", 1, std::nullopt}});
  const std::string id = PlanAndSave(20).open.at(0).instance_id;
  Run(id, 20);
  Answer(id, 20.1);
  EXPECT_EQ(std::get<SetEndpointRoute>(PlanAt(20.1).at(0)).route->variants.at(0).instances.size(), 1U);
  EXPECT_EQ(PlanAndSave(20.1).state.status, "InService");
}

TEST_F(EndpointsPlannerTest, WhatIsStillStartingGoesBeforeWhatServes) {
  InService();
  endpoint_.state.ChangeCapacity({{"AllTraffic", 4, std::nullopt}});
  PlanAndSave(10);
  Lose("i-2", 10);
  PlanAndSave(10);  // replaced
  const auto& instances = endpoint_.state.current->instances;
  Run(instances[2].instance_id, 10);
  Answer(instances[2].instance_id, 11);
  PlanAndSave(11);
  endpoint_.state.ChangeCapacity({{"AllTraffic", 2, std::nullopt}});
  const SaveEndpoint save = PlanAndSave(12);
  EXPECT_EQ(save.state.status, "InService");
  for (const auto& instance : save.state.current->instances) EXPECT_TRUE(instance.ready_at.has_value());
}

TEST_F(EndpointsPlannerTest, MoreThanTheMachineHoldsIsCutToWhatItHoldsAndSaid) {
  InService();
  facts_.capacity.hosts_total = 3;
  endpoint_.state.ChangeCapacity({{"AllTraffic", 5, std::nullopt}});
  const SaveEndpoint save = PlanAndSave(10);
  EXPECT_EQ(save.open.size(), 1U);
  EXPECT_EQ(save.state.current->variants[0].variant.initial_instance_count, 3U);
  EXPECT_THAT(save.state.failure_reason, testing::HasSubstr("5 instances are needed, and --hosts-max allows 3"));
}

TEST_F(EndpointsPlannerTest, CapacityThatOthersHoldIsWaitedForAndThenGivenUp) {
  InService();
  endpoint_.state.ChangeCapacity({{"AllTraffic", 4, 3.0}});
  PlanAndSave(10);
  facts_.capacity.hosts_free = 1;
  const auto starts = All<StartServing>(PlanAt(11));
  ASSERT_EQ(starts.size(), 1U);
  Run(starts[0].assignment.instance_id, 11);
  Answer(starts[0].assignment.instance_id, 12);
  facts_.capacity.hosts_free = 0;
  EXPECT_EQ(PlanAndSave(12).state.status, "Updating");
  EXPECT_TRUE(All<SaveEndpoint>(PlanAt(600)).empty());
  const SaveEndpoint save = PlanAndSave(611);
  EXPECT_EQ(save.state.status, "InService");
  EXPECT_THAT(save.state.failure_reason, testing::HasSubstr("CapacityError"));
  EXPECT_EQ(save.state.current->variants[0].variant.initial_instance_count, 3U) << "what came up stays";
  EXPECT_EQ(save.state.current->variants[0].variant.initial_weight, 1.0);
  const SaveEndpoint after = PlanAndSave(611);
  EXPECT_EQ(after.state.current->instances.size(), 3U);
  EXPECT_EQ(after.close.size(), 1U) << "what never began costs nothing";
}

TEST_F(EndpointsPlannerTest, AModelThatDoesNotLoadAnyMoreEndsTheChangeWithItsReason) {
  InService();
  endpoint_.state.ChangeCapacity({{"AllTraffic", 3, std::nullopt}});
  const std::string id = PlanAndSave(10).open.at(0).instance_id;
  Run(id, 10, AgentPhase::kDownloading);
  protocol::AgentOutcome outcome;
  outcome.kind = protocol::OutcomeKind::kFailed;
  outcome.failure_reason = "ClientError: the model is gone";
  facts_.instances[id].instance->report->outcome = outcome;
  Lose(id, 11);
  const SaveEndpoint save = PlanAndSave(11);
  EXPECT_EQ(save.state.status, "InService");
  EXPECT_EQ(save.state.failure_reason, "ClientError: the model is gone");
  EXPECT_EQ(PlanAndSave(11).state.current->instances.size(), 2U);
}

}  // namespace
}  // namespace argosy::control
