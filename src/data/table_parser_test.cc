#include "data/table_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/vector_targets_fixture.h"
#include "data/delimiters.h"
#include "data/plain_numbers.h"
#include "data/table_probe.h"

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
    RowBlock rows;
    const Status parsed = parser.Parse(block, "a.csv", first_line, rows);
    unseen_ = parser.unseen_categories();
    if (!parsed) return parsed.error();
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
  EXPECT_EQ(ErrorOf("nan,tcp,1,2\n"),
            "file 'a.csv', line 10: column 1: 'nan': the value is missing (argosy_missing=mean would put the column's "
            "mean there)");
  EXPECT_EQ(ErrorOf("1,tcp,1,1e300\n"),
            "file 'a.csv', line 10: column 4: '1e300' is too large for a 32-bit floating-point number");
  EXPECT_EQ(ErrorOf("1,tcp,1\n"), "file 'a.csv', line 10: the row has 3 columns where 4 are expected");
  EXPECT_EQ(ErrorOf("1,tcp,1,2,3,4\n"), "file 'a.csv', line 10: the row has 6 columns where 4 are expected");
  EXPECT_EQ(ErrorOf("1,tcp,2,2\n"), "file 'a.csv', line 10: column 3: label '2' is not an integer between 0 and 1");
  EXPECT_EQ(ErrorOf("1,tcp,0.5,2\n"), "file 'a.csv', line 10: column 3: label '0.5' is not an integer between 0 and 1");
  EXPECT_EQ(ErrorOf("1,tcp,,2\n"), "file 'a.csv', line 10: column 3: the label is missing");
  EXPECT_EQ(ErrorOf("1,tcp,1,-inf\n"), "file 'a.csv', line 10: column 4: '-inf' is not a finite number");
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

TEST_F(TableParserTest, AMissingLabelIsNoClassUnlessTheMapNamesIt) {
  layout_.label_kind = LabelKind::kEncoded;
  layout_.label = *ParseLabelMap("attack=1,*=0");
  EXPECT_EQ(ErrorOf("1,tcp,attack,2\n1,tcp,NaN,2\n"), "file 'a.csv', line 11: column 3: 'NaN': the label is missing");
  EXPECT_EQ(ErrorOf("1,tcp,,2\n"), "file 'a.csv', line 10: column 3: the label is missing");
  layout_.label = *ParseLabelMap("NA=1,*=0");
  EXPECT_EQ(Parse("1,tcp,NA,2\n1,tcp,none,2\n")->labels, (std::vector<float>{1, 0}));
  layout_.label_kind = LabelKind::kText;
  dictionary_ = CategoryDictionary(2);
  EXPECT_EQ(ErrorOf("1,tcp,yes,2\n1,tcp,null,2\n"), "file 'a.csv', line 11: column 3: 'null': the label is missing");
  EXPECT_EQ(Parse("1,tcp,none,2\n1,tcp,some,2\n")->labels.size(), 2U);
}

TEST_F(TableParserTest, NamesInTheFirstLineAreSkipped) {
  const auto rows = Parse("\na,b,c,d\n1,tcp,0,2\n", TableParser::FirstLine::kNames);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows, 1U);
}

