#include "serving/instance_channel.h"

#include <gtest/gtest.h>

#include "serving/fake_instance.h"

namespace argosy::serving {
namespace {

using std::chrono::seconds;

// Until the loop runs, its time stands still; expiry and health are told theirs.
class InstanceChannelTest : public testing::Test, public InstanceChannel::Owner {
 protected:
  InstanceChannelTest() {
    auto [ours, theirs] = SocketPair();
    channel_ = std::make_unique<InstanceChannel>(loop_, RouteInstance{"i-1", ""}, *this);
    channel_->UseConnection(std::move(ours));
    instance_ = std::make_unique<FakeInstance>(loop_, std::move(theirs), "i-1");
    instance_->answers_at_once = false;
  }

  void OnLost(InstanceChannel&, std::vector<Pending>) override {}
  void OnIdle(InstanceChannel&) override { ++idle_; }
  void OnSuspect(InstanceChannel&, std::vector<Pending> unsent) override {
    ++suspected_;
    for (const Pending& pending : unsent) came_back_.emplace_back(pending.invocation->view().body);
  }
  void OnStuck(InstanceChannel&) override { ++stuck_; }

  std::shared_ptr<Fate> Submit(const std::string& body, Duration deadline) {
    auto fate = std::make_shared<Fate>();
    Pending pending;
    pending.invocation = std::make_unique<TestInvocation>(fate, "e", body, "");
    pending.tally = &tally_;
    pending.deadline = deadline;
    tally_.Open();
    EXPECT_EQ(channel_->Submit(pending), InstanceChannel::Submission::kTaken);
    return fate;
  }
  void FillWindow() {
    for (size_t i = 0; i < kWindowRequestsMax; ++i) Submit("x", After(seconds(60)));
  }
  Duration After(Duration time) const { return begin_ + time; }

  EventLoop loop_;
  const Duration begin_ = loop_.TurnTime();
  VariantTally tally_;
  std::unique_ptr<InstanceChannel> channel_;
  std::unique_ptr<FakeInstance> instance_;
  int idle_ = 0, suspected_ = 0, stuck_ = 0;
  std::vector<std::string> came_back_;
};

TEST_F(InstanceChannelTest, ARequestWhoseTimeIsUpIsToldAndMakesRoom) {
  const auto late = Submit("late", After(seconds(5)));
  const auto other = Submit("other", After(seconds(6)));
  channel_->Expire(After(seconds(4)));
  EXPECT_FALSE(late->over());
  channel_->Expire(After(seconds(5)));
  EXPECT_EQ(late->failure, InvocationFailure::kTimedOut);
  EXPECT_FALSE(other->over());
  EXPECT_EQ(channel_->load(), 1U);
  EXPECT_EQ(idle_, 0);
  channel_->Expire(After(seconds(6)));
  EXPECT_EQ(idle_, 1);
  EXPECT_EQ(tally_.counts.errors_5xx, 2U);
}

TEST_F(InstanceChannelTest, ARequestWhoseTimeIsUpWhileItWaitsIsNeverSent) {
  FillWindow();
  const auto late = Submit("late", After(Duration::zero()));
  const auto kept = Submit("kept", After(seconds(60)));
  channel_->Expire(After(Duration::zero()));
  EXPECT_EQ(late->failure, InvocationFailure::kTimedOut);
  EXPECT_FALSE(kept->over());
  EXPECT_EQ(channel_->load(), kWindowRequestsMax + 1);
}

TEST_F(InstanceChannelTest, AnAnswerToWhatHasTimedOutIsNobodysAndTheNextOneIsRight) {
  const auto late = Submit("late", After(seconds(5)));
  channel_->Expire(After(seconds(5)));
  const auto next = Submit("next", Duration::max());
  instance_->answers_at_once = true;
  std::function<void()> look = [&] { next->over() ? loop_.Stop() : loop_.Post(look); };
  loop_.Post(look);
  loop_.Run();
  EXPECT_EQ(instance_->got, 2U);
  EXPECT_EQ(late->failure, InvocationFailure::kTimedOut);
  EXPECT_EQ(next->answer, "i-1:next");
}

TEST_F(InstanceChannelTest, AnInstanceThatAnswersNothingGetsNoMoreRequestsAndIsStuckAtLast) {
  FillWindow();
  Submit("unsent", After(seconds(60)));
  channel_->CheckHealth(After(seconds(1)));  // asks for a sign of life
  channel_->CheckHealth(After(seconds(1) + kSuspectAfter - Duration(1)));
  EXPECT_FALSE(channel_->suspect());
  channel_->CheckHealth(After(seconds(1) + kSuspectAfter));
  EXPECT_TRUE(channel_->suspect());
  EXPECT_EQ(came_back_, std::vector<std::string>{"unsent"});
  EXPECT_EQ(channel_->load(), kWindowRequestsMax) << "what was sent may still be answered";
  channel_->CheckHealth(After(seconds(1) + kStuckAfter - Duration(1)));
  EXPECT_EQ(suspected_, 1);
  EXPECT_EQ(stuck_, 0);
  channel_->CheckHealth(After(seconds(1) + kStuckAfter));
  EXPECT_EQ(stuck_, 1);
}

TEST_F(InstanceChannelTest, ASignOfLifeTakesTheSuspicionBack) {
  Submit("slow", Duration::max());
  channel_->CheckHealth(After(seconds(1)));
  channel_->CheckHealth(After(seconds(1) + kSuspectAfter));
  ASSERT_TRUE(channel_->suspect());
  std::function<void()> look = [&] { channel_->suspect() ? loop_.Post(look) : loop_.Stop(); };
  loop_.Post(look);
  loop_.Run();
  channel_->CheckHealth(loop_.TurnTime());
  EXPECT_EQ(stuck_, 0);
}

TEST_F(InstanceChannelTest, AnInstanceWithoutRequestsIsLetBe) {
  for (int second = 0; second < 60; ++second) channel_->CheckHealth(After(seconds(second)));
  EXPECT_EQ(suspected_ + stuck_, 0);
}

}  // namespace
}  // namespace argosy::serving
