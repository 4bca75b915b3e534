#include <gtest/gtest.h>

#include "api/fake_exchange.h"
#include "api/sts/sts_service.h"

namespace argosy::api {
namespace {

http::Response Ask(QueryService& service, const std::string& body) {
  auto exchange = std::make_shared<FakeExchange>("POST", "/", FakeExchange::Headers{}, body);
  service.OnRequest(exchange, nullptr, kPrincipal, "id-1");
  return exchange->Wait();
}

TEST(Sts, SaysWhoIsAsking) {
  const http::Response response = Ask(*MakeStsService(), "Action=GetCallerIdentity&Version=2011-06-15");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(BodyOf(response),
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
            "<Arn>arn:aws:iam::000000000000:user/owner</Arn><UserId>owner</UserId><Account>000000000000</Account>"
            "</GetCallerIdentityResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>"
            "</GetCallerIdentityResponse>\n");
  EXPECT_NE(BodyOf(Ask(*MakeStsService(), "Action=AssumeRole")).find("<Code>InvalidAction</Code>"), std::string::npos);
}

}  // namespace
}  // namespace argosy::api
