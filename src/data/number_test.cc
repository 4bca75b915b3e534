#include "data/number.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/vector_targets_fixture.h"
#include "data/plain_numbers.h"

namespace argosy::data {
namespace {

ParsedNumber Parse(const std::string& text) {
  return ParseNumber(text.data(), text.data() + text.size());
}

TEST(NumberTest, ReadsWhatStrtodReadsOverRandomNumbers) {
  SeededRandom random(7);
  char text[64];
  for (int i = 0; i < 200'000; ++i) {
    const double magnitude = std::pow(10.0, random.Uniform() * 60 - 30);
    const char* formats[] = {"%.0f", "%.2f", "%.6g", "%.17g", "%e", "%+.3f", "%.19e"};
    const int n = std::snprintf(text, sizeof text, formats[random.Below(7)], random.Normal() * magnitude);
    if (n <= 0 || n >= static_cast<int>(sizeof text)) continue;
    const ParsedNumber parsed = ParseNumber(text, text + n);
    ASSERT_EQ(parsed.end, text + n) << text;
    EXPECT_EQ(parsed.value, std::strtod(text, nullptr)) << text;
  }
}

TEST(NumberTest, StopsAtTheFirstCharacterThatIsNoPart) {
  const std::string text = "12.5,7";
  const ParsedNumber parsed = Parse(text);
  EXPECT_EQ(parsed.end, text.data() + 4);
  EXPECT_EQ(parsed.value, 12.5);
}

TEST(NumberTest, RefusesWhatIsNoNumber) {
  for (const char* text :
       {"", "-", "+", ".", "e5", "nan", "inf", "-inf", "NaN", "1e", "1e+", "abc", "--1", "1e999", "-1e400"}) {
    EXPECT_EQ(Parse(text).end, nullptr) << text;
  }
}

TEST(NumberTest, HexadecimalEndsBehindItsZero) {
  const std::string text = "0x10";
  EXPECT_EQ(Parse(text).end, text.data() + 1);
}

TEST(NumberTest, ReadsEdgesOfTheRange) {
  EXPECT_EQ(Parse("1.7976931348623157e308").value, 1.7976931348623157e308);
  EXPECT_EQ(Parse("5e-324").value, 5e-324);
  EXPECT_EQ(Parse("1e-999").value, 0.0);
  EXPECT_EQ(Parse(".5").value, 0.5);
  EXPECT_EQ(Parse("5.").value, 5.0);
  EXPECT_EQ(Parse("9007199254740993").value, 9007199254740992.0);  // ties to even
  EXPECT_EQ(Parse("123456789012345678901234567890").value, 123456789012345678901234567890.0);
  EXPECT_EQ(Parse("0.0000000000000000000000000000001").value, 1e-31);
  EXPECT_TRUE(std::signbit(Parse("-0").value));
}

// What the plain reader takes it reads as the careful one does, and it takes all that is written plainly.
TEST(PlainNumberTest, AgreesWithTheCarefulReader) {
  SeededRandom random(1);
  const std::string_view alphabet = "0123456789.-+eE ,x\t\xff/:";
  size_t taken = 0;
  for (int i = 0; i < 300'000; ++i) {
    std::string text(8, '7');  // what may stand before a field
    const size_t length = random.Below(11);
    const size_t letters = random.Below(4) == 0 ? alphabet.size() : 11;
    for (size_t k = 0; k < length; ++k) text += alphabet[random.Below(letters)];
    const char* const begin = text.data() + 8;
    const char* const end = text.data() + text.size();
    float value = 0;
    if (!ParsePlainFloat(begin, end, value)) continue;
    ++taken;
    const ParsedNumber careful = ParseNumber(begin, end);
    ASSERT_EQ(careful.end, end) << text;
    ASSERT_EQ(static_cast<float>(careful.value), value) << text;
    ASSERT_EQ(std::signbit(careful.value), std::signbit(value)) << text;
  }
  EXPECT_GT(taken, 50'000U);
  for (const char* text : {"0", "7", "12345678", "-1234567", "0.5", ".5", "5.", "-.25", "123.4567", "-0", "00012"}) {
    const std::string field = std::string(8, 'z') + text;
    float value = 0;
    ASSERT_TRUE(ParsePlainFloat(field.data() + 8, field.data() + field.size(), value)) << text;
    EXPECT_EQ(value, std::stof(text)) << text;
  }
  for (const char* text : {"", ".", "-", "-.", "+1", "1e5", "1..2", "123456789", "1 ", " 1", "--1"}) {
    const std::string field = std::string(8, '1') + text;
    float value = 0;
    EXPECT_FALSE(ParsePlainFloat(field.data() + 8, field.data() + field.size(), value)) << text;
  }
}

// A vector of fields at a time gives what one after the other does, and ends at the same one.
TEST(PlainNumberTest, FieldsTogetherAreReadAsEachAlone) {
  ForEachVectorTarget([&] {
    SeededRandom random(2);
    const std::string_view alphabet = "0123456789.-+e x\r\xff/:";
    for (int i = 0; i < 20'000; ++i) {
      std::string text(8, '7');
      std::vector<uint32_t> at = {7};
      const size_t count = random.Below(21);
      while (at.size() < 1 + count + kPlainFieldsAhead) {
        const size_t length = random.Below(random.Below(20) == 0 ? 12 : 5) + (random.Below(30) == 0 ? 0 : 1);
        for (size_t k = 0; k < length; ++k)
          text += alphabet[random.Below(random.Below(50) == 0 ? alphabet.size() : 10)];
        if (random.Below(3) == 0 && length > 1) text[text.size() - 1 - random.Below(length)] = '.';
        if (random.Below(3) == 0 && length > 0) text[text.size() - length] = '-';
        at.push_back(static_cast<uint32_t>(text.size()));
        text += ',';
      }
      std::vector<float> alone(count);
      size_t plain = 0;
      while (plain < count && ParsePlainFloat(text.data() + at[plain] + 1, text.data() + at[plain + 1], alone[plain])) {
        ++plain;
      }
      std::vector<float> together(count + 1, -77.0F);
      ASSERT_EQ(ParsePlainFields(text.data(), at.data() + 1, count, together.data()), plain) << text;
      for (size_t k = 0; k < plain; ++k) {
        ASSERT_EQ(std::bit_cast<uint32_t>(together[k]), std::bit_cast<uint32_t>(alone[k])) << text << " field " << k;
      }
      ASSERT_EQ(together[count], -77.0F) << "written behind the last one";
    }
  });
}

// Eight fields of sixteen characters are first taken for one digit each, also where no delimiter is before them.
TEST(PlainNumberTest, EmptyFieldsBehindALongFirstOneAreNoNumbers) {
  ForEachVectorTarget([&] {
    const std::string text = "12345678,,,,,,,,5";
    std::vector<uint32_t> at = {~uint32_t{0}};
    for (uint32_t end = 8; end < 16; ++end) at.push_back(end);
    at.resize(at.size() + 1 + kPlainFieldsAhead, static_cast<uint32_t>(text.size()));
    std::vector<float> numbers(8);
    EXPECT_EQ(ParsePlainFields(text.data(), at.data() + 1, 8, numbers.data()), 1U);
    EXPECT_EQ(numbers[0], 12345678.0F);
  });
}

// All numbers of up to five digits, and many of up to seven.
TEST(PlainNumberTest, RoundAsTheCarefulWayDoes) {
  for (uint32_t digits = 0; digits < 10'000'000; digits += digits < 100'000 ? 1 : 97) {
    const std::string whole = std::to_string(digits);
    for (size_t decimals = 1; decimals <= whole.size(); ++decimals) {
      const std::string text = whole.substr(0, whole.size() - decimals) + "." + whole.substr(whole.size() - decimals);
      const std::string field = "zzzzzzzz" + text;
      float value = 0;
      ASSERT_TRUE(ParsePlainFloat(field.data() + 8, field.data() + field.size(), value));
      ASSERT_EQ(value, static_cast<float>(ParseNumber(text.data(), text.data() + text.size()).value)) << text;
    }
  }
}

}  // namespace
}  // namespace argosy::data
