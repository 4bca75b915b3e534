#include "api/query_encoding.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace argosy::api {
namespace {

const Shape& Input() {
  static const Shape shape = Structure({
      Optional("Name", String()),
      Optional("Count", Integer()),
      Optional("Value", Double()),
      Optional("On", Boolean()),
      Optional("At", Timestamp()),
      Optional("Words", List(String())),
      Optional("Things", List(Structure({Optional("Key", String()), Optional("Values", List(Double()))}))),
      Optional("Other", Document()),
  });
  return shape;
}

Json Read(std::string_view text) {
  const std::optional<Form> form = ParseForm(text);
  EXPECT_TRUE(form.has_value());
  return JsonOfForm(form.value_or(Form()), Input());
}

TEST(JsonOfForm, ReadsByTheDeclaredTypes) {
  EXPECT_EQ(Read("Action=X&Name=7&Count=7&Value=1e3&On=true&At=1970-01-01T00:01:00Z&Unknown=1"),
            Json::parse(R"({"Name":"7","Count":7,"Value":1000.0,"On":true,"At":60.0})"));
  EXPECT_EQ(Read("Words.member.1=a&Words.member.2=b&Words.member.4=d"), Json::parse(R"({"Words":["a","b"]})"));
  EXPECT_EQ(Read("Words="), Json::parse(R"({"Words":[]})"));
  EXPECT_EQ(Read("Things.member.1.Key=k&Things.member.1.Values.member.1=1&Things.member.2.Key=l"),
            Json::parse(R"({"Things":[{"Key":"k","Values":[1.0]},{"Key":"l"}]})"));
  EXPECT_EQ(Read("Other.member.1.X=1"), Json::parse(R"({"Other":true})"));
}

TEST(JsonOfForm, WhatIsOfNoTypeStaysTextForValidation) {
  EXPECT_EQ(Read("Count=x&Value=y&On=1&At=now"), Json::parse(R"({"Count":"x","Value":"y","On":"1","At":"now"})"));
}

TEST(XmlOfJson, HasMembersEntriesAndTimes) {
  EXPECT_EQ(XmlOfJson(Json::parse(R"({"Datapoints":[{"Timestamp":60,"Sum":1.5,"Unit":"a<b"}]})")),
            "<Datapoints><member><Sum>1.5</Sum><Timestamp>1970-01-01T00:01:00.000Z</Timestamp><Unit>a&lt;b</Unit>"
            "</member></Datapoints>");
  EXPECT_EQ(XmlOfJson(Json::parse(R"({"Timestamps":[0],"Values":[1],"On":false})")),
            "<On>false</On><Timestamps><member>1970-01-01T00:00:00.000Z</member></Timestamps><Values><member>1</member>"
            "</Values>");
  EXPECT_EQ(XmlOfJson(Json::parse(R"({"ExtendedStatistics":{"p99":2.5}})")),
            "<ExtendedStatistics><entry><key>p99</key><value>2.5</value></entry></ExtendedStatistics>");
}

}  // namespace
}  // namespace argosy::api
