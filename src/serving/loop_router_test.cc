#include "serving/loop_router.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "serving/fake_instance.h"
#include "serving/router.h"

namespace argosy::serving {
namespace {

class LoopRouterTest : public testing::Test {
 protected:
  LoopRouterTest() {
    const LoopEvents events{.front = {.demand = [this](const VariantName& name) { demands_.push_back(name); }},
                            .counts = [this](int64_t second, const auto& counts) {
                              for (const auto& [name, of_variant] : counts) book_.Add(name, second, of_variant);
                            }};
    router_ = std::make_unique<LoopRouter>(loop_, table_, clock_, 7, events, kPatience);
  }

  FakeInstance& AddInstance(const std::string& id) {
    auto [ours, theirs] = SocketPair();
    router_->UseConnection({id, ""}, std::move(ours));
    return *instances_.emplace(id, std::make_unique<FakeInstance>(loop_, std::move(theirs), id)).first->second;
  }

  void SetRoute(const std::string& endpoint, const std::vector<std::pair<std::string, double>>& variants,
                const std::vector<std::vector<std::string>>& instances) {
    Route route;
    for (size_t i = 0; i < variants.size(); ++i) {
      RouteVariant variant{variants[i].first, variants[i].second, {}};
      for (const std::string& id : instances[i]) variant.instances.push_back({id, "/nowhere/" + id});
      route.variants.push_back(std::move(variant));
    }
    table_.Set(endpoint, std::move(route));
  }

  std::shared_ptr<Fate> Invoke(const std::string& body, const std::string& target = "",
                               const std::string& endpoint = "e", bool in_parts = false) {
    auto fate = std::make_shared<Fate>();
    fate->in_parts = in_parts;
    fates_.push_back(fate);
    router_->Invoke(std::make_unique<TestInvocation>(fate, endpoint, body, target));
    return fate;
  }

  // Runs `then` in a turn of the loop in which `ready` holds.
  void When(std::function<bool()> ready, std::function<void()> then) {
    loop_.Post([this, ready = std::move(ready), then = std::move(then)] {
      if (ready()) {
        then();
      } else {
        When(ready, then);
      }
    });
  }
  bool AllOver() const {
    for (const auto& fate : fates_) {
      if (!fate->over()) return false;
    }
    return true;
  }
  void StopWhenAllOver() {
    When([this] { return AllOver(); }, [this] { loop_.Stop(); });
  }
  void Run() {
    loop_.After(std::chrono::seconds(30), [this] {
      ADD_FAILURE() << "waited in vain";
      loop_.Stop();
    });
    loop_.Run();
  }

  static constexpr Duration kPatience = std::chrono::milliseconds(50);

  // All that has been counted so far.
  VariantCounts Counted(const std::string& variant) {
    return book_.Sum({"e", variant}, clock_.Now() + std::chrono::seconds(1), kLoadSecondsKept);
  }

