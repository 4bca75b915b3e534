#include "main/agents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/clock.h"

namespace argosy::main {
namespace {

class AgentsTest : public ::testing::Test {
 protected:
  AgentsTest() : dir_(std::filesystem::path(testing::TempDir()) / ("agents-" + std::to_string(getpid()))) {}
  ~AgentsTest() override { (void)RemoveTree(dir_); }

  void Add(const std::string& id, protocol::Role role, const std::string& name, const agent::AgentIdentity& process) {
    protocol::Assignment assignment;
    assignment.role = role;
    assignment.instance_id = id;
    assignment.owner_uid = "owner";
    assignment.attempt = 1;
    assignment.name = name;
    assignment.instance_type = "ml.m5.large";
    if (role == protocol::Role::kServing) assignment.model.emplace();
    if (role == protocol::Role::kTraining) assignment.training.emplace();
    if (assignment.training) assignment.training->request_json = "{}";
    if (assignment.model) assignment.model->request_json = "{}";
    const auto directory = agent::InstanceDirectory::In(dir_, id);
    ASSERT_TRUE(MakeDirectories(directory.root()).ok());
    ASSERT_TRUE(WriteFileAtomically(directory.assignment(), assignment.ToJson()).ok());
    ASSERT_TRUE(WriteFileAtomically(directory.identity(), process.ToJson()).ok());
    locks_.push_back(std::move(**TryLockFile(directory.lock())));
  }
  std::filesystem::path dir_;
  std::vector<UniqueFd> locks_;
};

TEST_F(AgentsTest, ThoseThatRunAreFoundAndNoOthers) {
  const agent::AgentIdentity self = *agent::AgentIdentity::OfThisProcess(SystemClock().Now());
  agent::AgentIdentity gone = self;
  gone.start_ticks += 1;
  Add("b", protocol::Role::kServing, "digits", self);
  Add("a", protocol::Role::kServing, "iris", self);
  Add("c", protocol::Role::kServing, "old", gone);
  ASSERT_TRUE(MakeDirectories(dir_ / "instances" / "half-made").ok());

  const std::vector<RunningAgent> agents = FindAgents(dir_);
  ASSERT_EQ(agents.size(), 2u);
  EXPECT_EQ(agents[0].instance_id, "a");
  EXPECT_EQ(WorkOf(agents[0]), "endpoint iris");
  EXPECT_EQ(agents[1].name, "digits");
  EXPECT_EQ(agents[1].process.pid, getpid());
}

TEST_F(AgentsTest, ACopiedDirectoryHasNone) {
  Add("a", protocol::Role::kServing, "iris", *agent::AgentIdentity::OfThisProcess(SystemClock().Now()));
  const std::filesystem::path copy = dir_.string() + "-copy";
  std::filesystem::copy(dir_, copy, std::filesystem::copy_options::recursive);
  EXPECT_EQ(FindAgents(dir_).size(), 1U);
  EXPECT_TRUE(FindAgents(copy).empty());
  std::filesystem::remove_all(copy);
}

TEST_F(AgentsTest, ADirectoryWithoutInstancesHasNone) {
  EXPECT_TRUE(FindAgents(dir_ / "absent").empty());
}

}  // namespace
}  // namespace argosy::main
