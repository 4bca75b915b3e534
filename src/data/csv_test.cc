#include "data/csv.h"

#include <gtest/gtest.h>

namespace argosy::data {
namespace {

using Fields = std::vector<std::string>;

TEST(CsvTest, FieldsAreSplitTrimmedAndUnquoted) {
  EXPECT_EQ(*SplitCsvLine("1,2,3"), (Fields{"1", "2", "3"}));
  EXPECT_EQ(*SplitCsvLine(" 39, State-gov ,\t77516"), (Fields{"39", "State-gov", "77516"}));
  EXPECT_EQ(*SplitCsvLine(""), (Fields{""}));
  EXPECT_EQ(*SplitCsvLine(",,"), (Fields{"", "", ""}));
  EXPECT_EQ(*SplitCsvLine(R"("a,b", "c ""d"" e" ,"")"), (Fields{"a,b", R"(c "d" e)", ""}));
  EXPECT_EQ(*SplitCsvLine(R"(a"b,c)"), (Fields{R"(a"b)", "c"}));
}

TEST(CsvTest, BrokenQuotesAreRefused) {
  EXPECT_FALSE(SplitCsvLine(R"("open)").has_value());
  EXPECT_FALSE(SplitCsvLine(R"("a"b,c)").has_value());
  EXPECT_FALSE(SplitCsvLine(R"(1,")").has_value());
}

TEST(CsvTest, QuotingIsUndoneByReading) {
  for (const std::string text : {"", "plain", "a,b", "say \"x\"", " led by a space", "tab\t"}) {
    EXPECT_EQ(*SplitCsvLine(QuoteCsvField(text)), Fields{text}) << text;
  }
}

TEST(CsvTest, LineEndsInLfOrCrLf) {
  const std::string text = "a\r\nb\nc";
  const char* const end = text.data() + text.size();
  const CsvLine first = ReadCsvLine(text.data(), end);
  EXPECT_EQ(std::string(text.data(), first.end), "a");
  const CsvLine second = ReadCsvLine(first.next, end);
  EXPECT_EQ(std::string(first.next, second.end), "b");
  const CsvLine third = ReadCsvLine(second.next, end);
  EXPECT_EQ(std::string(second.next, third.end), "c");
  EXPECT_EQ(third.next, end);
}

TEST(CsvTest, ExcerptIsShortAndPrintable) {
  EXPECT_EQ(CsvExcerpt("abc"), "abc");
  EXPECT_EQ(CsvExcerpt("a\x01\n"), "a??");
  EXPECT_EQ(CsvExcerpt(std::string(100, 'x')), std::string(40, 'x') + "…");
  EXPECT_EQ(CsvExcerpt(std::string(39, 'x') + "é…"), std::string(39, 'x') + "…");
}

TEST(Csv, CountsFields) {
  EXPECT_EQ(CountCsvFields("a,b,,d"), 4U);
  EXPECT_EQ(CountCsvFields(""), 1U);
  EXPECT_EQ(CountCsvFields(R"("a,b",c)"), 2U);
  EXPECT_EQ(CountCsvFields(R"("a,b)"), std::nullopt);
}

TEST(Csv, MissingTexts) {
  for (const char* text : {"", "?", "NA", "n/a", "nan", "NaN", "null", "None"})
    EXPECT_TRUE(IsMissingText(text)) << text;
  for (const char* text : {"0", "inf", "nano", "-", "no", "NAN1"}) EXPECT_FALSE(IsMissingText(text)) << text;
}

TEST(Csv, MissingLabels) {
  for (const char* text : {"", "?", "NA", "NaN", "null"}) EXPECT_TRUE(IsMissingLabel(text)) << text;
  for (const char* text : {"none", "None", "0", "no"}) EXPECT_FALSE(IsMissingLabel(text)) << text;
}

TEST(Csv, OtherEncodingsAreToldFromUtf8) {
  const auto begins = [](std::string_view text, std::string_view start) { return text.starts_with(start); };
  const auto zeroed = [](std::initializer_list<char> bytes) { return std::string(bytes); };
  EXPECT_PRED2(begins, EncodingFault(zeroed({'\xff', '\xfe', 'a', 0})), "the text is UTF-16,");
  EXPECT_PRED2(begins, EncodingFault("\xfe\xff"), "the text is UTF-16,");
  EXPECT_PRED2(begins, EncodingFault(zeroed({'\xff', '\xfe', 0, 0})), "the text is UTF-32,");
  EXPECT_PRED2(begins, EncodingFault(zeroed({'1', 0, ',', 0})), "the text is UTF-16LE,");
  EXPECT_PRED2(begins, EncodingFault(zeroed({0, '1', 0, ','})), "the text is UTF-16BE,");
  for (const char* text : {"", "a", "1,2\n",
                           "\xef\xbb\xbf"
                           "1,2\n",
                           "\xc3\xa9t\xc3\xa9"})
    EXPECT_EQ(EncodingFault(text), "");
  EXPECT_EQ(EncodingFault(zeroed({0, 0, 0, 0})), "") << "no text at all";
}

}  // namespace
}  // namespace argosy::data
