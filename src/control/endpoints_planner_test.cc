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
  EXPECT_EQ(PlanAndSave(1).state.failure_reason, "Waiting for a host and memory that other jobs and endpoints hold");
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

}  // namespace
}  // namespace argosy::control
