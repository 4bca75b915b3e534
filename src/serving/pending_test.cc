#include "serving/pending.h"

#include <gtest/gtest.h>

#include "serving/fake_instance.h"

namespace argosy::serving {
namespace {

class CaptureTaken final : public CaptureSink {
 public:
  void Take(CapturedRequest request) override { taken.push_back(std::move(request)); }
  std::vector<CapturedRequest> taken;
};

class PendingCaptureTest : public testing::Test {
 protected:
  void Plan(uint32_t percent, bool input = true, bool output = true) {
    tally_.name = {"e", "v"};
    tally_.capture = std::make_shared<CapturePlan>(CapturePlan{.percent = percent, .input = input, .output = output});
    tally_.capture_sink = &sink_;
    tally_.clock = &clock_;
    tally_.sample = SeededRandom(1);
  }
  void Answer(uint16_t status = 200, bool in_parts = false) {
    auto fate = std::make_shared<Fate>();
    fate->in_parts = in_parts;
    Pending pending;
    pending.invocation = std::make_unique<TestInvocation>(fate, "e", "asked", "");
    pending.tally = &tally_;
    tally_.Open();
    pending.Answer({.status = status, .content_type = "text/csv", .body = "answered"}, Duration::zero());
  }

  ManualClock clock_{FromUnixSeconds(1'700'000'000)};
  CaptureTaken sink_;
  VariantTally tally_;
};

TEST_F(PendingCaptureTest, SoManyInAHundredAreCaptured) {
  for (const uint32_t percent : {0U, 20U, 100U}) {
    sink_.taken.clear();
    Plan(percent);
    for (int i = 0; i < 5000; ++i) Answer();
    EXPECT_NEAR(static_cast<double>(sink_.taken.size()), 50.0 * percent, percent % 100 == 0 ? 0 : 150) << percent;
  }
}

TEST_F(PendingCaptureTest, OfWhatThePlanSaysAndWholeAnswersThatSucceededOnly) {
  Plan(100, true, false);
  Answer(500);
  Answer(400);
  Answer(200, true);
  EXPECT_TRUE(sink_.taken.empty());
  Answer(201);
  ASSERT_EQ(sink_.taken.size(), 1U);
  EXPECT_EQ(sink_.taken[0].input, "asked");
  EXPECT_EQ(sink_.taken[0].output, "");
  EXPECT_EQ(sink_.taken[0].output_type, "text/csv");
  EXPECT_EQ(sink_.taken[0].at, clock_.Now());
  Plan(100, false, true);
  Answer();
  EXPECT_EQ(sink_.taken[1].input, "");
  EXPECT_EQ(sink_.taken[1].output, "answered");
}

}  // namespace
}  // namespace argosy::serving
