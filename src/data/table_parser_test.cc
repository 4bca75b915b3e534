#include "data/table_parser.h"

#include <gtest/gtest.h>

#include <cmath>

namespace argosy::data {
namespace {

class TableParserTest : public ::testing::Test {
 protected:
  // number, category, label, number
  TableParserTest() {
    layout_.columns = {ColumnKind::kNumeric, ColumnKind::kCategorical, ColumnKind::kNumeric};
    layout_.label_position = 2;
    layout_.label_kind = LabelKind::kClassNumber;
    layout_.class_count = 2;
  }

  Result<RowBlock> Parse(std::string text, TableParser::FirstLine first_line = TableParser::FirstLine::kData) {
    TableParser parser(layout_, dictionary_, unknown_);
    RecordBlock block;
    block.first_record = 10;
    block.bytes = std::move(text);
    auto rows = parser.Parse(block, "a.csv", first_line);
    unseen_ = parser.unseen_categories();
    return rows;
  }

  std::string ErrorOf(std::string text) {
    const auto rows = Parse(std::move(text));
    return rows.ok() ? "" : rows.error().message();
  }

  TableLayout layout_;
  CategoryDictionary dictionary_{1};
  UnknownCategories unknown_ = UnknownCategories::kAdd;
  uint64_t unseen_ = 0;
};

TEST_F(TableParserTest, RowsBecomeNumbers) {
  const auto rows = Parse("1.5,tcp,1,-2\n2e3, \"udp\" ,0,\"7\"\r\n\n3,tcp,1,4");
  ASSERT_TRUE(rows.ok()) << rows.error().message();
  EXPECT_EQ(rows->rows, 3U);
  EXPECT_EQ(rows->numeric, (std::vector<float>{1.5F, -2, 2000, 7, 3, 4}));
  EXPECT_EQ(rows->categories, (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(rows->labels, (std::vector<float>{1, 0, 1}));
  EXPECT_EQ(dictionary_.texts(0), (std::vector<std::string>{"tcp", "udp"}));
}

TEST_F(TableParserTest, ErrorsNameFileLineColumnAndValue) {
  EXPECT_EQ(ErrorOf("1,tcp,1,2\n1,tcp,0,abc\n"), "file 'a.csv', line 11: column 4: 'abc' is not a number");
  EXPECT_EQ(ErrorOf("nan,tcp,1,2\n"), "file 'a.csv', line 10: column 1: 'nan' is not a number");
  EXPECT_EQ(ErrorOf("1,tcp,1,1e300\n"),
            "file 'a.csv', line 10: column 4: '1e300' is too large for a 32-bit floating-point number");
  EXPECT_EQ(ErrorOf("1,tcp,1\n"), "file 'a.csv', line 10: the row has 3 columns where 4 are expected");
  EXPECT_EQ(ErrorOf("1,tcp,1,2,3,4\n"), "file 'a.csv', line 10: the row has 6 columns where 4 are expected");
  EXPECT_EQ(ErrorOf("1,tcp,2,2\n"), "file 'a.csv', line 10: column 3: label '2' is not an integer between 0 and 1");
  EXPECT_EQ(ErrorOf("1,tcp,0.5,2\n"), "file 'a.csv', line 10: column 3: label '0.5' is not an integer between 0 and 1");
  EXPECT_EQ(ErrorOf("1,tcp,,2\n"), "file 'a.csv', line 10: column 3: label '' is not a number");
  EXPECT_NE(ErrorOf("1,\"tcp,1,2\n").find("column 2"), std::string::npos);
  EXPECT_NE(ErrorOf("1,\xff,1,2\n").find("UTF-8"), std::string::npos);
  layout_.names = {"duration", "protocol", "bytes"};
  EXPECT_EQ(ErrorOf("1,tcp,0,x\n"), "file 'a.csv', line 10: column 4 ('bytes'): 'x' is not a number");
}

TEST_F(TableParserTest, MissingValuesAreRefusedUnlessTheyStandForTheMean) {
  EXPECT_NE(ErrorOf("1,tcp,0,\n").find("column 4: the value is missing"), std::string::npos);
  layout_.missing = MissingValues::kMean;
  const auto rows = Parse(" ,tcp,0,2\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_TRUE(std::isnan(rows->numeric[0]));
}

TEST_F(TableParserTest, CategoriesOfAFixedSchemaThatAreUnknownAreCounted) {
  const std::vector<std::string> known = {"icmp", "tcp"};
  dictionary_ = CategoryDictionary({&known});
  unknown_ = UnknownCategories::kCount;
  const auto rows = Parse("1,tcp,0,2\n1,odd,0,2\n1,odd,0,2\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->categories, (std::vector<uint32_t>{1, kUnseenCategory, kUnseenCategory}));
  EXPECT_EQ(unseen_, 2U);
  EXPECT_EQ(dictionary_.texts(0), known);
}

TEST_F(TableParserTest, MappedLabels) {
  layout_.label_kind = LabelKind::kEncoded;
  layout_.label = *ParseLabelMap("normal.=0,smurf.=1");
  EXPECT_EQ(Parse("1,tcp,smurf.,2\n1,tcp,normal.,2\n")->labels, (std::vector<float>{1, 0}));
  EXPECT_EQ(ErrorOf("1,tcp,back.,2\n"), "file 'a.csv', line 10: column 3: label 'back.' belongs to no class");
}

TEST_F(TableParserTest, NamesInTheFirstLineAreSkipped) {
  const auto rows = Parse("\na,b,c,d\n1,tcp,0,2\n", TableParser::FirstLine::kNames);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows, 1U);
}

TEST(CategoryDictionaryTest, GrowsAndFindsAgain) {
  CategoryDictionary dictionary(2);
  for (uint32_t i = 0; i < 5000; ++i) EXPECT_EQ(*dictionary.FindOrAdd(1, "c" + std::to_string(i)), i);
  for (uint32_t i = 0; i < 5000; ++i) EXPECT_EQ(dictionary.Find(1, "c" + std::to_string(i)), i);
  EXPECT_EQ(dictionary.Find(0, "c1"), kUnseenCategory);
  EXPECT_FALSE(dictionary.FindOrAdd(0, std::string(kCategoryBytesMax + 1, 'x')).ok());
}

}  // namespace
}  // namespace argosy::data