// A quote anywhere in a block makes all of it be read field by field: both ways must give the same.
TEST_F(TableParserTest, RowsWithoutQuotesAreReadAsThoseWithThem) {
  ForEachVectorTarget([&] {
    layout_.missing = MissingValues::kMean;
    SeededRandom random(7);
    const std::vector<std::string> fields = {"0",  "12",  "-3.5", "123456789", "1e3",      " 7 ",    "",
                                             "\t", "x",   "0.25", "12345678",  "+2",       "nan",    "9.",
                                             ".5", "1,2", "1\r",  "--1",       "99999999", "0000001"};
    size_t good = 0;
    for (int round = 0; round < 20'000; ++round) {
      std::string text;
      for (uint64_t line = 1 + random.Below(3); line > 0; --line) {
        const auto draw = [&] {
          return random.Below(10) == 0 ? fields[random.Below(fields.size())] : fields[random.Below(4)];
        };
        if (random.Below(20) > 0)
          text += draw() + (random.Below(2) ? ",tcp," : ", udp ,") + (random.Below(2) ? "1," : "0,") + draw();
        text += random.Below(4) == 0 ? "\r\n" : "\n";
      }
      dictionary_ = CategoryDictionary(1);
      const auto plain = Parse(text);
      dictionary_ = CategoryDictionary(1);
      const auto quoted = Parse(text + "1,\"tcp\",1,2\n");
      ASSERT_EQ(plain.ok(), quoted.ok()) << text;
      if (!plain.ok()) {
        EXPECT_EQ(plain.error().message(), quoted.error().message());
        continue;
      }
      ++good;
      ASSERT_EQ(plain->rows + 1, quoted->rows) << text;
      for (size_t i = 0; i < plain->numeric.size(); ++i) {
        ASSERT_TRUE(plain->numeric[i] == quoted->numeric[i] ||
                    (std::isnan(plain->numeric[i]) && std::isnan(quoted->numeric[i])))
            << text;
      }
      ASSERT_TRUE(std::equal(plain->categories.begin(), plain->categories.end(), quoted->categories.begin())) << text;
      ASSERT_TRUE(std::equal(plain->labels.begin(), plain->labels.end(), quoted->labels.begin())) << text;
    }
    EXPECT_GT(good, 5000U);
  });
}

TEST_F(TableParserTest, ATableMayBeginWithALongFieldAndEmptyOnes) {
  const std::string text = "12345678,,,,,,,,1\n1,2,3,4,5,6,7,8,0\n";
  ProbeOptions options;
  options.label = "-1";
  options.missing = MissingValues::kMean;
  const auto probed = ProbeTable(text, "a.csv", options);
  ASSERT_TRUE(probed.ok()) << probed.error().message();
  CategoryDictionary dictionary(0);
  TableParser parser(probed->layout, dictionary, UnknownCategories::kAdd);
  RecordBlock block;
  block.bytes = text;
  RowBlock rows;
  ASSERT_TRUE(parser.Parse(block, "a.csv", TableParser::FirstLine::kData, rows).ok());
  EXPECT_EQ(rows.rows, 2U);
  EXPECT_EQ(rows.numeric[0], 12345678.0F);
  EXPECT_TRUE(std::isnan(rows.numeric[1]));
}

TEST_F(TableParserTest, ABlankLineIsNoRowAlsoInATableOfOneColumn) {
  layout_ = {};
  layout_.columns = {ColumnKind::kNumeric};
  layout_.label_kind = LabelKind::kNone;
  layout_.missing = MissingValues::kMean;
  EXPECT_EQ(Parse("1\n\n \n\r\n2\n")->numeric, (std::vector<float>{1, 2}));
}

TEST(Delimiters, AreAllFoundInOrder) {
  ForEachVectorTarget([&] {
    SeededRandom random(3);
    Delimiters delimiters;
    for (int round = 0; round < 300; ++round) {
      std::string text(random.Below(300), ' ');
      for (char& c : text) c = ",\nab"[random.Below(4)];
      std::vector<uint32_t> expected;
      for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ',' || text[i] == '\n') expected.push_back(static_cast<uint32_t>(i));
      }
      if (!text.ends_with('\n')) expected.push_back(static_cast<uint32_t>(text.size()));
      delimiters.Find(text);
      ASSERT_EQ(std::vector<uint32_t>(delimiters.begin(), delimiters.end()), expected);
      EXPECT_EQ(delimiters.begin()[-1], ~uint32_t{0});
      for (size_t k = 0; k < kPlainFieldsAhead; ++k) EXPECT_EQ(delimiters.end()[k], text.size());
      EXPECT_EQ(CountByte(text, ','), static_cast<size_t>(std::ranges::count(text, ',')));
    }
  });
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
