#include "agent/program/shim_backend.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <future>
#include <thread>

namespace argosy::agent {
namespace {

// The worker is the test's own end of the socket; there is no process.
class ShimBackendTest : public testing::Test, public BackendEvents {
 protected:
  void OnReady() override { on_ready_(); }
  void OnStillStarting(const std::string&) override {}
  void OnPart(uint64_t, const protocol::AnswerView&) override {}
  void OnAnswer(uint64_t, const protocol::AnswerView& answer) override {
    answer_ = std::to_string(answer.status) + " " + std::to_string(answer.body.size());
    loop_.Stop();
  }
  void OnRoom() override {}
  void OnFailed(const Error& why) override {
    ADD_FAILURE() << why.message();
    loop_.Stop();
  }

  void Start() {
    ProgramPlan plan;
    plan.processes = 1;
    backend_ = std::make_unique<ShimBackend>(
        loop_, plan,
        [this](int passed_fd, const auto&) -> Result<std::unique_ptr<ChildProcess>> {
          worker_ = UniqueFd(fcntl(passed_fd, F_DUPFD_CLOEXEC, 0));
          return std::unique_ptr<ChildProcess>();
        },
        *this);
    ASSERT_TRUE(backend_->Start().ok());
    std::string hello;
    protocol::AppendFrame(hello, protocol::FrameKind::kHello, 0, "{}");
    SendAll(hello);
  }
  // Until the answer; whoever waits at the worker's end is told that it is over.
  void Run() {
    loop_.After(std::chrono::seconds(30), [this] {
      ADD_FAILURE() << "waited in vain";
      loop_.Stop();
    });
    loop_.Run();
    backend_.reset();
  }
  void SendAll(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(worker_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(n, 0);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  void ReceiveAll(size_t size) {
    std::vector<char> room(1 << 20);
    while (size > 0) {
      const ssize_t n = recv(worker_.get(), room.data(), std::min(room.size(), size), 0);
      ASSERT_GT(n, 0);
      size -= static_cast<size_t>(n);
    }
  }

  EventLoop loop_;
  UniqueFd worker_;
  std::unique_ptr<ShimBackend> backend_;
  std::function<void()> on_ready_;
  std::string answer_;
};

TEST_F(ShimBackendTest, AWorkerThatReadsLateHoldsUpNobodyElse) {
  Start();
  const std::string body(5 << 20, 'x');
  std::promise<void> turned;
  bool held_up = true;
  std::thread worker([&] {
    held_up = turned.get_future().wait_for(std::chrono::seconds(10)) != std::future_status::ready;
    ReceiveAll(body.size());
    std::string answer;
    protocol::AppendAnswer(answer, 1, {.status = 200, .body = "fine"});
    SendAll(answer);
  });
  on_ready_ = [&] {
    backend_->Submit({.key = 1, .body = body});
    loop_.Post([&] { turned.set_value(); });  // the next turn: what was submitted is written at the end of this one
  };
  Run();
  worker.join();
  EXPECT_FALSE(held_up) << "the loop waited for the worker";
  EXPECT_EQ(answer_, "200 4");
}

TEST_F(ShimBackendTest, ALargeAnswerIsReadToItsEnd) {
  Start();
  on_ready_ = [this] { backend_->Submit({.key = 1, .body = "x"}); };
  std::string answer;
  protocol::AppendAnswer(answer, 1, {.status = 200, .body = std::string(4 << 20, 'x')});
  std::thread worker([&] {
    std::array<char, 16> begun{};
    ASSERT_GT(recv(worker_.get(), begun.data(), begun.size(), 0), 0);  // it was asked
    SendAll(answer);
  });
  Run();
  worker.join();
  EXPECT_EQ(answer_, "200 " + std::to_string(4 << 20));
}

}  // namespace
}  // namespace argosy::agent
