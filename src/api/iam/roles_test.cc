#include <gtest/gtest.h>

#include "api/fake_exchange.h"
#include "api/iam/iam_service.h"

namespace argosy::api::iam {
namespace {

http::Response AskIam(const std::string& body) {
  ThreadPool pool("test", 1, 10);
  const std::unique_ptr<Service> service = MakeIamService({.pool = &pool});
  auto exchange = std::make_shared<FakeExchange>("POST", "/", FakeExchange::Headers{}, body);
  service->OnRequest(exchange, nullptr, kPrincipal, "id-1");
  return exchange->Wait();
}

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

constexpr const char* kSource = "PolicySourceArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Fargosy";

TEST(Roles, EveryRoleIsThereAndTrustsSageMaker) {
  const http::Response response = AskIam("Action=GetRole&Version=2010-05-08&RoleName=argosy");
  EXPECT_EQ(response.status, 200);
  const std::string body = BodyOf(response);
  EXPECT_NE(body.find("<Arn>arn:aws:iam::000000000000:role/argosy</Arn>"), std::string::npos) << body;
  EXPECT_NE(body.find("%22Service%22%3A%22sagemaker.amazonaws.com%22"), std::string::npos) << body;
  EXPECT_EQ(BodyOf(AskIam("Action=GetRole&RoleName=argosy")), body);
}

TEST(Roles, ANameThatIamWouldNotTakeIsRefused) {
  for (const std::string& name : {std::string(), std::string("a%2Fb"), std::string(65, 'a'), std::string("a%3Cb")}) {
    const http::Response response = AskIam("Action=GetRole&RoleName=" + name);
    EXPECT_EQ(response.status, 400) << name;
    EXPECT_NE(BodyOf(response).find("<Code>ValidationError</Code>"), std::string::npos);
  }
}

TEST(Roles, EachActionOfEachResourceIsDecided) {
  const std::string body = BodyOf(AskIam(std::string("Action=SimulatePrincipalPolicy&") + kSource +
                                         "&ActionNames.member.1=s3%3AGetObject&ActionNames.member.2=s3%3APutObject"
                                         "&ResourceArns.member.1=arn%3Aaws%3As3%3A%3A%3Aa&ResourceArns.member.2=%2A"));
  EXPECT_EQ(CountOf(body, "<EvalDecision>allowed</EvalDecision>"), 4U) << body;
  EXPECT_EQ(CountOf(body, "<EvalResourceName>*</EvalResourceName>"), 2U);
  EXPECT_NE(body.find("<IsTruncated>false</IsTruncated>"), std::string::npos);
}

TEST(Roles, DecisionsComeInPages) {
  std::string query = std::string("Action=SimulatePrincipalPolicy&MaxItems=2&") + kSource;
  for (int i = 1; i <= 3; ++i) query += "&ActionNames.member." + std::to_string(i) + "=s3%3AGet" + std::to_string(i);
  const std::string first = BodyOf(AskIam(query));
  EXPECT_EQ(CountOf(first, "<member>"), 2U);
  EXPECT_NE(first.find("<IsTruncated>true</IsTruncated>"), std::string::npos) << first;
  const std::string second = BodyOf(AskIam(query + "&Marker=2"));
  EXPECT_EQ(CountOf(second, "<member>"), 1U);
  EXPECT_NE(second.find("<EvalActionName>s3:Get3</EvalActionName>"), std::string::npos) << second;
  EXPECT_NE(second.find("<IsTruncated>false</IsTruncated>"), std::string::npos);
}

TEST(Roles, WhatIsNoSimulationIsRefused) {
  const std::string source = kSource;
  for (const auto& [query, code] : std::vector<std::pair<std::string, std::string>>{
           {source, "ValidationError"},                                                    // no actions
           {source + "&ActionNames.member.1=everything", "ValidationError"},               // no service
           {"PolicySourceArn=me&ActionNames.member.1=s3%3AGetObject", "ValidationError"},  // no ARN
           {source + "&ActionNames.member.1=s3%3AGet&MaxItems=0", "ValidationError"},      //
           {source + "&ActionNames.member.1=s3%3AGet&Marker=2", "ValidationError"},        // past the end
           {source + "&ActionNames.member.1=s3%3AGet&ResourceArns.member.1=", "ValidationError"},
           {source + "&ActionNames.member.1=s3%3AGet&PolicyInputList.member.1=%7B%7D",
            "ValidationError"},  // no policies
           {"PolicySourceArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fx&ActionNames.member.1=s3%3AGet",
            "NoSuchEntity"},  // another account
       }) {
    const std::string body = BodyOf(AskIam("Action=SimulatePrincipalPolicy&" + query));
    EXPECT_NE(body.find("<Code>" + code + "</Code>"), std::string::npos) << query << "\n" << body;
  }
}

}  // namespace
}  // namespace argosy::api::iam
