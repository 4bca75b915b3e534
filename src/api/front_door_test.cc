#include "api/front_door.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/fake_exchange.h"
#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/json.h"

namespace argosy::api {
namespace {

class OneKey : public auth::CredentialStore {
 public:
  auth::KeyLookup Find(std::string_view id, std::string_view /*token*/) const override {
    if (id != key.access_key_id) return {};
    return {.credential = std::make_shared<const auth::Credential>(key)};
  }
  auth::Credential key{"AKIAIOSFODNN7EXAMPLE",
                       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                       "",
                       {auth::PrincipalKind::kOwner, "owner", "arn:aws:iam::000000000000:user/owner"}};
};

class Sink : public http::BodySink {
 public:
  void Write(std::string_view piece, std::function<void(Status)> done) override {
    bytes += piece;
    done({});
  }
  void Abandon() override { abandoned = true; }
  std::string bytes;
  bool abandoned = false;
};

// Says its own name and who asked.
class NamedService : public Service {
 public:
  explicit NamedService(std::string name) : name_(std::move(name)) {}
  http::BodyPlan OnHead(const http::RequestView&, SignedHead signed_head, std::string_view request_id) override {
    head_chunks = std::move(signed_head.chunks);
    head_request_id = request_id;
    if (stream) return http::StreamBody{sink = std::make_shared<Sink>()};
    return http::BufferBody{1000};
  }
  void OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> body,
                 const auth::Principal& principal, std::string_view request_id) override {
    got_sink = body;
    http::Response response;
    response.body = name_ + " for " + principal.name + " as " + std::string(request_id);
    exchange->Respond(std::move(response));
  }
  http::Response OnTooLarge(const http::RequestView&, size_t, std::string_view) override {
    http::Response response;
    response.status = 413;
    response.body = name_;
    return response;
  }
  bool stream = false;
  std::unique_ptr<auth::ChunkSignatures> head_chunks;
  std::string head_request_id;
  std::shared_ptr<http::BodySink> sink, got_sink;

