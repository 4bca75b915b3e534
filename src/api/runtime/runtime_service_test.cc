#include "api/runtime/runtime_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "api/fake_exchange.h"
#include "api/runtime/event_stream.h"
#include "base/json.h"
#include "protocol/frame_stream.h"
#include "protocol/local_socket.h"

namespace argosy::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// An instance that answers by what it is asked: "status N" with that status, all else with what it was sent.
class EchoInstance final : public protocol::FrameStream::Owner, public FdHandler {
 public:
  EchoInstance(EventLoop& loop, const std::filesystem::path& socket) : loop_(loop) {
    listener_ = std::move(*protocol::ListenLocal(socket));
    Check(loop_.Watch(listener_.get(), 1 /* EPOLLIN */, this).ok());
  }
  void OnEvents(uint32_t) override {
    while (auto fd = protocol::AcceptLocal(listener_.get())) {
      streams_.push_back(protocol::FrameStream::Open(loop_, std::move(*fd), *this));
    }
  }
  Status OnFrame(protocol::FrameStream& stream, const protocol::FrameView& frame) override {
    if (frame.kind == protocol::FrameKind::kGrant) granted += *protocol::ParseGrant(frame.payload);
    if (frame.kind == protocol::FrameKind::kInvokeInParts) return AnswerInParts(stream, frame);
    if (frame.kind != protocol::FrameKind::kInvoke) return {};
    const protocol::InvokeView invoke = *protocol::ParseInvoke(frame.payload);
    if (invoke.body == "die") return Error(ErrorCode::kInternal, "told to");
    if (invoke.body.starts_with("status ")) {
      const auto status = static_cast<uint16_t>(*ParseInt(invoke.body.substr(7)));
      protocol::AppendAnswer(stream.out(), frame.id, {.status = status, .body = "the model says no"});
    } else {
      const std::string body = std::string(invoke.content_type) + "|" + std::string(invoke.accept) + "|" +
                               std::string(invoke.inference_id) + "|" + std::string(invoke.body.substr(0, 100));
      protocol::AppendAnswer(
          stream.out(), frame.id,
          {.status = 200, .content_type = "text/csv", .custom_attributes = invoke.custom_attributes, .body = body});
    }
    stream.WriteSoon();
    return {};
  }
  void OnClosed(protocol::FrameStream&, const Error&) override {}

  // "to be", and then as the body says: an end, an error, or none.
  Status AnswerInParts(protocol::FrameStream& stream, const protocol::FrameView& frame) {
    const protocol::InvokeView invoke = *protocol::ParseInvoke(frame.payload);
    const protocol::AnswerView to{
        .status = 200, .content_type = invoke.accept, .custom_attributes = "seen", .body = "to "};
    if (invoke.body != "refused") {
      protocol::AppendAnswer(stream.out(), frame.id, to, protocol::FrameKind::kPart);
      protocol::AppendAnswer(stream.out(), frame.id, {.status = 200, .body = "be"}, protocol::FrameKind::kPart);
    }
    if (invoke.body == "lost") {
      stream.WriteSoon();
      loop_.After(std::chrono::milliseconds(1), [lost = stream.shared_from_this()] { lost->Close(); });
      return {};
    }
    if (invoke.body == "whole") {
      protocol::AppendAnswer(stream.out(), frame.id, {.status = 200, .body = "!"});
    } else {
      protocol::AppendAnswer(stream.out(), frame.id, {.status = 500, .body = "the model broke"});
    }
    stream.WriteSoon();
    return {};
  }

  std::atomic<size_t> granted = 0;

 private:
  EventLoop& loop_;
  UniqueFd listener_;
  std::vector<std::shared_ptr<protocol::FrameStream>> streams_;
};

// FakeExchange answers on whatever loop it is told to be on.
class LoopExchange final : public http::Exchange {
 public:
  LoopExchange(std::shared_ptr<FakeExchange> inner, Scheduler& loop) : inner_(std::move(inner)), loop_(loop) {}
  const http::RequestView& request() const override { return inner_->request(); }
  void Respond(http::Response response) override { inner_->Respond(std::move(response)); }
  void RespondRaw(std::string_view bytes) override { inner_->RespondRaw(bytes); }
  void RespondInPieces(http::Response&& head) override { inner_->RespondInPieces(std::move(head)); }
  void WritePiece(std::string_view piece, Task taken) override { inner_->WritePiece(piece, std::move(taken)); }
  void EndPieces() override { inner_->EndPieces(); }
  bool abandoned() const override { return false; }
  Scheduler& loop() override { return loop_; }

 private:
  const std::shared_ptr<FakeExchange> inner_;
  Scheduler& loop_;
};

