#include "serving/loop_router.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>
#include <set>

#include "serving/router.h"

namespace argosy::serving {
namespace {

// What became of one request.
struct Fate {
  std::optional<std::string> answer;
  std::optional<InvocationFailure> failure;
  std::string variant;
  bool abandoned = false;
  bool over() const { return answer || failure; }
};

class TestInvocation final : public Invocation {
 public:
  TestInvocation(std::shared_ptr<Fate> fate, std::string endpoint, std::string body, std::string target)
      : fate_(std::move(fate)), endpoint_(std::move(endpoint)), body_(std::move(body)), target_(std::move(target)) {
    view_.endpoint = endpoint_;
    view_.body = body_;
    view_.target_variant = target_;
  }
  const InvocationView& view() const override { return view_; }
  bool abandoned() const override { return fate_->abandoned; }
  void OnAnswer(const protocol::AnswerView& answer, std::string_view variant) override {
    Check(!fate_->over(), "told twice");
    fate_->answer = std::string(answer.body);
    fate_->variant = variant;
  }
  void OnFailure(InvocationFailure failure) override {
    Check(!fate_->over(), "told twice");
    fate_->failure = failure;
  }

 private:
  const std::shared_ptr<Fate> fate_;
  const std::string endpoint_, body_, target_;
  InvocationView view_;
};

// The far end of a channel: answers at once, or holds what it got.
class FakeInstance final : public protocol::FrameStream::Owner {
 public:
  FakeInstance(EventLoop& loop, UniqueFd fd, std::string id) : id_(std::move(id)) {
    stream_ = protocol::FrameStream::Open(loop, std::move(fd), *this);
  }
  ~FakeInstance() { Die(); }

  void Die() { stream_->Close(); }
  void Answer(uint64_t frame_id, std::string_view body) {
    protocol::AppendAnswer(stream_->out(), frame_id, {.status = 200, .body = body});
    stream_->WriteSoon();
  }
  void AnswerAll() {
    for (const auto& [frame_id, body] : std::exchange(held, {})) Answer(frame_id, id_ + ":" + body);
  }

  Status OnFrame(protocol::FrameStream& stream, const protocol::FrameView& frame) override {
    if (frame.kind == protocol::FrameKind::kPing && answers_pings) {
      protocol::AppendFrame(stream.out(), protocol::FrameKind::kPong, frame.id, "");
      stream.WriteSoon();
    }
    if (frame.kind == protocol::FrameKind::kHello) {
      EXPECT_EQ(protocol::Hello::FromJson(frame.payload)->instance_id, id_);
      const protocol::Welcome welcome{.instance_id = welcomes_as.empty() ? id_ : welcomes_as};
      protocol::AppendFrame(stream.out(), protocol::FrameKind::kWelcome, 0, welcome.ToJson());
      stream.WriteSoon();
    }
    if (frame.kind == protocol::FrameKind::kInvoke) {
      ++got;
      held.emplace_back(frame.id, std::string(protocol::ParseInvoke(frame.payload)->body));
      if (answers_at_once) AnswerAll();
    }
    return {};
  }
  void OnClosed(protocol::FrameStream&, const Error&) override { closed = true; }

  bool answers_at_once = true;
  bool answers_pings = true;
  bool closed = false;
  std::string welcomes_as;
  size_t got = 0;
  std::vector<std::pair<uint64_t, std::string>> held;

 private:
  const std::string id_;
  std::shared_ptr<protocol::FrameStream> stream_;
};

class LoopRouterTest : public testing::Test {
 protected:
  LoopRouterTest() : router_(std::make_unique<LoopRouter>(loop_, table_, 7)) {}

  FakeInstance& AddInstance(const std::string& id) {
    int fds[2];
    Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    router_->UseConnection({id, ""}, UniqueFd(fds[0]));
    return *instances_.emplace(id, std::make_unique<FakeInstance>(loop_, UniqueFd(fds[1]), id)).first->second;
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
                               const std::string& endpoint = "e") {
    auto fate = std::make_shared<Fate>();
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

  EventLoop loop_;
  RouteTable table_;
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
  SetRoute("e", {{"blue", 1}}, {{}});
  EXPECT_EQ(Invoke("x")->failure, InvocationFailure::kNoInstance);
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
  EventLoop control;
  EventLoop front;
  Router router(control, {&front}, 1);
  router.SetRoute("e", Route{"uid", {}});
  auto fate = std::make_shared<Fate>();
  // The route is not posted but read: no turn of the loop lies in between.
  router.Invoke(front, std::make_unique<TestInvocation>(fate, "e", "x", ""));
  EXPECT_EQ(fate->failure, InvocationFailure::kUnknownVariant);
}

}  // namespace
}  // namespace argosy::serving