 private:
  std::string name_;
};

class FrontDoorTest : public testing::Test {
 protected:
  FrontDoorTest() : clock_(Time(std::chrono::seconds(1'700'000'000))), door_(&table_, &keys_, &clock_, 1) {
    table_.sagemaker = &sagemaker_;
    table_.logs = &logs_;
    table_.runtime = &runtime_;
    table_.s3 = &s3_;
    table_.sts = &sts_;
    table_.iam = &iam_;
    table_.pages["/-/health"] = HealthPage;
  }

  struct Request {
    std::string method = "POST";
    std::string target = "/";
    std::string service = "sagemaker";
    FakeExchange::Headers headers;
    std::string body;
    Duration skew{};
    std::string payload_hash;  // "" = of the body
  };

  std::shared_ptr<FakeExchange> Signed(Request request) {
    const size_t mark = request.target.find('?');
    const std::string path = request.target.substr(0, mark);
    const std::string query = mark == std::string::npos ? "" : request.target.substr(mark + 1);
    request.headers.emplace_back("Host", "127.0.0.1:9000");
    std::string hash = request.payload_hash.empty() ? Sha256Hex(request.body) : request.payload_hash;
    if (request.service == "s3") request.headers.emplace_back("x-amz-content-sha256", hash);
    for (auto& header : auth::Sign(keys_.key, "us-east-1", request.service, request.method, path, query,
                                   request.headers, hash, clock_.Now() + request.skew)) {
      request.headers.push_back(std::move(header));
    }
    return std::make_shared<FakeExchange>(request.method, request.target, request.headers, request.body);
  }

  // The whole way: head, body, request.
  http::Response Send(const std::shared_ptr<FakeExchange>& exchange) {
    http::BodyPlan plan = door_.OnHead(exchange->Head());
    if (auto* refuse = std::get_if<http::Refuse>(&plan)) {
      exchange->Respond(std::move(refuse->response));
    } else if (auto* stream = std::get_if<http::StreamBody>(&plan)) {
      stream->sink->Write(exchange->request().body, [](const Status& status) { EXPECT_TRUE(status.ok()); });
      door_.OnRequest(exchange, stream->sink);
    } else {
      door_.OnRequest(exchange, nullptr);
    }
    return exchange->Wait();
  }
  std::string BodyFor(Request request) { return BodyOf(Send(Signed(std::move(request)))); }

  OneKey keys_;
  ManualClock clock_;
  NamedService sagemaker_{"sagemaker"}, logs_{"logs"}, runtime_{"runtime"}, s3_{"s3"}, sts_{"sts"}, iam_{"iam"};
  FrontDoorTable table_;
  FrontDoor door_;
};

TEST_F(FrontDoorTest, TellsServicesApartByScopeThenTargetThenPath) {
  EXPECT_TRUE(
      BodyFor({.headers = {{"X-Amz-Target", "SageMaker.X"}}, .body = "{}"}).starts_with("sagemaker for owner as "));
  EXPECT_TRUE(BodyFor({.target = "/endpoints/e/invocations", .body = "1,2"}).starts_with("runtime for owner"));
  EXPECT_TRUE(
      BodyFor({.service = "logs", .headers = {{"X-Amz-Target", "Logs_20140328.X"}}}).starts_with("logs for owner"));
  EXPECT_TRUE(BodyFor({.service = "sts", .body = "Action=X"}).starts_with("sts for owner"));
  EXPECT_TRUE(BodyFor({.service = "iam", .body = "Action=X"}).starts_with("iam for owner"));
  EXPECT_TRUE(BodyFor({.method = "GET", .target = "/bucket/key", .service = "s3"}).starts_with("s3 for owner"));
  // A bucket may be called "endpoints".
  EXPECT_TRUE(BodyFor({.target = "/endpoints/e/invocations?uploads", .service = "s3"}).starts_with("s3 for owner"));
}

TEST_F(FrontDoorTest, EveryAnswerCarriesARequestId) {
  const http::Response response = Send(Signed({.headers = {{"X-Amz-Target", "SageMaker.X"}}}));
  const std::string id = HeaderOf(response, "x-amzn-RequestId");
  EXPECT_EQ(id.size(), 36u);
  EXPECT_TRUE(BodyOf(response).ends_with(id)) << "the service knows it too";
  EXPECT_NE(HeaderOf(Send(Signed({.headers = {{"X-Amz-Target", "SageMaker.X"}}})), "x-amzn-RequestId"), id);
  auto anonymous = std::make_shared<FakeExchange>("GET", "/bucket", FakeExchange::Headers{}, "");
  EXPECT_EQ(HeaderOf(Send(anonymous), "x-amzn-RequestId").size(), 36u);
  auto health = std::make_shared<FakeExchange>("GET", "/-/health", FakeExchange::Headers{}, "");
  EXPECT_EQ(HeaderOf(Send(health), "x-amzn-RequestId").size(), 36u);
}

struct AuthCase {
  const char* what;
  const char* json;
  const char* query;
  const char* s3;
};

TEST_F(FrontDoorTest, RefusesInTheWordsOfEachService) {
  const AuthCase cases[] = {
      {"missing", "MissingAuthenticationTokenException", "MissingAuthenticationToken", "AccessDenied"},
      {"unknown key", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"},
      {"wrong secret", "InvalidSignatureException", "SignatureDoesNotMatch", "SignatureDoesNotMatch"},
      {"skew", "InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed"},
  };
  const auth::Credential right = keys_.key;
  for (const AuthCase& c : cases) {
    const std::string what = c.what;
    const auto send = [&](Request request) {
      if (what == "unknown key") keys_.key.access_key_id = "AKIAUNKNOWNUNKNOWN00";
      if (what == "wrong secret") keys_.key.secret_access_key = "another";
      if (what == "skew") request.skew = std::chrono::minutes(-20);
      if (what == "missing") {
        keys_.key = right;
        request.headers.emplace_back("Host", "h");
        return Send(std::make_shared<FakeExchange>(request.method, request.target, request.headers, request.body));
      }
      auto exchange = Signed(std::move(request));
      keys_.key = right;
      return Send(exchange);
    };
    http::Response response = send({.headers = {{"X-Amz-Target", "SageMaker.X"}}, .body = "{}"});
    EXPECT_EQ(response.status, 403) << what;
    EXPECT_EQ(Json::parse(BodyOf(response)).value("__type", ""), c.json) << what;

    response = send({.target = "/endpoints/e/invocations"});
    EXPECT_EQ(response.status, 403) << what;
    EXPECT_EQ(HeaderOf(response, "x-amzn-ErrorType"), c.json) << what;

    response =
        send({.service = "sts", .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}}});
    EXPECT_EQ(response.status, 403) << what;
    EXPECT_NE(BodyOf(response).find("<Code>" + std::string(c.query) + "</Code>"), std::string::npos)
        << what << BodyOf(response);

    response = send({.method = "PUT", .target = "/bucket/key", .service = "s3", .body = "x"});
    EXPECT_EQ(response.status, 403) << what;
    EXPECT_NE(BodyOf(response).find("<Code>" + std::string(c.s3) + "</Code>"), std::string::npos) << what;
    EXPECT_EQ(HeaderOf(response, "content-type"), "application/xml");
  }
}

TEST_F(FrontDoorTest, OtherWaysToSignForS3AreNamed) {
  const auto answer = [&](std::string method, std::vector<std::pair<std::string, std::string>> headers) {
    headers.emplace_back("Host", "h");
    return BodyOf(Send(std::make_shared<FakeExchange>(std::move(method), "/bucket", std::move(headers), "")));
  };
  for (const char* authorization : {"Basic dXNlcjpwYXNz", "AWS key:signature", "Bearer x"}) {
    const std::string body = answer("GET", {{"Authorization", authorization}});
    EXPECT_NE(body.find("<Code>AuthorizationHeaderMalformed</Code>"), std::string::npos) << body;
    EXPECT_NE(body.find("does not begin with AWS4-HMAC-SHA256"), std::string::npos) << body;
  }
  const std::string form = answer("POST", {{"Content-Type", "multipart/form-data; boundary=b"}});
  EXPECT_NE(form.find("<Code>NotImplemented</Code>"), std::string::npos) << form;
  EXPECT_NE(form.find("presigned POST"), std::string::npos) << form;
}

TEST_F(FrontDoorTest, ABodyOtherThanTheSignedOneIsRefused) {
  auto exchange =
      Signed({.headers = {{"X-Amz-Target", "SageMaker.X"}}, .body = "{}", .payload_hash = Sha256Hex("{ }")});
  EXPECT_EQ(Json::parse(BodyOf(Send(exchange))).value("__type", ""), "InvalidSignatureException");
  // S3 signs the hash it announces, so the announcement is what is checked.
  exchange = Signed({.target = "/b/k", .service = "s3", .body = "{}", .payload_hash = Sha256Hex("{ }")});
  EXPECT_NE(BodyOf(Send(exchange)).find("<Code>XAmzContentSHA256Mismatch</Code>"), std::string::npos);
  exchange = Signed({.target = "/b/k", .service = "s3", .body = "{}", .payload_hash = "UNSIGNED-PAYLOAD"});
  EXPECT_TRUE(BodyOf(Send(exchange)).starts_with("s3 for owner"));
}

TEST_F(FrontDoorTest, S3IsCheckedAtTheHeadAndItsStreamKeepsThePrincipal) {
  s3_.stream = true;
  auto exchange = Signed({.method = "PUT", .target = "/b/k", .service = "s3", .body = "payload"});
  const std::string body = BodyOf(Send(exchange));
  EXPECT_EQ(body, "s3 for owner as " + s3_.head_request_id);
  EXPECT_EQ(s3_.head_chunks, nullptr) << "its chunks have no signatures";
  EXPECT_EQ(s3_.got_sink, s3_.sink) << "the service gets its own sink back";
  EXPECT_EQ(static_cast<const Sink&>(*s3_.sink).bytes, "payload");

  s3_.sink = nullptr;
  exchange =
      Signed({.method = "PUT", .target = "/b/k", .service = "s3", .body = "payload", .skew = std::chrono::hours(1)});
  EXPECT_TRUE(std::holds_alternative<http::Refuse>(door_.OnHead(exchange->Head())));
  EXPECT_EQ(s3_.sink, nullptr) << "the service is not asked";
}

TEST_F(FrontDoorTest, ClientsThatGoAwayReachTheServicesSink) {
  s3_.stream = true;
  auto exchange = Signed({.method = "PUT", .target = "/b/k", .service = "s3", .body = "payload"});
  http::BodyPlan plan = door_.OnHead(exchange->Head());
  std::get<http::StreamBody>(plan).sink->Abandon();
  EXPECT_TRUE(static_cast<const Sink&>(*s3_.sink).abandoned);
}

TEST_F(FrontDoorTest, ServicesThatAreNotHereAreUnknownOperationsByName) {
  http::Response response = Send(Signed(
      {.service = "application-autoscaling", .headers = {{"X-Amz-Target", "AnyScaleFrontendService.Register"}}}));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(Json::parse(BodyOf(response)).value("__type", ""), "UnknownOperationException");
  EXPECT_NE(BodyOf(response).find("AnyScaleFrontendService.Register"), std::string::npos);

  response = Send(Signed({.method = "PUT", .target = "/BatchPutMetrics"}));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(HeaderOf(response, "x-amzn-errortype"), "UnknownOperationException");

  table_.s3 = nullptr;
  EXPECT_EQ(Send(Signed({.method = "GET", .target = "/bucket", .service = "s3"})).status, 501);
}

TEST_F(FrontDoorTest, OwnPagesNeedNoKey) {
  auto health = std::make_shared<FakeExchange>("GET", "/-/health", FakeExchange::Headers{}, "");
  EXPECT_EQ(Send(health).status, 200);
  EXPECT_EQ(BodyOf(health->Wait()), "{\"status\":\"ready\"}\n");
  auto deletion = std::make_shared<FakeExchange>("DELETE", "/-/health", FakeExchange::Headers{}, "");
  EXPECT_EQ(Send(deletion).status, 405);
  auto other = std::make_shared<FakeExchange>("GET", "/-/else", FakeExchange::Headers{}, "");
  EXPECT_EQ(Send(other).status, 404);
}

TEST_F(FrontDoorTest, WhoNamesNoKnownKeyGetsNoRoomForALargeBody) {
  const auto plan_for = [this](const std::string& key, const FakeExchange::Headers& more) {
    auto signed_one = Signed({.target = "/endpoints/e/invocations", .headers = more, .body = "x"});
    FakeExchange::Headers headers = more;
    for (const auto& [name, value] : signed_one->request().headers) {
      if (name != "authorization" && name != "Authorization") continue;
      std::string text(value);
      text.replace(text.find(keys_.key.access_key_id), keys_.key.access_key_id.size(), key);
      headers.emplace_back("Authorization", text);
    }
    const auto exchange = std::make_shared<FakeExchange>("POST", "/endpoints/e/invocations", headers, "x");
    return door_.OnHead(exchange->Head());
  };
  const FakeExchange::Headers large = {{"Content-Length", "6000000"}};
  const FakeExchange::Headers chunked = {{"Transfer-Encoding", "chunked"}};
  EXPECT_TRUE(std::holds_alternative<http::BufferBody>(plan_for(keys_.key.access_key_id, large)));
  EXPECT_TRUE(std::holds_alternative<http::BufferBody>(plan_for("AKSTRANGER", {{"Content-Length", "60000"}})));
  for (const auto& headers : {large, chunked}) {
    const http::BodyPlan refused = plan_for("AKSTRANGER", headers);
    ASSERT_TRUE(std::holds_alternative<http::Refuse>(refused));
    EXPECT_EQ(std::get<http::Refuse>(refused).response.status, 403);
    EXPECT_FALSE(HeaderOf(std::get<http::Refuse>(refused).response, "x-amzn-requestid").empty());
  }
  auto unsigned_one = std::make_shared<FakeExchange>("POST", "/endpoints/e/invocations", large, "x");
  EXPECT_TRUE(std::holds_alternative<http::Refuse>(door_.OnHead(unsigned_one->Head())));
}

TEST_F(FrontDoorTest, WhatIsNoRequestIsAnsweredWithAnIdToo) {
  const http::Response response = door_.OnMalformed(431, "too much");
  EXPECT_EQ(response.status, 431);
  EXPECT_FALSE(HeaderOf(response, "x-amzn-requestid").empty());
}

TEST_F(FrontDoorTest, TooLargeBodiesAreTheServicesToWord) {
  auto exchange = Signed({.target = "/endpoints/e/invocations", .body = "x"});
  const http::Response response = door_.OnTooLarge(exchange->Head(), 10);
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(BodyOf(response), "runtime");
  EXPECT_FALSE(HeaderOf(response, "x-amzn-requestid").empty());
}

}  // namespace
}  // namespace argosy::api
