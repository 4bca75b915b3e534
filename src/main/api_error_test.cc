#include "main/api_error.h"

#include <gtest/gtest.h>

namespace argosy::main {
namespace {

Error Refusal(int status, std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
  return ServiceRefusal({status, std::move(headers), std::move(body)});
}

TEST(ServiceRefusal, CarriesTheServicesOwnWords) {
  const Error json = Refusal(400, R"({"__type":"com.amazonaws#ValidationException","message":"Bad thing"})");
  EXPECT_EQ(json.message(), "Bad thing (ValidationException)");
  EXPECT_EQ(json.code(), ErrorCode::kInvalidArgument);
  const Error xml = Refusal(404, "<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>Gone.</Message></Error>");
  EXPECT_EQ(xml.message(), "Gone. (NoSuchKey)");
  const Error model =
      Refusal(424, R"({"message":"Received client error","OriginalMessage":"row 1: 3 fields, 4 wanted"})",
              {{"x-amzn-ErrorType", "ModelError:http://x"}});
  EXPECT_EQ(model.message(), "row 1: 3 fields, 4 wanted (ModelError)");
}

TEST(ServiceRefusal, OfALongSetOfValuesShowsTheNearest) {
  const std::string before =
      "Value 'ml.m5.huge' at 'x' failed to satisfy constraint: Member must satisfy enum value set: [";
  const auto shown = [&before](const std::string& values) {
    return Refusal(400, R"({"message":")" + before + values + R"(]"})").message();
  };
  EXPECT_EQ(shown("ml.t2.large, ml.m5.large"), before + "ml.t2.large, ml.m5.large]");
  std::string many;
  for (int i = 0; i < 20; ++i) many += "ml.t2." + std::to_string(i) + ", ";
  EXPECT_EQ(
      shown(many + "ml.m5.large"),
      before +
          "ml.m5.large, ml.t2.0, ml.t2.1, ml.t2.2, ml.t2.3, ml.t2.4, ml.t2.5, ml.t2.6, ml.t2.7, ml.t2.8, ml.t2.9, "
          "ml.t2.10, … 21 in all]");
}

TEST(ServiceRefusal, HasACodeThatVerbsActOn) {
  EXPECT_EQ(Refusal(400, R"({"__type":"ValidationException","message":"Could not find endpoint \"x\"."})").code(),
            ErrorCode::kNotFound);
  EXPECT_EQ(Refusal(400, R"({"__type":"ValidationException","message":"Requested resource not found."})").code(),
            ErrorCode::kNotFound);
  EXPECT_EQ(Refusal(400, R"({"__type":"ResourceInUse","message":"Job name must be unique"})").code(),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(Refusal(403, R"({"__type":"InvalidSignatureException","message":"no"})").code(),
            ErrorCode::kPermissionDenied);
  const Error taken = Refusal(409,
                              "<ErrorResponse><Error><Type>Sender</Type><Code>EntityAlreadyExists</Code><Message>User "
                              "with name a already exists.</Message></Error></ErrorResponse>");
  EXPECT_EQ(taken.code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(taken.message(), "User with name a already exists. (EntityAlreadyExists)");
  EXPECT_EQ(Refusal(503, "").code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(Refusal(500, "<html>").code(), ErrorCode::kInternal);
  EXPECT_EQ(Refusal(404, "").code(), ErrorCode::kNotFound);
  EXPECT_EQ(Refusal(404, "").message(), "the server answered with status 404");
}

}  // namespace
}  // namespace argosy::main
