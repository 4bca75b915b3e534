#include "api/validation.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/patterns.h"

namespace argosy::api {
namespace {

Shape Example() {
  return Structure({
      Required("JobName", String().Length(1, 8).Matching(kNamePattern)),
      Optional("Count", Integer().Range(1, 10)),
      Optional("Big", Long().AtLeast(0)),
      Optional("Weight", Double().AtLeast(0)),
      Optional("Flag", Boolean()),
      Optional("At", Timestamp()),
      Optional("Mode", Enum({"File", "Pipe"})).Only({"File"}),
      Optional("Items", List(Structure({Required("Name", String().Length(1, 4))})).Length(0, 2)),
      Optional("Env", Map(String().AtMost(3).Matching(kEnvironmentKeyPattern), String().Length(0, 5))),
      Optional("Spot", Boolean()).Refused("spot machines"),
      Optional("Config", Document()).Refused("configurations"),
      Optional("Hosts", Integer().AtLeast(1)).UpTo(1, "several hosts"),
      Optional("Hook", Document()).Echoed(),
  });
}

std::string ErrorOf(const std::string& text) {
  const std::optional<ServiceError> error = Validate(Example(), Json::parse(text), "CreateThing");
  return error ? error->code + ": " + error->message : "";
}

struct ValidationCase {
  const char* request;
  const char* error;  // "" = valid
};

TEST(Validation, WordsErrorsAsTheServiceDoes) {
  const ValidationCase cases[] = {
      {R"({"JobName":"a"})", ""},
      {R"({})",
       "ValidationException: 1 validation error detected: Value null at 'jobName' failed to satisfy constraint: Member "
       "must "
       "not be null"},
      {R"({"JobName":null})",
       "ValidationException: 1 validation error detected: Value null at 'jobName' failed to satisfy constraint: Member "
       "must "
       "not be null"},
      {R"({"JobName":"a_b"})",
       "ValidationException: 1 validation error detected: Value 'a_b' at 'jobName' failed to satisfy constraint: "
       "Member must "
       "satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"},
      {R"({"JobName":"aaaaaaaaa"})",
       "ValidationException: 1 validation error detected: Value 'aaaaaaaaa' at 'jobName' failed to satisfy constraint: "
       "Member "
       "must have length less than or equal to 8"},
      {R"({"JobName":""})",
       "ValidationException: 2 validation errors detected: Value '' at 'jobName' failed to satisfy constraint: Member "
       "must "
       "have length greater than or equal to 1; Value '' at 'jobName' failed to satisfy constraint: Member must "
       "satisfy "
       "regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"},
      {R"({"JobName":"a","Count":0})",
       "ValidationException: 1 validation error detected: Value '0' at 'count' failed to satisfy constraint: Member "
       "must have "
       "value greater than or equal to 1"},
      {R"({"JobName":"a","Count":11,"Mode":"Tape"})",
       "ValidationException: 2 validation errors detected: Value '11' at 'count' failed to satisfy constraint: Member "
       "must "
       "have value less than or equal to 10; Value 'Tape' at 'mode' failed to satisfy constraint: Member must satisfy "
       "enum "
       "value set: [File, Pipe]"},
      {R"({"JobName":"a","Items":[{"Name":"ok"},{"Name":"longer"}]})",
       "ValidationException: 1 validation error detected: Value 'longer' at 'items.2.member.name' failed to satisfy "
       "constraint: Member must have length less than or equal to 4"},
      {R"({"JobName":"a","Items":[{}]})",
       "ValidationException: 1 validation error detected: Value null at 'items.1.member.name' failed to satisfy "
       "constraint: "
       "Member must not be null"},
      {R"({"JobName":"a","Items":[{"Name":"a"},{"Name":"b"},{"Name":"c"}]})",
       "ValidationException: 1 validation error detected: Value '[{Name=a}, {Name=b}, {Name=c}]' at 'items' failed to "
       "satisfy "
       "constraint: Member must have length less than or equal to 2"},
      {R"({"JobName":"a","Env":{"A":"123456"}})",
       "ValidationException: 1 validation error detected: Value '{A=123456}' at 'env' failed to satisfy constraint: "
       "Map value "
       "must satisfy constraint: [Member must have length less than or equal to 5, Member must have length greater "
       "than or "
       "equal to 0]"},
      {R"({"JobName":"a","Env":{"9":"1"}})",
       "ValidationException: 1 validation error detected: Value '{9=1}' at 'env' failed to satisfy constraint: Map "
       "keys must "
       "satisfy constraint: [Member must have length less than or equal to 3, Member must satisfy regular expression "
       "pattern: "
       "[a-zA-Z_][a-zA-Z0-9_]*]"},
      {R"({"JobName":"a","Weight":-0.5})",
       "ValidationException: 1 validation error detected: Value '-0.5' at 'weight' failed to satisfy constraint: "
       "Member must "
       "have value greater than or equal to 0"},
      // Types.
      {R"({"JobName":5})", "SerializationException: NUMBER_VALUE can not be converted to a String"},
      {R"({"JobName":"a","Count":"5"})", "SerializationException: STRING_VALUE can not be converted to a Integer"},
      {R"({"JobName":"a","Count":1.5})", "SerializationException: DECIMAL_VALUE can not be converted to a Integer"},
      {R"({"JobName":"a","Count":3.0})", ""},
      {R"({"JobName":"a","Count":4294967297})",
       "SerializationException: NUMBER_VALUE can not be converted to a Integer"},
      {R"({"JobName":"a","Big":4294967297})", ""},
      {R"({"JobName":"a","Flag":"true"})", "SerializationException: STRING_VALUE can not be converted to a Boolean"},
      {R"({"JobName":"a","At":1.7e9})", ""},
      {R"({"JobName":"a","Items":{}})", "SerializationException: Unexpected field type: START_OBJECT"},
      {R"({"JobName":"a","Env":[]})", "SerializationException: Unexpected field type: START_ARRAY"},
      {R"({"JobName":{"a":1}})", "SerializationException: Start of structure or map found where not expected."},
      {R"([])", "SerializationException: The request body must be a JSON object."},
      // What Argosy does not have is named; asking for nothing is no request.
      {R"({"JobName":"a","Spot":false,"Config":{},"Hosts":1})", ""},
      {R"({"JobName":"a","Spot":null,"Config":[]})", ""},
      {R"({"JobName":"a","Spot":true})",
       "ValidationException: Argosy does not support 'spot' in CreateThing: spot machines."},
      {R"({"JobName":"a","Config":{"a":1}})",
       "ValidationException: Argosy does not support 'config' in CreateThing: configurations."},
      {R"({"JobName":"a","Hosts":2})",
       "ValidationException: Argosy does not support 'hosts' in CreateThing: several hosts ('2'; at most 1)."},
      {R"({"JobName":"a","Mode":"Pipe"})",
       "ValidationException: Argosy does not support 'mode' in CreateThing: 'Pipe'; supported are [File]."},
      // A broken constraint is told first.
      {R"({"JobName":"_","Spot":true})",
       "ValidationException: 1 validation error detected: Value '_' at 'jobName' failed to satisfy constraint: Member "
       "must "
       "satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"},
      // Newer clients send more.
      {R"({"JobName":"a","Hook":{"x":[1,{"y":null}]},"Unheard":{"of":true}})", ""},
  };
  for (const ValidationCase& c : cases) EXPECT_EQ(ErrorOf(c.request), c.error) << c.request;
}

TEST(Validation, LengthsCountCharacters) {
  EXPECT_EQ(ErrorOf(R"({"JobName":"a","Env":{"A":"äöüß€"}})"), "");
}

TEST(Validation, AnswersStayBoundedForHostileRequests) {
  Json items = Json::array();
  for (int i = 0; i < 5000; ++i) items.push_back({{"Name", std::string(100, 'x')}});
  const std::optional<ServiceError> error =
      Validate(Example(), Json{{"JobName", "a"}, {"Items", items}}, "CreateThing");
  ASSERT_TRUE(error.has_value());
  EXPECT_TRUE(error->message.starts_with("5001 validation errors detected: ")) << error->message.substr(0, 80);
  EXPECT_LT(error->message.size(), 30'000u);
}

}  // namespace
}  // namespace argosy::api
