#include "agent/program/http_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "http/odd_server.h"

namespace argosy::agent {
namespace {

using http::OddServer;
using testing::HasSubstr;

constexpr std::string_view kWell = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

// The program is a server of the test's; there is no process.
class HttpBackendTest : public testing::Test, public BackendEvents {
 protected:
  void OnReady() override { on_ready_(); }
  void OnStillStarting(const std::string& why) override {
    still_starting_ = why;
    loop_.Stop();
  }
  void OnPart(uint64_t, const protocol::AnswerView&) override {}
  void OnAnswer(uint64_t, const protocol::AnswerView& answer) override {
    answer_ = std::to_string(answer.status) + " " + std::string(answer.body);
    loop_.Stop();
  }
  void OnRoom() override {}
  void OnFailed(const Error& why) override {
    failure_ = why.message();
    loop_.Stop();
  }

  void Start(uint16_t port) {
    ProgramPlan plan;
    plan.port = port;
    backend_ = std::make_unique<HttpBackend>(
        loop_, plan,
        [this](int, std::function<void(const std::string&)> on_end) -> Result<std::unique_ptr<ChildProcess>> {
          on_end_ = std::move(on_end);
          return std::unique_ptr<ChildProcess>();
        },
        *this, std::chrono::milliseconds(50));
    ASSERT_TRUE(backend_->Start().ok());
  }
  void Run() {
    loop_.After(std::chrono::seconds(30), [this] {
      ADD_FAILURE() << "waited in vain";
      loop_.Stop();
    });
    loop_.Run();
  }

  EventLoop loop_;
  std::unique_ptr<HttpBackend> backend_;
  std::function<void(const std::string&)> on_end_;
  std::function<void()> on_ready_ = [this] { loop_.Stop(); };
  std::string answer_, failure_, still_starting_;
};

TEST_F(HttpBackendTest, ItIsReadyOnceItsPingIsWellAndNotBefore) {
  std::atomic<int> pings = 0;
  OddServer server({[&pings](int fd) {
    for (const std::string_view answer :
         {std::string_view("HTTP/1.1 503 Not yet\r\nContent-Length: 0\r\n\r\n"), kWell}) {
      EXPECT_THAT(OddServer::Take(fd), HasSubstr("GET /ping HTTP/1.1"));
      ++pings;
      OddServer::Give(fd, answer);
    }
  }});
  Start(server.port());
  Run();
  EXPECT_EQ(pings, 2);
  EXPECT_EQ(failure_, "");
}

TEST_F(HttpBackendTest, ARequestThatIsNotAnsweredInTimeIsToldSo) {
  OddServer server({[](int fd) {
    (void)OddServer::Take(fd);
    OddServer::Give(fd, kWell);
    while (!OddServer::Take(fd).empty()) {  // says nothing
    }
  }});
  on_ready_ = [this] { backend_->Submit({.key = 1, .body = "x", .deadline = loop_.TurnTime()}); };
  Start(server.port());
  Run();
  EXPECT_THAT(answer_, HasSubstr("504 the program did not answer within 60 s"));
  EXPECT_TRUE(backend_->HasRoom());
  backend_.reset();
}

void TakeAndBreak(int fd) {
  (void)OddServer::Take(fd);
}

void AnswerAndBreak(int fd) {
  TakeAndBreak(fd);
  OddServer::Give(fd, kWell);
  TakeAndBreak(fd);
}

TEST_F(HttpBackendTest, AProgramThatEndsLeavesItsRequestsToAnotherInstance) {
  OddServer server({AnswerAndBreak, TakeAndBreak});  // a kept connection that breaks is tried anew
  on_ready_ = [this] {
    backend_->Submit({.key = 1, .body = "x", .deadline = Duration::max()});
    loop_.After(kEndTold / 2, [this] {
      EXPECT_FALSE(backend_->HasRoom()) << "what comes now would be lost as well";
      on_end_("was ended by signal 9");
    });
  };
  Start(server.port());
  Run();
  EXPECT_EQ(failure_, "the program was ended by signal 9");
  EXPECT_EQ(answer_, "");
  backend_.reset();
}

TEST_F(HttpBackendTest, AProgramThatLivesOnHasBrokenTheConnectionOfOneRequest) {
  OddServer server({AnswerAndBreak, TakeAndBreak});  // a kept connection that breaks is tried anew
  on_ready_ = [this] { backend_->Submit({.key = 1, .body = "x", .deadline = Duration::max()}); };
  Start(server.port());
  Run();
  EXPECT_THAT(answer_, HasSubstr("500 the program did not answer: "));
  EXPECT_EQ(failure_, "");
  EXPECT_TRUE(backend_->HasRoom());
  backend_.reset();
}

TEST_F(HttpBackendTest, OneThatAnswersAPingMeanwhileLivesOn) {
  const auto answer = [](int fd) {
    TakeAndBreak(fd);
    OddServer::Give(fd, kWell);
    (void)OddServer::Take(fd);
  };
  OddServer server({AnswerAndBreak, TakeAndBreak, answer});
  on_ready_ = [this] {
    backend_->Submit({.key = 1, .body = "x", .deadline = Duration::max()});
    loop_.After(kEndTold / 2, [this] { EXPECT_NE(answer_, "") << "nobody waits for an end that does not come"; });
  };
  Start(server.port());
  Run();
  EXPECT_THAT(answer_, HasSubstr("500 the program did not answer: "));
  EXPECT_EQ(failure_, "");
  backend_.reset();
}

TEST_F(HttpBackendTest, AProgramThatEndsBeforeItIsReadyIsSaidToHave) {
  OddServer server({});
  Start(server.port());
  loop_.Post([this] { on_end_("ended with exit code 3"); });
  Run();
  EXPECT_EQ(failure_, "the program ended with exit code 3 before it answered GET /ping");
  backend_.reset();
}

TEST_F(HttpBackendTest, OneThatDoesNotGetReadyIsToldOfWithTheReason) {
  uint16_t port = 0;
  {
    port = OddServer({}).port();
  }  // nobody listens there any more
  Start(port);
  Run();
  EXPECT_THAT(still_starting_, HasSubstr("GET /ping was not answered: "));
  EXPECT_EQ(failure_, "");
  backend_.reset();
}

}  // namespace
}  // namespace argosy::agent
