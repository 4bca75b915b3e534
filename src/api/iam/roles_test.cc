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

}  // namespace
}  // namespace argosy::api::iam
