#include "api/query_service.h"

#include <gtest/gtest.h>

#include "api/fake_exchange.h"

namespace argosy::api {
namespace {

QueryService MakeService() {
  std::vector<QueryAction> actions;
  actions.push_back(
      {"Greet", "", [](const Form& form, const auth::Principal&) -> std::variant<std::string, ServiceError> {
         const auto who = form.find("Who");
         if (who == form.end()) return ServiceError{400, "MissingParameter", "Who is <missing>"};
         return "<Greeting>" + EscapeXml(who->second) + "</Greeting>";
       }});
  return QueryService("Greetings", "https://example.com/doc/", std::move(actions));
}

std::string Answer(const std::string& body, int status) {
  QueryService service = MakeService();
  auto exchange = std::make_shared<FakeExchange>("POST", "/", FakeExchange::Headers{}, body);
  service.OnRequest(exchange, nullptr, kPrincipal, "id-1");
  EXPECT_EQ(exchange->Wait().status, status) << body;
  EXPECT_EQ(HeaderOf(exchange->Wait(), "content-type"), "text/xml");
  return BodyOf(exchange->Wait());
}

TEST(QueryService, AnswersTheActionOfTheForm) {
  EXPECT_EQ(
      Answer("Action=Greet&Version=2011-06-15&Who=A+%26+B%3C", 200),
      "<GreetResponse xmlns=\"https://example.com/doc/\"><GreetResult><Greeting>A &amp; B&lt;</Greeting></GreetResult>"
      "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GreetResponse>\n");
}

TEST(QueryService, ErrorsAreTheProtocols) {
  EXPECT_EQ(Answer("Action=Greet", 400),
            "<ErrorResponse xmlns=\"https://example.com/doc/\"><Error><Type>Sender</Type><Code>MissingParameter</Code>"
            "<Message>Who is &lt;missing&gt;</Message></Error><RequestId>id-1</RequestId></ErrorResponse>\n");
  EXPECT_NE(Answer("Action=Part&Who=x", 400).find("<Code>InvalidAction</Code>"), std::string::npos);
  EXPECT_NE(Answer("Action=Part&Who=x", 400).find("&apos;Part&apos;"), std::string::npos);
  EXPECT_NE(Answer("Who=x", 400).find("<Code>MissingAction</Code>"), std::string::npos);
  EXPECT_NE(Answer("Action=%zz", 400).find("<Code>MalformedQueryString</Code>"), std::string::npos);
}

TEST(Form, DecodesAndBounds) {
  const auto form = ParseForm("a=1&b=x+y%2B&c&&=z&a=2");
  ASSERT_TRUE(form.has_value());
  EXPECT_EQ(*form, (Form{{"", "z"}, {"a", "2"}, {"b", "x y+"}, {"c", ""}}));
  EXPECT_FALSE(ParseForm("a=%4").has_value());
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "k=v&";
  EXPECT_FALSE(ParseForm(many).has_value());
}

TEST(Xml, ControlCharactersAreReplaced) {
  EXPECT_EQ(EscapeXml(std::string("a\x01\n\"'", 5)), "a?\n&quot;&apos;");
}

}  // namespace
}  // namespace argosy::api
