#include "agent/program/program_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>

namespace argosy::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class HeldBackend final : public Backend {
 public:
  Status Start() override { return {}; }
  bool HasRoom() const override { return submitted.size() < room; }
  uint32_t concurrency() const override { return 1; }
  void Submit(ProgramRequest request) override { submitted.push_back(std::move(request)); }
  void Grant(uint64_t, size_t bytes) override { granted += bytes; }
  void Cancel(uint64_t key) override { cancelled.push_back(key); }
  void Stop(std::function<void()> done) override { done(); }

  size_t room = 0;
  std::vector<ProgramRequest> submitted;
  std::vector<uint64_t> cancelled;
  size_t granted = 0;
};

class ProgramHostTest : public testing::Test, public protocol::FrameStream::Owner {
 protected:
  ProgramHostTest() {
    char name[] = "/tmp/argosy-program-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    root_ = name;
    log_ = std::move(*LogSpool::Open(root_ / "log", &clock_));
    host_ = std::make_unique<ProgramHost>(loop_, protocol::Hello{.instance_id = "i-1"}, backend_, *log_);
    int fds[2];
    Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    host_->Adopt(UniqueFd(fds[0]));
    stream_ = protocol::FrameStream::Open(loop_, UniqueFd(fds[1]), *this);
  }
  ~ProgramHostTest() override {
    stream_->Close();
    host_.reset();
    std::filesystem::remove_all(root_);
  }

  Status OnFrame(protocol::FrameStream&, const protocol::FrameView& frame) override {
    if (frame.kind == protocol::FrameKind::kPong) return heard_ = true, Status();
    const auto answer = protocol::ParseAnswer(frame.payload);
    Check(answer.ok());
    answers_[frame.id] = std::to_string(answer->status) + " " + std::string(answer->body);
    return {};
  }
  void OnClosed(protocol::FrameStream&, const Error&) override {}

  void Invoke(uint64_t id, std::string_view body, uint32_t time_left_ms = 60'000,
              protocol::FrameKind kind = protocol::FrameKind::kInvoke) {
    protocol::AppendInvoke(stream_->out(), id, {.time_left_ms = time_left_ms, .body = body}, kind);
    stream_->WriteSoon();
  }
  // Runs `then` once the host has seen all that was sent, and stops when `over`.
  void Run(std::function<void()> then, std::function<bool()> over) {
    protocol::AppendFrame(stream_->out(), protocol::FrameKind::kPing, 0, "");
    stream_->WriteSoon();
    turn_ = [this, then = std::move(then), over = std::move(over)]() mutable {
      if (heard_ && then) std::exchange(then, nullptr)();
      if (heard_ && over()) return loop_.Stop();
      loop_.Post([this] { turn_(); });
    };
    loop_.Post([this] { turn_(); });
    loop_.After(std::chrono::seconds(30), [this] {
      ADD_FAILURE() << "waited in vain";
      loop_.Stop();
    });
    loop_.Run();
  }
  std::vector<std::string> Bodies() const {
    std::vector<std::string> bodies;
    for (const ProgramRequest& request : backend_.submitted) bodies.push_back(request.body);
    return bodies;
  }

  SystemClock clock_;
  std::filesystem::path root_;
  EventLoop loop_;
  std::unique_ptr<LogSpool> log_;
  HeldBackend backend_;
  std::unique_ptr<ProgramHost> host_;
  std::shared_ptr<protocol::FrameStream> stream_;
  std::map<uint64_t, std::string> answers_;
  std::function<void()> turn_;
  bool heard_ = false;
};

TEST_F(ProgramHostTest, WhatHasNoRoomWaitsInTheOrderItCame) {
  backend_.room = 1;
  for (uint64_t id = 1; id <= 3; ++id) Invoke(id, "request " + std::to_string(id));
  Run(
      [this] {
        EXPECT_THAT(Bodies(), ElementsAre("request 1"));
        backend_.room = 3;
        host_->OnRoom();
        EXPECT_THAT(Bodies(), ElementsAre("request 1", "request 2", "request 3"));
        for (const ProgramRequest& request : backend_.submitted) {
          host_->OnAnswer(request.key, {.status = 200, .body = request.body});
        }
      },
      [this] { return answers_.size() == 3; });
  EXPECT_EQ(answers_[2], "200 request 2");
}

TEST_F(ProgramHostTest, WhoseTimeIsUpWhileItWaitsIsNeverGivenToTheProgram) {
  Invoke(1, "late", 1);
  Invoke(2, "late too", 1, protocol::FrameKind::kInvokeInParts);
  Invoke(3, "kept");
  std::optional<Duration> begin;
  Run([&] { begin = loop_.TurnTime(); }, [&] { return loop_.TurnTime() > *begin + std::chrono::milliseconds(2); });
  backend_.room = 10;
  host_->OnRoom();
  EXPECT_THAT(Bodies(), ElementsAre("kept"));
}

TEST_F(ProgramHostTest, WhoseConnectionHasGoneIsNeverGivenToTheProgram) {
  Invoke(1, "x");
  Invoke(2, "y", 60'000, protocol::FrameKind::kInvokeInParts);
  int turns = 0;
  Run([this] { stream_->Close(); }, [&] { return ++turns > 3; });
  backend_.room = 10;
  host_->OnRoom();
  EXPECT_THAT(Bodies(), ElementsAre());
}

TEST_F(ProgramHostTest, SoManyWaitAndFurtherOnesAreToldToTryAgain) {
  for (uint64_t id = 1; id <= kProgramQueueMax + 1; ++id) Invoke(id, "x");
  Run([] {}, [this] { return !answers_.empty(); });
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_THAT(answers_[kProgramQueueMax + 1], HasSubstr("503 the model has as many requests waiting as it may have"));
}

TEST_F(ProgramHostTest, PartsAreJoinedForWhoWantsTheWhole) {
  backend_.room = 1;
  Invoke(7, "x");
  Run(
      [this] {
        const uint64_t key = backend_.submitted.at(0).key;
        host_->OnPart(key, {.status = 200, .body = "to "});
        host_->OnPart(key, {.status = 200, .body = "be"});
        EXPECT_EQ(backend_.granted, 5U);
        host_->OnAnswer(key, {.status = 200, .body = "!"});
        host_->OnAnswer(key, {.status = 200, .body = "once more"});
      },
      [this] { return !answers_.empty(); });
  EXPECT_EQ(answers_[7], "200 to be!");
}

}  // namespace
}  // namespace argosy::agent
