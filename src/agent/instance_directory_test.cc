#include "agent/instance_directory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace argosy::agent {
namespace {

class InstanceDirectoryTest : public testing::Test {
 protected:
  InstanceDirectoryTest() {
    char name[] = "/tmp/argosy-instance-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    data_ = name;
    assignment_.instance_id = "i-1";
    assignment_.owner_uid = "u";
  }
  ~InstanceDirectoryTest() override { std::filesystem::remove_all(data_); }

  InstanceDirectory Directory() const { return InstanceDirectory::In(data_, "i-1"); }
  void Create() { ASSERT_TRUE(CreateInstanceDirectory(Directory(), assignment_).ok()); }

  std::filesystem::path data_;
  protocol::Assignment assignment_;
};

TEST_F(InstanceDirectoryTest, WhoHoldsTheLockCannotBeFenced) {
  Create();
  const Result<UniqueFd> claim = ClaimInstance(Directory());
  ASSERT_TRUE(claim.ok());
  EXPECT_EQ(*FenceInstance(Directory()), FenceOutcome::kAlive);
  EXPECT_FALSE(std::filesystem::exists(Directory().fenced()));
}

TEST_F(InstanceDirectoryTest, ALateStarterFindsTheFenceAndLeaves) {
  Create();
  EXPECT_EQ(*FenceInstance(Directory()), FenceOutcome::kFenced);
  EXPECT_EQ(*FenceInstance(Directory()), FenceOutcome::kFenced) << "fencing twice is fencing once";
  const Result<UniqueFd> claim = ClaimInstance(Directory());
  ASSERT_FALSE(claim.ok());
  EXPECT_EQ(claim.error().code(), ErrorCode::kCancelled);
}

TEST_F(InstanceDirectoryTest, AnInstanceHasOneAgentEver) {
  Create();
  {
    ASSERT_TRUE(ClaimInstance(Directory()).ok());
  }
  const Result<UniqueFd> second = ClaimInstance(Directory());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(*FenceInstance(Directory()), FenceOutcome::kFenced);
}

TEST_F(InstanceDirectoryTest, WithoutDirectoryOrAssignmentThereIsNothingToClaim) {
  EXPECT_FALSE(ClaimInstance(Directory()).ok());
  EXPECT_EQ(*FenceInstance(Directory()), FenceOutcome::kFenced);
  std::filesystem::create_directories(Directory().root());
  EXPECT_FALSE(ClaimInstance(Directory()).ok());
}

// Both sides at once, again and again: never both, always one.
TEST_F(InstanceDirectoryTest, OfTwoProcessesThatFightForTheLockExactlyOneWins) {
  for (int round = 0; round < 20; ++round) {
    Create();
    int go[2];
    ASSERT_EQ(pipe(go), 0);
    const pid_t child = fork();
    if (child == 0) {
      char byte;
      (void)!read(go[0], &byte, 1);
      const Result<UniqueFd> claim = ClaimInstance(Directory());
      // Ends holding it: what it claimed stays claimed in the parent's eyes by the mark it left.
      _exit(claim.ok() ? 1 : 0);
    }
    ASSERT_EQ(write(go[1], "x", 1), 1);
    Result<FenceOutcome> fence = FenceInstance(Directory());
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    const bool claimed = WEXITSTATUS(status) == 1;
    ASSERT_TRUE(fence.ok());
    if (*fence == FenceOutcome::kAlive) {
      EXPECT_TRUE(claimed);
      EXPECT_EQ(*FenceInstance(Directory()), FenceOutcome::kFenced) << "its process is gone";
    }
    if (!claimed) {
      EXPECT_EQ(*fence, FenceOutcome::kFenced);
    }
    EXPECT_FALSE(ClaimInstance(Directory()).ok());
    close(go[0]);
    close(go[1]);
    std::filesystem::remove_all(Directory().root());
  }
}

TEST_F(InstanceDirectoryTest, AProcessIsKnownByMoreThanItsNumber) {
  const Result<AgentIdentity> self = AgentIdentity::OfThisProcess(FromUnixNanos(42));
  ASSERT_TRUE(self.ok());
  EXPECT_TRUE(self->IsRunning());
  const Result<AgentIdentity> read = AgentIdentity::FromJson(self->ToJson());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->ToJson(), self->ToJson());
  AgentIdentity other = *self;
  ++other.start_ticks;
  EXPECT_FALSE(other.IsRunning());
  other = *self;
  other.boot_id = "another boot";
  EXPECT_FALSE(other.IsRunning());
  EXPECT_FALSE(AgentIdentity::FromJson(R"({"pid":0})").ok());
  EXPECT_FALSE(AgentIdentity::FromJson("[]").ok());
}

}  // namespace
}  // namespace argosy::agent
