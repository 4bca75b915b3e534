#include "agent/serving_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/local_socket.h"

namespace argosy::agent {
namespace {

using protocol::FrameKind;

// Sums a row; "slow…" and large bodies are echoed by size, "fail" is the model's error, "throw" a fault of it.
class SumPredictor final : public model::Predictor {
 public:
  model::PredictionResult Predict(std::string_view content_type, std::string_view accept,
                                  std::string_view body) const override {
    if (body == "fail") return model::PredictionError{415, "not this content type"};
    if (body == "throw") throw std::bad_alloc();
    return model::Prediction{"application/json",
                             std::string(content_type) + "|" + std::string(accept) + "|" + std::to_string(body.size())};
  }
  bool PredictCsvRow(std::string_view row, std::string& out) const override {
    if (row == "odd") return false;
    if (row == "new") ++unseen_;
    out.append("sum of ").append(row);
    return true;
  }
  uint64_t unseen_categories() const override { return unseen_; }

 private:
  mutable std::atomic<uint64_t> unseen_ = 0;
};

class ServingHostTest : public testing::Test, public protocol::FrameStream::Owner {
 protected:
  ServingHostTest() {
    char name[] = "/tmp/argosy-serving-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    root_ = name;
    log_ = std::move(*LogSpool::Open(root_ / "log", &clock_));
    host_ = std::make_unique<ServingHost>(loop_, protocol::Hello{.instance_id = "i-1", .owner_uid = "u", .attempt = 3},
                                          std::make_unique<SumPredictor>(), 2, *log_);
    int fds[2];
    Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    host_->Adopt(UniqueFd(fds[0]));
    stream_ = protocol::FrameStream::Open(loop_, UniqueFd(fds[1]), *this);
  }
  ~ServingHostTest() override {
    stream_->Close();
    host_.reset();
    std::filesystem::remove_all(root_);
  }

  Status OnFrame(protocol::FrameStream&, const protocol::FrameView& frame) override {
    kinds_.push_back(frame.kind);
    if (frame.kind == FrameKind::kAnswer) {
      const auto answer = protocol::ParseAnswer(frame.payload);
      Check(answer.ok());
      answers_[frame.id] = {answer->status, std::string(answer->content_type), std::string(answer->body)};
    }
    if (kinds_.size() == expected_) loop_.Stop();
    return {};
  }
  void OnClosed(protocol::FrameStream&, const Error&) override {
    closed_ = true;
    loop_.Stop();
  }

  void Invoke(uint64_t id, std::string_view body, std::string_view type = "", std::string_view accept = "") {
    protocol::AppendInvoke(stream_->out(), id, {.content_type = type, .accept = accept, .body = body});
    stream_->WriteSoon();
  }
  void RunFor(size_t frames) {
    expected_ = frames;
    loop_.After(std::chrono::seconds(30), [this] {
      ADD_FAILURE() << "waited in vain";
      loop_.Stop();
    });
    loop_.Run();
  }

  struct Got {
    int status;
    std::string content_type, body;
    bool operator==(const Got&) const = default;
  };

