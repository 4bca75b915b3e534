#include "data/dataset.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/random.h"
#include "data/parallel_read.h"
#include "data/test_files.h"
#include "data/test_tables.h"

namespace argosy::data {
namespace {

// All rows in order, as one line of text each: what does not depend on how they are kept.
std::string Describe(const Dataset& dataset) {
  std::string text;
  const RowShape shape = dataset.rows().shape();
  for (size_t b = 0; b < dataset.rows().blocks(); ++b) {
    const auto block = *dataset.rows().Get(b);
    for (size_t r = 0; r < block->rows; ++r) {
      for (size_t c = 0; c < shape.numeric; ++c) text += std::to_string(block->numeric[r * shape.numeric + c]) + ",";
      for (size_t c = 0; c < shape.categorical; ++c) {
        text += std::to_string(block->categories[r * shape.categorical + c]) + ",";
      }
      text += std::to_string(block->labels[r]) + "\n";
    }
  }
  return text;
}

std::string RandomTable(int rows) {
  SeededRandom random(3);
  std::string text = "size,colour,shape,kind\n";
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(random.Normal()) + ",colour" + std::to_string(random.Below(50)) + ",s" +
            std::to_string(random.Below(7)) + ",kind" + std::to_string(random.Below(4)) + "\n";
  }
  return text;
}

class DatasetTest : public ::testing::Test {
 protected:
  Result<Dataset> Read(const std::string& text, const ProbeOptions& options, unsigned threads = 1,
                       size_t memory_bytes_max = 1 << 30) {
    ReadOptions read;
    read.threads = threads;
    read.memory_bytes_max = memory_bytes_max;
    read.scratch_dir = directory_.path();
    return ReadNewTable({"train", {directory_.Write("t.csv", text)}, Compression::kAuto}, options, read);
  }
  TestDirectory directory_;
};

TEST_F(DatasetTest, SameRowsAndSchemaForAnyNumberOfThreadsInMemoryOrOnDisk) {
  const std::string text = RandomTable(40'000);
  const auto one = Read(text, TextTable());
  ASSERT_TRUE(one.ok()) << one.error().message();
  EXPECT_EQ(one->schema().columns[1].categories.size(), 50U);
  EXPECT_EQ(one->schema().label.classes, (std::vector<std::string>{"kind0", "kind1", "kind2", "kind3"}));
  const std::string expected = Describe(*one);
  EXPECT_EQ(std::count(expected.begin(), expected.end(), '\n'), 40'000);
  for (const unsigned threads : {2U, 5U}) {
    for (const size_t memory : {size_t{0}, size_t{300'000}, size_t{1} << 30}) {
      const auto other = Read(text, TextTable(), threads, memory);
      ASSERT_TRUE(other.ok()) << other.error().message();
      EXPECT_EQ(other->schema(), one->schema());
      EXPECT_EQ(Describe(*other), expected) << threads << " threads, " << memory << " bytes";
    }
  }
}

TEST_F(DatasetTest, TheFirstErrorIsReportedWhateverTheThreads) {
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += i == 20'000 || i == 20'001 || i == 50'000 ? "1,bad\n" : "1,2222222\n";
  ProbeOptions options;
  for (const unsigned threads : {1U, 4U}) {
    const auto dataset = Read(text, options, threads);
    ASSERT_FALSE(dataset.ok());
    EXPECT_EQ(dataset.error().message(), "file 't.csv', line 20001: column 2: 'bad' is not a number");
  }
}

TEST_F(DatasetTest, AFirstLineWiderThanABlockIsReadWhole) {
  std::string names = "y";
  std::string row = "1";
  for (int c = 0; c < 60'000; ++c) {
    names += ",column" + std::to_string(c);
    row += ",2";
  }
  ASSERT_GT(names.size(), size_t{512} << 10);
  ProbeOptions options;
  options.header = HeaderOption::kYes;
  const auto dataset = Read(names + "\n" + row + "\n" + row + "\n", options);
  ASSERT_TRUE(dataset.ok()) << dataset.error().message();
  EXPECT_EQ(dataset->schema().columns.size(), 60'000U);
  EXPECT_EQ(dataset->rows().row_count(), 2U);
}

TEST_F(DatasetTest, EmptyDataIsRefused) {
  EXPECT_FALSE(Read("", {}).ok());
  EXPECT_FALSE(Read("\n\n", {}).ok());
  EXPECT_FALSE(Read("a,b\n", TextTable()).ok());
  EXPECT_FALSE(Read("1\n2\n", {}).ok());  // a label and nothing else
}

TEST_F(DatasetTest, KnownSchemaReadsAnotherTableTheSameWay) {
  const auto train = Read("k,c,x\n0,a,1\n1,b,2\n", [] {
    ProbeOptions options;
    options.header = HeaderOption::kYes;
    options.categorical_auto = true;
    return options;
  }());
  ASSERT_TRUE(train.ok()) << train.error().message();
  ProbeOptions options;
  options.header = HeaderOption::kYes;
  options.label_kind = LabelKind::kNumber;
  const auto other = ReadTable({"test", {directory_.Write("o.csv", "k,c,x\n1,b,5\n0,odd,6\n")}, Compression::kAuto},
                               std::make_shared<TableSchema>(train->schema()), options, {.threads = 2});
  ASSERT_TRUE(other.ok()) << other.error().message();
  EXPECT_EQ(other->unseen_categories(), 1U);
  EXPECT_EQ(Describe(*other), "5.000000,1,1.000000\n6.000000,4294967295,0.000000\n");
}

TEST_F(DatasetTest, HeaderIsSkippedInEveryFile) {
  ProbeOptions options;
  options.header = HeaderOption::kAuto;
  ReadOptions read;
  const auto dataset = ReadNewTable(
      {"train",
       {directory_.Write("1", "y,x\n0,1\n"), directory_.Write("2", "y,x\n1,2\n"), directory_.Write("3", "1,3\n")},
       Compression::kAuto},
      options, read);
  ASSERT_TRUE(dataset.ok()) << dataset.error().message();
  EXPECT_EQ(dataset->rows().row_count(), 3U);
  EXPECT_TRUE(dataset->schema().header);
}

TEST_F(DatasetTest, StopsWhenTold) {
  ReadOptions read;
  read.stop = [] { return true; };
  const auto dataset = ReadNewTable({"train", {directory_.Write("1", "0,1\n")}, Compression::kAuto}, {}, read);
  ASSERT_FALSE(dataset.ok());
  EXPECT_EQ(dataset.error().code(), ErrorCode::kCancelled);
}

TEST(ParallelTest, EveryIndexRunsOnce) {
  std::vector<std::atomic<int>> runs(1000);
  RunParallel(runs.size(), 3, [&](size_t i) { ++runs[i]; });
  for (const auto& count : runs) EXPECT_EQ(count.load(), 1);
}

TEST(TableProbeTest, LabelByNameAndPlace) {
  ProbeOptions options;
  options.header = HeaderOption::kYes;
  const std::string text = "a,b,c\n1,2,3\n";
  options.label = "c";
  EXPECT_EQ(ProbeTable(text, "f", options)->layout.label_position, 2U);
  options.label = "-1";
  EXPECT_EQ(ProbeTable(text, "f", options)->layout.label_position, 2U);
  options.label = "1";
  EXPECT_EQ(ProbeTable(text, "f", options)->layout.label_position, 1U);
  EXPECT_EQ(ProbeTable(text, "f", options)->layout.names, (std::vector<std::string>{"a", "c"}));
  for (const char* absent : {"d", "3", "-4", ""}) {
    options.label = absent;
    EXPECT_FALSE(ProbeTable(text, "f", options).ok()) << absent;
  }
}

TEST(TableProbeTest, HeaderIsSeenWhereAColumnOfNumbersBeginsWithText) {
  ProbeOptions options;
  options.header = HeaderOption::kAuto;
  EXPECT_TRUE(ProbeTable("y,x\n0,1\n", "f", options)->header);
  EXPECT_FALSE(ProbeTable("0,1\n0,1\n", "f", options)->header);
  EXPECT_TRUE(ProbeTable("0,1,y\n5,7,1\n", "f", options)->header) << "as pandas numbers columns without names";
  options.categorical = {"2"};
  EXPECT_TRUE(ProbeTable("0,1,kind\n5,7,a\n5,8,b\n5,9,a\n", "f", options)->header) << "and with labels in words";
  EXPECT_FALSE(ProbeTable("0,1,a\n5,7,a\n5,8,b\n", "f", options)->header) << "a row, whose label recurs";
  EXPECT_FALSE(ProbeTable("0,1,p\n5,7,q\n5,8,r\n", "f", options)->header) << "a row, whose text never does";
  EXPECT_FALSE(ProbeTable("1,0,c\n5,7,a\n5,8,a\n", "f", options)->header) << "a row, whose numbers do not count";
  options.categorical = {};
  EXPECT_FALSE(ProbeTable("0.5,x7,3\n0.5,7,1\n", "f", options)->header) << "a row with an odd value";
  EXPECT_FALSE(ProbeTable("?,x\n3,y\n", "f", options)->header) << "a missing value is no name";
  const std::string rows = "0,1\n1,2\n0,3\n0,4\n";
  EXPECT_TRUE(ProbeTable("y,x\n" + rows + "y,x\n", "f", options)->header) << "one row is odd in all columns";
  options.categorical_auto = true;
  EXPECT_FALSE(ProbeTable("a,b\nc,d\n", "f", options)->header);
}

TEST(TableProbeTest, AFewOddValuesMakeNoCategories) {
  const ProbeOptions options{.categorical_auto = true};
  const auto probed = ProbeTable("0,1,a\n1,2,a\n1,x3,7\n0,4,a\n1,5,a\n", "f", options);
  EXPECT_EQ(probed->layout.columns, (std::vector<ColumnKind>{ColumnKind::kNumeric, ColumnKind::kCategorical}));
  EXPECT_TRUE(IsMostlyNumbers(4, 1));
  EXPECT_FALSE(IsMostlyNumbers(3, 1));
  EXPECT_FALSE(IsMostlyNumbers(0, 0));
}

TEST(DatasetTexts, OfOtherEncodingsAreToldByTheirName) {
  const TestDirectory files;
  const auto fault = [&](std::string_view bytes, Format format) {
    const TableFiles table{.channel = "train", .files = {files.Write("a", bytes)}, .format = format};
    return ReadNewTable(table, {}, {.scratch_dir = files.path()}).error().message();
  };
  constexpr std::string_view kUtf16(
      "\xff\xfe"
      "1\0,\0002\0\n\0",
      10);
  EXPECT_NE(fault(kUtf16, Format::kCsv).find("file 'a': the text is UTF-16,"), std::string::npos);
  EXPECT_NE(fault(kUtf16, Format::kJsonLines).find("UTF-16"), std::string::npos);
}

TEST(TableProbeTest, ListedColumnsAreCategoricalAlsoWhenTheyHoldNumbers) {
  ProbeOptions options;
  options.categorical = {"2"};
  const auto probed = ProbeTable("0,1,7\n1,2,8\n", "f", options);
  EXPECT_EQ(probed->layout.columns, (std::vector<ColumnKind>{ColumnKind::kNumeric, ColumnKind::kCategorical}));
  options.categorical = {"0"};
  EXPECT_FALSE(ProbeTable("0,1,7\n", "f", options).ok());  // the label
}

TEST(BadRecords, AreLeftOutUpToTheBoundAndTheFirstIsRemembered) {
  const TestDirectory files;
  std::string text;
  for (int i = 0; i < 60'000; ++i) {  // the last one lies behind what is looked at first
    text += i == 150 ? "1,x,3\n" : i == 9'000 ? "1,2\n" : i == 59'999 ? "1,\"2,3\n" : std::to_string(i) + ",2,3\n";
  }
  const TableFiles table{.channel = "train", .files = {files.Write("a.csv", text)}};
  for (const uint64_t max : {0ULL, 2ULL, 3ULL}) {
    BadRecords bad(max);
    const ProbeOptions options{.lenient = max > 0};
    const auto read = ReadNewTable(table, options, {.threads = 2, .scratch_dir = files.path(), .bad = &bad});
    ASSERT_EQ(read.ok(), max == 3) << max;
    if (max == 0) {
      EXPECT_EQ(read.error().message(), "file 'a.csv', line 151: column 2: 'x' is not a number");
    }
    if (max < 3) continue;
    EXPECT_EQ(bad.count(), 3U);
    EXPECT_EQ(bad.first(), "file 'a.csv', line 151: column 2: 'x' is not a number");
    EXPECT_EQ(read->rows().row_count(), 59'997U);
  }
}

}  // namespace
}  // namespace argosy::data