  SystemClock clock_;
  EventLoop loop_;
  RouteTable table_;
  LoadBook book_;
  std::vector<VariantName> demands_;
  std::unique_ptr<LoopRouter> router_;
  std::map<std::string, std::unique_ptr<FakeInstance>> instances_;
  std::vector<std::shared_ptr<Fate>> fates_;
};

TEST_F(LoopRouterTest, ARequestIsAnsweredByItsEndpointsInstance) {
  AddInstance("i-1");
  SetRoute("e", {{"blue", 1}}, {{"i-1"}});
  const auto fate = Invoke("1,2");
  StopWhenAllOver();
  Run();
  EXPECT_EQ(fate->answer, "i-1:1,2");
  EXPECT_EQ(fate->variant, "blue");
}

TEST_F(LoopRouterTest, UnknownEndpointsAndVariantsAreToldApart) {
  AddInstance("i-1");
  SetRoute("e", {{"blue", 1}}, {{"i-1"}});
  EXPECT_EQ(Invoke("x", "", "other")->failure, InvocationFailure::kUnknownEndpoint);
  EXPECT_EQ(Invoke("x", "green")->failure, InvocationFailure::kUnknownVariant);
  table_.Set("e", std::nullopt);
  EXPECT_EQ(Invoke("x")->failure, InvocationFailure::kUnknownEndpoint) << "a removed route was still used";
}

TEST_F(LoopRouterTest, VariantsGetTheirShareByWeightAndATargetedOneAll) {
  FakeInstance& blue = AddInstance("i-blue");
  FakeInstance& green = AddInstance("i-green");
  FakeInstance& dark = AddInstance("i-dark");
  SetRoute("e", {{"blue", 3}, {"green", 1}, {"dark", 0}}, {{"i-blue"}, {"i-green"}, {"i-dark"}});
  for (int i = 0; i < 800; ++i) Invoke("x");
  StopWhenAllOver();
  Run();
  EXPECT_EQ(blue.got + green.got, 800U);
  EXPECT_NEAR(static_cast<double>(blue.got), 600, 60);
  EXPECT_EQ(dark.got, 0U);
}

TEST_F(LoopRouterTest, ATargetVariantOverrulesTheWeights) {
  AddInstance("i-blue");
  FakeInstance& dark = AddInstance("i-dark");
  SetRoute("e", {{"blue", 1}, {"dark", 0}}, {{"i-blue"}, {"i-dark"}});
  for (int i = 0; i < 10; ++i) Invoke("x", "dark");
  StopWhenAllOver();
  Run();
  EXPECT_EQ(dark.got, 10U);
}

TEST_F(LoopRouterTest, TheInstanceWithFewerRequestsIsTaken) {
  FakeInstance& busy = AddInstance("i-1");
  FakeInstance& free = AddInstance("i-2");
  busy.answers_at_once = false;
  free.answers_at_once = false;
  SetRoute("e", {{"blue", 1}}, {{"i-1", "i-2"}});
  for (int i = 0; i < 10; ++i) Invoke("x");
  When([&] { return busy.got + free.got == 10; },
       [&] {
         EXPECT_EQ(busy.got, 5U);
         EXPECT_EQ(free.got, 5U);
         free.AnswerAll();
         When([&] { return fates_[0]->over() || fates_[1]->over(); },
              [&] {
                for (int i = 0; i < 5; ++i) Invoke("y");
                When([&] { return busy.got + free.got == 15; },
                     [&] {
                       EXPECT_EQ(busy.got, 5U);
                       loop_.Stop();
                     });
              });
       });
  Run();
}

TEST_F(LoopRouterTest, WindowAndQueueAreBoundedAndWhatIsBeyondIsRefusedAtOnce) {
  FakeInstance& instance = AddInstance("i-1");
  instance.answers_at_once = false;
  SetRoute("e", {{"blue", 1}}, {{"i-1"}});
  for (size_t i = 0; i < kWindowRequestsMax + kQueuedRequestsMax; ++i) Invoke("x");
  EXPECT_FALSE(fates_.back()->over());
  EXPECT_EQ(Invoke("one too many")->failure, InvocationFailure::kBusy);
  When([&] { return instance.got == kWindowRequestsMax; },
       [&] {
         EXPECT_EQ(instance.held.size(), kWindowRequestsMax) << "more than the window was sent";
         instance.answers_at_once = true;
         instance.AnswerAll();
         StopWhenAllOver();
       });
  Run();
  EXPECT_EQ(instance.got, kWindowRequestsMax + kQueuedRequestsMax);
}

TEST_F(LoopRouterTest, AWaitingRequestWhoseClientHasGoneIsNeverSent) {
  FakeInstance& instance = AddInstance("i-1");
  instance.answers_at_once = false;
  SetRoute("e", {{"blue", 1}}, {{"i-1"}});
  for (size_t i = 0; i < kWindowRequestsMax; ++i) Invoke("x");
  const auto gone = Invoke("gone");
  const auto kept = Invoke("kept");
  gone->abandoned = true;
  When([&] { return instance.got == kWindowRequestsMax; },
       [&] {
         instance.answers_at_once = true;
         instance.AnswerAll();
         StopWhenAllOver();
       });
  Run();
  EXPECT_TRUE(gone->failure.has_value());
  EXPECT_EQ(kept->answer, "i-1:kept");
  EXPECT_EQ(instance.got, kWindowRequestsMax + 1);
}

TEST_F(LoopRouterTest, RequestsOfADeadInstanceAreTriedOnceOnAnother) {
  FakeInstance& first = AddInstance("i-1");
  FakeInstance& second = AddInstance("i-2");
  first.answers_at_once = false;
  SetRoute("e", {{"blue", 1}}, {{"i-1", "i-2"}});
  for (int i = 0; i < 10; ++i) Invoke("x");
  When([&] { return first.got > 0 && second.got + first.got == 10; },
       [&] {
         first.Die();
         StopWhenAllOver();
       });
  Run();
  for (const auto& fate : fates_) EXPECT_EQ(fate->answer, "i-2:x");
}

TEST_F(LoopRouterTest, ARequestThatKillsEveryInstanceIsTriedTwiceAtMost) {
  FakeInstance& first = AddInstance("i-1");
  FakeInstance& second = AddInstance("i-2");
  FakeInstance& third = AddInstance("i-3");
  for (FakeInstance* instance : {&first, &second, &third}) instance->answers_at_once = false;
  SetRoute("e", {{"blue", 1}}, {{"i-1", "i-2", "i-3"}});
  const auto fate = Invoke("poison");
  const auto kill_who_has_it = [&] {
    for (FakeInstance* instance : {&first, &second, &third}) {
      if (!std::exchange(instance->held, {}).empty()) instance->Die();
    }
  };
  const auto got = [&] { return first.got + second.got + third.got; };
  When([&, got] { return got() == 1; },
       [&, got, kill_who_has_it] {
         kill_who_has_it();
         When([&, got] { return got() == 2; },
              [&, kill_who_has_it] {
                kill_who_has_it();
                StopWhenAllOver();
              });
       });
  Run();
  EXPECT_EQ(fate->failure, InvocationFailure::kInstanceLost);
  EXPECT_EQ(got(), 2U);
}

TEST_F(LoopRouterTest, ARequestWaitsForAnInstanceAndIsAnsweredOnceOneIsThere) {
  SetRoute("e", {{"blue", 1}}, {{}});
  const auto fate = Invoke("x");
  Invoke("y");
  EXPECT_FALSE(fate->over());
  EXPECT_EQ(demands_, (std::vector<VariantName>{{"e", "blue"}})) << "told once a second";
  AddInstance("i-1");
  SetRoute("e", {{"blue", 1}}, {{"i-1"}});
  router_->Refresh();
  StopWhenAllOver();
  Run();
  EXPECT_EQ(fate->answer, "i-1:x");
}

TEST_F(LoopRouterTest, ARequestDoesNotWaitForAnInstanceForEver) {
  SetRoute("e", {{"blue", 1}}, {{}});
  const auto fate = Invoke("x");
  const auto gone = Invoke("y");
  gone->abandoned = true;
  StopWhenAllOver();
  Run();
  EXPECT_EQ(fate->failure, InvocationFailure::kNoInstance);
  EXPECT_TRUE(gone->over());
}

TEST_F(LoopRouterTest, SoManyRequestsWaitForAnInstanceAndNoMore) {
  SetRoute("e", {{"blue", 1}}, {{}});
  for (size_t i = 0; i < kQueuedRequestsMax; ++i) Invoke("x");
  EXPECT_FALSE(fates_.back()->over());
  EXPECT_EQ(Invoke("one too many")->failure, InvocationFailure::kBusy);
}

TEST_F(LoopRouterTest, WhatHappensIsCounted) {
  FakeInstance& instance = AddInstance("i-1");
  instance.answers_at_once = false;
  SetRoute("e", {{"blue", 1}, {"green", 0}}, {{"i-1"}, {}});
  for (int i = 0; i < 3; ++i) Invoke("x");
  Invoke("y", "green");
  When([&] { return instance.got == 3; },
       [&] {
         instance.Answer(instance.held[0].first, "fine");
         protocol::AppendAnswer(instance.stream().out(), instance.held[1].first, {.status = 415, .body = "no"});
         protocol::AppendAnswer(instance.stream().out(), instance.held[2].first, {.status = 500, .body = "no"});
         instance.stream().WriteSoon();
         When([&] { return AllOver() && Counted("green").invocations == 1; }, [&] { loop_.Stop(); });
       });
  Run();
  const VariantCounts blue = Counted("blue");
  EXPECT_EQ(blue.invocations, 3U);
  EXPECT_EQ(blue.errors_4xx, 1U);
  EXPECT_EQ(blue.errors_5xx, 1U);
  EXPECT_EQ(blue.concurrent_max, 3U);
  EXPECT_EQ(blue.model_microseconds.count(), 3U);
  EXPECT_GE(blue.model_microseconds.min(), 0);
  const VariantCounts green = Counted("green");
  EXPECT_EQ(green.errors_5xx, 1U);
  EXPECT_EQ(green.model_microseconds.count(), 0U);
}

TEST_F(LoopRouterTest, WithoutAnotherInstanceALostRequestIsTold) {
  FakeInstance& instance = AddInstance("i-1");
  instance.answers_at_once = false;
  SetRoute("e", {{"blue", 1}}, {{"i-1"}});
  const auto fate = Invoke("x");
  When([&] { return instance.got == 1; },
       [&] {
         instance.Die();
         StopWhenAllOver();
       });
  Run();
  EXPECT_EQ(fate->failure, InvocationFailure::kInstanceLost);
}

TEST_F(LoopRouterTest, AnInstanceThatIsAnotherOneIsNotTalkedTo) {
  FakeInstance& impostor = AddInstance("i-1");
  impostor.answers_at_once = false;
  impostor.welcomes_as = "i-99";
  SetRoute("e", {{"blue", 1}}, {{"i-1"}});
  const auto fate = Invoke("x");
  StopWhenAllOver();
  Run();
  EXPECT_EQ(fate->failure, InvocationFailure::kInstanceLost);
}

TEST_F(LoopRouterTest, DrainingWaitsForTheLastAnswerAndThenTheConnectionIsLetGo) {
  FakeInstance& old = AddInstance("i-old");
  old.answers_at_once = false;
  SetRoute("e", {{"blue", 1}}, {{"i-old"}});
  const auto fate = Invoke("x");
  bool drained = false;
  When([&] { return old.got == 1; },
       [&] {
         AddInstance("i-new");
         SetRoute("e", {{"blue", 1}}, {{"i-new"}});
         router_->Drain("i-old", [&] { drained = true; });
         EXPECT_FALSE(drained);
         EXPECT_FALSE(old.closed);
         EXPECT_EQ(old.got, 1U);
         const auto newer = Invoke("y");
         When([&, newer] { return newer->over(); },
              [&, newer] {
                EXPECT_EQ(newer->answer, "i-new:y");
                EXPECT_FALSE(drained);
                old.AnswerAll();
                When([&] { return drained && old.closed; }, [&] { loop_.Stop(); });
              });
       });
  Run();
  EXPECT_EQ(fate->answer, "i-old:x");
}

TEST_F(LoopRouterTest, PartsArePassedOnAsTheyComeAndGrantedAsTheyAreTaken) {
  FakeInstance& one = AddInstance("i-1");
  one.answers_at_once = false;
  SetRoute("e", {{"blue", 1}}, {{"i-1"}});
  const auto fate = Invoke("x", "", "e", true);
  When([&] { return one.got == 1; },
       [&] {
         EXPECT_EQ(one.in_parts.size(), 1U);
         one.Part(one.held[0].first, "to ");
         When([&] { return fate->parts == "to "; },
              [&] {
                EXPECT_EQ(one.granted, 0U);
                fate->taken[0]();
                When([&] { return one.granted == 3; },
                     [&] {
                       one.Part(one.held[0].first, "be");
                       one.Answer(one.held[0].first, "!");
                       StopWhenAllOver();
                     });
              });
       });
  Run();
  EXPECT_EQ(fate->parts, "to be");
  EXPECT_EQ(fate->answer, "!");
  fate->taken[1]();  // late: nobody is harmed
  EXPECT_TRUE(one.cancelled.empty());
}

TEST_F(LoopRouterTest, AnAnswerInPartsWhoseClientHasGoneIsCancelled) {
  FakeInstance& one = AddInstance("i-1");
  one.answers_at_once = false;
  SetRoute("e", {{"blue", 1}}, {{"i-1"}});
  const auto fate = Invoke("x", "", "e", true);
  When([&] { return one.got == 1; }, [&] { fate->abandoned = true; });
  When([&] { return one.cancelled == std::vector<uint64_t>{one.held.empty() ? 0 : one.held[0].first}; },
       [&] { StopWhenAllOver(); });
  Run();
  EXPECT_EQ(one.cancelled.size(), 1U);
}

TEST_F(LoopRouterTest, WhatHasBegunToAnswerIsNotAskedOfAnotherInstance) {
  FakeInstance& one = AddInstance("i-1");
  FakeInstance& other = AddInstance("i-2");
  one.answers_at_once = other.answers_at_once = false;
  SetRoute("e", {{"blue", 1}}, {{"i-1", "i-2"}});
  const auto fate = Invoke("x", "", "e", true);
  When([&] { return one.got + other.got == 1; },
       [&] {
         FakeInstance& asked = one.got == 1 ? one : other;
         asked.Part(asked.held[0].first, "to ");
         When([&] { return fate->parts == "to "; }, [&] { asked.Die(); });
       });
  StopWhenAllOver();
  Run();
  EXPECT_EQ(fate->failure, InvocationFailure::kInstanceLost);
  EXPECT_EQ(one.got + other.got, 1U);
}

TEST_F(LoopRouterTest, AnInstanceThatDoesNotKnowPartsIsAskedForAWholeAnswer) {
  FakeInstance& one = AddInstance("i-1");
  one.knows_parts = false;
  SetRoute("e", {{"blue", 1}}, {{"i-1"}});
  Invoke("first");  // and the welcome
  When([&] { return AllOver(); },
       [&] {
         const auto fate = Invoke("x", "", "e", true);
         When([this] { return AllOver(); },
              [&, fate] {
                EXPECT_EQ(fate->answer, "i-1:x");
                loop_.Stop();
              });
       });
  Run();
  EXPECT_TRUE(one.in_parts.empty());
}

TEST_F(LoopRouterTest, APingIsAnsweredByAnInstanceThatLivesAndByNoOther) {
  AddInstance("i-1");
  FakeInstance& dying = AddInstance("i-2");
  dying.answers_pings = false;
  std::optional<Status> alive, dead, nowhere;
  router_->Ping({"i-1", ""}, [&](Status status) { alive = status; });
  router_->Ping({"i-2", ""}, [&](Status status) { dead = status; });
  router_->Ping({"i-3", "/nowhere/sock"}, [&](Status status) { nowhere = status; });
  loop_.Post([&] { dying.Die(); });
  When([&] { return alive && dead && nowhere; }, [&] { loop_.Stop(); });
  Run();
  EXPECT_TRUE(alive->ok());
  ASSERT_FALSE(dead->ok());
  EXPECT_EQ(dead->error().code(), ErrorCode::kUnavailable);
  EXPECT_FALSE(nowhere->ok());
}

// The whole router, with its threads: routes set on one thread are followed on another from then on.
TEST(Router, ARouteIsFollowedFromTheMomentItIsSet) {
  SystemClock clock;
  EventLoop control;
  EventLoop front;
  Router router(control, {&front}, clock, nullptr, 1);
  router.SetRoute("e", Route{"uid", {}});
  auto fate = std::make_shared<Fate>();
  // The route is not posted but read: no turn of the loop lies in between.
  router.Invoke(front, std::make_unique<TestInvocation>(fate, "e", "x", ""));
  EXPECT_EQ(fate->failure, InvocationFailure::kUnknownVariant);
}

}  // namespace
}  // namespace argosy::serving