  SystemClock clock_;
  std::filesystem::path root_;
  EventLoop loop_;
  std::unique_ptr<LogSpool> log_;
  std::unique_ptr<ServingHost> host_;
  std::shared_ptr<protocol::FrameStream> stream_;
  std::vector<FrameKind> kinds_;
  std::map<uint64_t, Got> answers_;
  size_t expected_ = 0;
  bool closed_ = false;
};

TEST_F(ServingHostTest, EachRequestIsAnsweredUnderItsNumber) {
  Invoke(7, "1,2", "text/csv", "text/csv");
  Invoke(8, "1,2\r\n", "text/csv", "text/csv");
  Invoke(9, "1,2\n3,4\n", "text/csv", "text/csv");
  Invoke(10, "odd", "text/csv", "text/csv");
  Invoke(11, "{}", "application/json", "*/*");
  protocol::AppendFrame(stream_->out(), FrameKind::kPing, 5, "");
  RunFor(6);
  EXPECT_EQ(answers_[7], (Got{200, "text/csv", "sum of 1,2\n"}));
  EXPECT_EQ(answers_[8], (Got{200, "text/csv", "sum of 1,2\n"}));
  EXPECT_EQ(answers_[9], (Got{200, "application/json", "text/csv|text/csv|8"}));
  EXPECT_EQ(answers_[10], (Got{200, "application/json", "text/csv|text/csv|3"}));
  EXPECT_EQ(answers_[11], (Got{200, "application/json", "application/json|*/*|2"}));
  EXPECT_EQ(kinds_.back(), FrameKind::kPong);
}

TEST_F(ServingHostTest, TheModelsErrorsAreAnswersAndAreLogged) {
  Invoke(1, "fail");
  Invoke(2, "throw");
  RunFor(2);
  EXPECT_EQ(answers_[1], (Got{415, "text/plain", "not this content type"}));
  EXPECT_EQ(answers_[2].status, 500);
  const std::string log = *log_->ReadLines(0, 10'000);
  EXPECT_THAT(log, testing::HasSubstr("request failed with 415: not this content type"));
}

TEST_F(ServingHostTest, CategoriesNeverSeenAreToldInTheLogOnceAMinute) {
  for (uint64_t id = 1; id <= 3; ++id) {
    Invoke(id, "new", "text/csv", "text/csv");
    RunFor(id);
  }
  const std::string log = *log_->ReadLines(0, 10'000);
  EXPECT_THAT(log, testing::HasSubstr("1 values so far were of categories"));
  EXPECT_THAT(log, testing::Not(testing::HasSubstr("2 values so far")));
}

TEST_F(ServingHostTest, FailingRequestsDoNotFillTheLog) {
  for (uint64_t i = 0; i < 500; ++i) Invoke(i, "fail");
  RunFor(500);
  const std::string log = *log_->ReadLines(0, 1 << 20);
  EXPECT_LE(std::count(log.begin(), log.end(), '\n'), 2 * kErrorLinesPerSecond);
}

TEST_F(ServingHostTest, ALargeRequestDoesNotHoldUpASmallOneBehindIt) {
  const std::string large(kInlineBodyBytesMax + 1, 'x');
  Invoke(1, large);
  Invoke(2, "1", "text/csv", "text/csv");
  RunFor(2);
  EXPECT_EQ(answers_[1].body, "||" + std::to_string(large.size()));
  EXPECT_EQ(answers_[2].body, "sum of 1\n");
}

TEST_F(ServingHostTest, AHelloForThisInstanceIsWelcomed) {
  protocol::AppendFrame(stream_->out(), FrameKind::kHello, 0, protocol::Hello{.instance_id = "i-1"}.ToJson());
  stream_->WriteSoon();
  RunFor(1);
  EXPECT_EQ(kinds_.front(), FrameKind::kWelcome);
}

TEST_F(ServingHostTest, AHelloForAnotherInstanceOrAttemptEndsTheConnection) {
  protocol::AppendFrame(stream_->out(), FrameKind::kHello, 0,
                        protocol::Hello{.instance_id = "i-1", .owner_uid = "u", .attempt = 2}.ToJson());
  stream_->WriteSoon();
  RunFor(1);
  EXPECT_TRUE(closed_);
  EXPECT_TRUE(kinds_.empty());
}

TEST_F(ServingHostTest, BytesThatAreNoFramesEndTheConnection) {
  stream_->out().append("GET / HTTP/1.1\r\n\r\n");
  stream_->WriteSoon();
  RunFor(1);
  EXPECT_TRUE(closed_);
}

TEST_F(ServingHostTest, StoppingAnswersWhatIsAtWorkFirst) {
  Invoke(1, std::string(kInlineBodyBytesMax + 1, 'x'));
  loop_.AtEndOfTurn([this] {
    loop_.Post([this] {
      loop_.Post([this] {
        host_->Stop(std::chrono::seconds(20), [this] {
          // What was written is still to be read here.
          loop_.Post([this] { loop_.Post([this] { loop_.Stop(); }); });
        });
      });
    });
  });
  RunFor(100);
  EXPECT_EQ(answers_.count(1), 1U);
}

TEST_F(ServingHostTest, TheSocketMayLieInADirectoryOfAnyName) {
  const std::filesystem::path directory = root_ / std::string(150, 'd');
  std::filesystem::create_directories(directory);
  ASSERT_TRUE(host_->Listen(directory / "sock").ok());
  Result<UniqueFd> connection = protocol::ConnectLocal(directory / "sock");
  ASSERT_TRUE(connection.ok()) << connection.error().message();
  stream_->Close();
  stream_ = protocol::FrameStream::Open(loop_, std::move(*connection), *this);
  Invoke(1, "1", "text/csv", "text/csv");
  RunFor(1);
  EXPECT_EQ(answers_[1].body, "sum of 1\n");
}

}  // namespace
}  // namespace argosy::agent
