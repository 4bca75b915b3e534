#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/random.h"

namespace argosy {
namespace {

// Pieces put together anyhow: mostly broken, often nearly right.
std::string RandomText(Random& random) {
  const char* const pieces[] = {"{",
                                "}",
                                "[",
                                "]",
                                ",",
                                ":",
                                "\"a\"",
                                "\"b\\n\\u00e9\"",
                                "\"\"",
                                "1",
                                "-0",
                                "0",
                                "-7",
                                "1.5",
                                "1e3",
                                "1e400",
                                "true",
                                "false",
                                "null",
                                " ",
                                "\n\t",
                                "01",
                                "1.",
                                "\"\xff\"",
                                "\"\xc3\xa9\"",
                                "{\"a\":",
                                "[1,",
                                "]}",
                                "\"\\ud800\"",
                                "18446744073709551615",
                                "18446744073709551616",
                                "-9223372036854775808",
                                "-9223372036854775809"};
  std::string text;
  for (size_t count = random.Below(9); count > 0; --count) text += pieces[random.Below(std::size(pieces))];
  return text;
}

TEST(Json, IsReadAsNlohmannReadsIt) {
  SeededRandom random(4);
  size_t good = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::string text = RandomText(random);
    const Json expected = Json::parse(text, nullptr, false);
    const auto read = ParseJson(text);
    ASSERT_EQ(read.ok(), !expected.is_discarded()) << text;
    if (!read) continue;
    ++good;
    ASSERT_EQ(*read, expected) << text;
    ASSERT_EQ(DumpJson(*read), DumpJson(expected)) << text;
  }
  EXPECT_GT(good, 500U);
}

TEST(Json, OfSeveralUnderOneNameTheLastCounts) {
  EXPECT_EQ(*ParseJson(R"({"a": 1, "b": 2, "a": [3]})"), Json({{"a", {3}}, {"b", 2}}));
}

TEST(Json, DepthIsBounded) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_TRUE(ParseJson(nested(kJsonDepthMax)).ok());
  EXPECT_EQ(ParseJson(nested(kJsonDepthMax + 1)).error().message(), "JSON nests deeper than 64 levels");
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '[')).ok());
}

TEST(Json, LargeTextsAreReadToo) {
  std::string text = "[0";
  for (int i = 1; i < 200'000; ++i) text += "," + std::to_string(i);
  const auto read = ParseJson(text + "]");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->size(), 200'000U);
  EXPECT_EQ((*read)[199'999], 199'999);
  EXPECT_TRUE(ParseJson("{}").ok());
}

TEST(Json, WhatIsNoUtf8IsReplacedWhenWritten) {
  EXPECT_EQ(DumpJson(Json("\xff")), "\"\xef\xbf\xbd\"");
}

TEST(Json, WhatIsWrongIsSaidWithItsPlace) {
  EXPECT_NE(ParseJson("{\"a\": 1,}").error().message().find("column 9"), std::string::npos);
  EXPECT_FALSE(ParseJson("").ok());
  const std::string torn = ParseJson("{\"a\": tru").error().message();
  EXPECT_TRUE(torn.starts_with("not JSON: parse error at line 1")) << torn;
  EXPECT_TRUE(ParseJson("1e999").error().message().starts_with("not JSON: number overflow")) << "a range, not a place";
}

}  // namespace
}  // namespace argosy
