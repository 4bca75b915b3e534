#include "api/json_service.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "api/fake_exchange.h"

namespace argosy::api {
namespace {

class JsonServiceTest : public testing::Test {
 protected:
  JsonServiceTest() : pool_("test", 1, 4), service_(Options(), Operations(), &pool_) {}

  static JsonServiceOptions Options() {
    return {.name = "Things", .target_prefix = "ThingService", .invalid_code = "InvalidThing"};
  }

  std::vector<Operation> Operations() {
    std::vector<Operation> operations;
    const Shape input = Structure({Optional("Text", String().AtMost(3))});
    const auto handle = [this](const Call& call, Reply reply) {
      ran_on_ = std::this_thread::get_id();
      reply(DumpJson(Json{{"Echo", call.input.value("Text", "")}, {"Who", call.principal.name}}));
    };
    operations.push_back({"Fast", "", auth::Access::kRead, input, RunOn::kLoop, handle});
    operations.push_back({"Slow", "", auth::Access::kChange, input, RunOn::kPool, handle});
    operations.push_back({"Void", "", auth::Access::kRead, Structure({}), RunOn::kLoop,
                          [](const Call&, Reply reply) { reply(std::string()); }});
    operations.push_back({"Fail", "", auth::Access::kRead, Structure({}), RunOn::kLoop, [](const Call&, Reply reply) {
                            reply(FromError(Error(ErrorCode::kResourceExhausted, "too many wait")));
                          }});
    return operations;
  }

  std::shared_ptr<FakeExchange> Ask(const std::string& target, const std::string& body) {
    auto exchange = std::make_shared<FakeExchange>("POST", "/", FakeExchange::Headers{{"X-Amz-Target", target}}, body);
    service_.OnRequest(exchange, nullptr, kPrincipal, "id");
    exchange->Wait();
    return exchange;
  }
  static std::string CodeOf(FakeExchange& exchange) { return Json::parse(BodyOf(exchange.Wait())).value("__type", ""); }
  static std::string MessageOf(FakeExchange& exchange) {
    return Json::parse(BodyOf(exchange.Wait())).value("message", "");
  }

  std::thread::id ran_on_;
  ThreadPool pool_;
  JsonService service_;
};

TEST_F(JsonServiceTest, RunsWhatTheTargetNames) {
  auto exchange = Ask("ThingService.Fast", R"({"Text":"abc"})");
  EXPECT_EQ(exchange->Wait().status, 200);
  EXPECT_EQ(BodyOf(exchange->Wait()), R"({"Echo":"abc","Who":"owner"})");
  EXPECT_EQ(HeaderOf(exchange->Wait(), "content-type"), "application/x-amz-json-1.1");
}

TEST_F(JsonServiceTest, WhatMayWaitRunsOnThePoolAndTheRestOnTheLoop) {
  Ask("ThingService.Fast", "{}");
  EXPECT_EQ(ran_on_, std::this_thread::get_id());
  Ask("ThingService.Slow", "{}");
  EXPECT_NE(ran_on_, std::this_thread::get_id());
  // A body that takes long to parse does not hold the loop either.
  Ask("ThingService.Fast", R"({"Other":")" + std::string(100'000, 'x') + R"("})");
  EXPECT_NE(ran_on_, std::this_thread::get_id());
}

TEST_F(JsonServiceTest, UnknownOperationsAreNamed) {
  auto exchange = Ask("ThingService.CreateElephant", "{}");
  EXPECT_EQ(exchange->Wait().status, 400);
  EXPECT_EQ(CodeOf(*exchange), "UnknownOperationException");
  EXPECT_EQ(MessageOf(*exchange), "Argosy does not have the operation 'CreateElephant' of Things.");
  EXPECT_EQ(CodeOf(*Ask("OtherService.Fast", "{}")), "UnknownOperationException");
  EXPECT_EQ(CodeOf(*Ask("", "{}")), "UnknownOperationException");
}

TEST_F(JsonServiceTest, RequestsAreCheckedBeforeTheHandlerSeesThem) {
  EXPECT_EQ(CodeOf(*Ask("ThingService.Fast", "{")), "SerializationException");
  EXPECT_EQ(CodeOf(*Ask("ThingService.Fast", R"({"Text":7})")), "SerializationException");
  auto exchange = Ask("ThingService.Fast", R"({"Text":"abcd"})");
  EXPECT_EQ(CodeOf(*exchange), "InvalidThing");
  EXPECT_TRUE(MessageOf(*exchange).starts_with("1 validation error detected: Value 'abcd' at 'text'"));
  EXPECT_EQ(ran_on_, std::thread::id());
  std::string deep(200'000, '[');
  EXPECT_EQ(CodeOf(*Ask("ThingService.Fast", "{\"Text\":" + deep)), "SerializationException");
}

TEST_F(JsonServiceTest, EmptyBodiesBothWays) {
  EXPECT_EQ(BodyOf(Ask("ThingService.Void", "")->Wait()), "");
  EXPECT_EQ(Ask("ThingService.Void", "")->Wait().status, 200);
}

TEST_F(JsonServiceTest, BoundsReachedAreThrottling) {
  auto exchange = Ask("ThingService.Fail", "{}");
  EXPECT_EQ(CodeOf(*exchange), "ThrottlingException");
  EXPECT_EQ(exchange->Wait().status, 400);
}

TEST_F(JsonServiceTest, TooLargeBodiesAreRefused) {
  const FakeExchange exchange("POST", "/", {}, "");
  const http::BodyPlan plan = service_.OnHead(exchange.Head(), {}, "");
  const size_t size_max = std::get<http::BufferBody>(plan).size_max;
  EXPECT_GE(size_max, 500'000u);
  EXPECT_EQ(service_.OnTooLarge(exchange.Head(), size_max, "id").status, 413);
}

}  // namespace
}  // namespace argosy::api