class RuntimeServiceTest : public testing::Test {
 protected:
  RuntimeServiceTest() : clock_(FromUnixMillis(1'700'000'000'000)), router_(control_, {&loop_}, clock_, nullptr, 1) {
    char name[] = "/tmp/argosy-runtime-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    root_ = name;
    instance_ = std::make_unique<EchoInstance>(loop_, root_ / "sock");
    service_ = MakeRuntimeService(&router_, &clock_, {"us-east-1", "000000000000"});
    router_.SetRoute("digits", serving::Route{"uid", {{"blue", 1.0, {{"i-1", root_ / "sock"}}}}});
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~RuntimeServiceTest() override {
    loop_.Stop();
    thread_.join();
    std::filesystem::remove_all(root_);
  }

  const http::Response& Send(std::string target, FakeExchange::Headers headers, std::string body,
                             std::string method = "POST") {
    exchange_ =
        std::make_shared<FakeExchange>(std::move(method), std::move(target), std::move(headers), std::move(body));
    loop_.Post([this] {
      service_->OnRequest(std::make_shared<LoopExchange>(exchange_, loop_), nullptr, principal_, "request-1");
    });
    return exchange_->Wait();
  }
  static Json BodyJson(const http::Response& response) { return *ParseJson(BodyOf(response)); }

  ManualClock clock_;
  const auth::Principal principal_;
  std::filesystem::path root_;
  EventLoop control_;
  EventLoop loop_;
  serving::Router router_;
  std::unique_ptr<EchoInstance> instance_;
  std::unique_ptr<Service> service_;
  std::shared_ptr<FakeExchange> exchange_;
  std::thread thread_;
};

TEST_F(RuntimeServiceTest, AnInvocationIsAWholeResponseWithSageMakersHeaders) {
  const http::Response& response = Send("/endpoints/digits/invocations",
                                        {{"content-type", "text/csv;label_size=0"},
                                         {"accept", "application/json"},
                                         {"X-Amzn-SageMaker-Custom-Attributes", "mine"},
                                         {"X-Amzn-SageMaker-Inference-Id", "id-7"}},
                                        "1,2,3");
  EXPECT_EQ(BodyOf(response),
            "HTTP/1.1 200 OK\r\n"
            "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
            "x-amzn-RequestId: request-1\r\n"
            "x-amzn-Invoked-Production-Variant: blue\r\n"
            "Content-Type: text/csv\r\n"
            "X-Amzn-SageMaker-Custom-Attributes: mine\r\n"
            "Content-Length: 49\r\n\r\n"
            "text/csv;label_size=0|application/json|id-7|1,2,3");
}

TEST_F(RuntimeServiceTest, HeadersMayBeAbsentAndABodyEmpty) {
  EXPECT_THAT(BodyOf(Send("/endpoints/digits/invocations", {}, "")), testing::EndsWith("\r\n\r\n|||"));
}

TEST_F(RuntimeServiceTest, AnUnknownEndpointIsTheRealServicesValidationError) {
  const http::Response& response = Send("/endpoints/nobody/invocations", {}, "1");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(HeaderOf(response, "x-amzn-ErrorType"), "ValidationError");
  EXPECT_EQ(HeaderOf(response, "x-amzn-RequestId"), "request-1");
  EXPECT_EQ(BodyJson(response)["Message"], "Endpoint nobody of account 000000000000 not found.");
}

TEST_F(RuntimeServiceTest, AnUnknownTargetVariantIsRefused) {
  const http::Response& response =
      Send("/endpoints/digits/invocations", {{"X-Amzn-SageMaker-Target-Variant", "green"}}, "1");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(BodyJson(response)["Message"].get<std::string>(), HasSubstr("green"));
  EXPECT_THAT(BodyOf(Send("/endpoints/digits/invocations", {{"x-amzn-sagemaker-target-variant", "blue"}}, "1")),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(RuntimeServiceTest, WhatTheModelRefusesIsAModelError) {
  const http::Response& response = Send("/endpoints/digits/invocations", {}, "status 415");
  EXPECT_EQ(response.status, 424);
  EXPECT_EQ(HeaderOf(response, "x-amzn-ErrorType"), "ModelError");
  const Json body = BodyJson(response);
  EXPECT_EQ(body["OriginalStatusCode"], 415);
  EXPECT_EQ(body["OriginalMessage"], "the model says no");
  EXPECT_EQ(body["LogStreamArn"], "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/digits");
  EXPECT_THAT(body["Message"].get<std::string>(), StartsWith("Received client error (415) from primary"));
  EXPECT_THAT(BodyJson(Send("/endpoints/digits/invocations", {}, "status 500"))["Message"].get<std::string>(),
              StartsWith("Received server error (500)"));
}

TEST_F(RuntimeServiceTest, AnInstanceThatDiesIsAFaultOfOurs) {
  const http::Response& response = Send("/endpoints/digits/invocations", {}, "die");
  // Its connection is gone; the only instance of the variant cannot be tried again.
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(HeaderOf(response, "x-amzn-ErrorType"), "InternalFailure");
}

TEST_F(RuntimeServiceTest, BeyondTheBoundItIsSaidWhenToComeAgain) {
  router_.SetRoute("asleep", serving::Route{"uid", {{"blue", 1.0, {}}}});
  std::vector<std::shared_ptr<FakeExchange>> waiting;
  for (size_t i = 0; i < serving::kQueuedRequestsMax; ++i) {
    waiting.push_back(
        std::make_shared<FakeExchange>("POST", "/endpoints/asleep/invocations", FakeExchange::Headers{}, "1"));
    loop_.Post([this, exchange = waiting.back()] {
      service_->OnRequest(std::make_shared<LoopExchange>(exchange, loop_), nullptr, principal_, "request-1");
    });
  }
  const http::Response& response = Send("/endpoints/asleep/invocations", {}, "1");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(HeaderOf(response, "x-amzn-ErrorType"), "ServiceUnavailable");
  EXPECT_EQ(HeaderOf(response, "Retry-After"), "1");
}

TEST_F(RuntimeServiceTest, WhatIsNotThereIsRefusedByName) {
  EXPECT_THAT(BodyOf(Send("/endpoints/digits/async-invocations", {}, "")), HasSubstr("InvokeEndpointAsync"));
  EXPECT_THAT(BodyOf(Send("/endpoints/digits/invocations", {{"X-Amzn-SageMaker-Target-Model", "m"}}, "")),
              HasSubstr("X-Amzn-SageMaker-Target-Model"));
  for (const auto& [method, target] :
       std::vector<std::pair<std::string, std::string>>{{"GET", "/endpoints/digits/invocations"},
                                                        {"POST", "/endpoints/digits"},
                                                        {"POST", "/endpoints//invocations"}}) {
    const http::Response& response = Send(target, {}, "", method);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(HeaderOf(response, "x-amzn-ErrorType"), "UnknownOperationException");
  }
}

TEST_F(RuntimeServiceTest, AnAnswerInPartsIsEvents) {
  const http::Response& response =
      Send("/endpoints/digits/invocations-response-stream",
           {{"X-Amzn-SageMaker-Accept", "text/x-words"}, {"Accept", "application/vnd.amazon.eventstream"}}, "whole");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Content-Type"), kEventStreamType);
  EXPECT_EQ(HeaderOf(response, "X-Amzn-SageMaker-Content-Type"), "text/x-words");
  EXPECT_EQ(HeaderOf(response, "X-Amzn-SageMaker-Custom-Attributes"), "seen");
  EXPECT_EQ(HeaderOf(response, "x-Amzn-Invoked-Production-Variant"), "blue");
  std::string events;
  for (const char* part : {"to ", "be", "!"}) AppendPayloadPart(events, part);
  EXPECT_EQ(BodyOf(response), events);
}

TEST_F(RuntimeServiceTest, APartThatTheClientHasIsGranted) {
  Send("/endpoints/digits/invocations-response-stream", {}, "whole");
  for (int i = 0; i < 60'000 && instance_->granted < 5; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(instance_->granted, 5u);  // "to " and "be"; the end needs none
}

TEST_F(RuntimeServiceTest, AStreamThatBreaksEndsInAnErrorEvent) {
  EXPECT_THAT(BodyOf(Send("/endpoints/digits/invocations-response-stream", {}, "broken")),
              testing::AllOf(HasSubstr("PayloadPart"), HasSubstr("ModelStreamError"), HasSubstr("the model broke")));
  // What has been begun is not asked of another instance.
  EXPECT_THAT(BodyOf(Send("/endpoints/digits/invocations-response-stream", {}, "lost")),
              testing::AllOf(HasSubstr("PayloadPart"), HasSubstr("InternalStreamFailure")));
}

TEST_F(RuntimeServiceTest, AnErrorBeforeTheFirstPartIsAnOrdinaryOne) {
  const http::Response& response = Send("/endpoints/digits/invocations-response-stream", {}, "refused");
  EXPECT_EQ(response.status, 424);
  EXPECT_EQ(BodyJson(response)["OriginalMessage"], "the model broke");
}

TEST_F(RuntimeServiceTest, ABodyOverSixMegabytesIsRefusedSayingSo) {
  FakeExchange exchange("POST", "/endpoints/digits/invocations", {}, "");
  http::RequestView head = exchange.Head();
  head.content_length = 7'000'000;
  const http::BodyPlan plan = service_->OnHead(head, {}, "request-1");
  EXPECT_EQ(std::get<http::BufferBody>(plan).size_max, 6'291'456U);
  const http::Response response = service_->OnTooLarge(head, 6'291'456, "request-1");
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(BodyOf(response), HasSubstr("7000000 bytes has exceeded max allowed of 6291456 bytes"));
}

}  // namespace
}  // namespace argosy::api
