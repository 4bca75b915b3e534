#include "data/libsvm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_files.h"

namespace argosy::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SparseRows RowsOf(const std::vector<std::string>& lines, LibsvmLabel label = LibsvmLabel::kRequired) {
  SparseRows rows;
  for (const std::string& line : lines) {
    const auto appended = AppendLibsvmRow(line, label, rows);
    EXPECT_TRUE(appended.ok()) << line << ": " << (appended.ok() ? "" : appended.error().message());
  }
  return rows;
}

TEST(Libsvm, ReadsLabelsColumnsAndValues) {
  const SparseRows rows = RowsOf({"1 0:1.5 3:-2e1", "", "# nothing", "0\t1:7\r", "-1", "+2 2:nan 4:1 # a remark"});
  EXPECT_THAT(rows.labels, ElementsAre(1, 0, -1, 2));
  EXPECT_THAT(rows.begins, ElementsAre(0, 2, 3, 3, 4));
  EXPECT_THAT(rows.columns, ElementsAre(0, 3, 1, 4));
  EXPECT_THAT(rows.values, ElementsAre(1.5, -20, 7, 1));
  EXPECT_EQ(rows.width, 5U);
  EXPECT_TRUE(rows.weights.empty());
  EXPECT_TRUE(rows.groups.empty());
}

TEST(Libsvm, WeightsMayBeginAnywhere) {
  EXPECT_THAT(RowsOf({"1 0:1", "0:0.5 0:1", "1 0:2"}).weights, ElementsAre(1, 0.5, 1));
}

TEST(Libsvm, GroupsAreOfAllRows) {
  EXPECT_THAT(RowsOf({"1 qid:7 0:1", "0:2 qid:7 0:3", "1 qid:9 0:1"}).groups, ElementsAre(7, 7, 9));
}

TEST(Libsvm, RowsToBePredictedNeedNoLabel) {
  const SparseRows rows = RowsOf({"0:1 2:3", "1 0:4"}, LibsvmLabel::kOptional);
  EXPECT_THAT(rows.labels, ElementsAre(0, 1));
  EXPECT_THAT(rows.columns, ElementsAre(0, 2, 0));
}

TEST(Libsvm, WhatIsWrongIsSaidAndChangesNothing) {
  SparseRows rows = RowsOf({"1 qid:1 0:1"});
  for (const auto& [line, message] : std::vector<std::pair<std::string, std::string>>{
           {"x 0:1", "'x' is no label"},
           {"1:-2 qid:1 0:1", "'1:-2' has a weight"},
           {"nan qid:1 0:1", "'nan' is no label"},
           {"1e39 qid:1 0:1", "'1e39' is no label"},
           {"1 qid:x 0:1", "'qid:x' names no group"},
           {"1 0:1", "the row has no qid"},
           {"1 qid:1 7", "'7' is no value"},
           {"1 qid:1 -1:7", "'-1:7' names no column"},
           {"1 qid:1 1000000:7", "'1000000:7' names no column"},
           {"1 qid:1 2:1 2:1", "'2:1' comes behind column 2"},
           {"1 qid:1 2:1 1:1", "'1:1' comes behind column 2"},
           {"1 qid:1 2:x", "'2:x' has a value that is no number"},
           {"1 qid:1 2:inf", "'2:inf' has a value that is no number"},
       }) {
    const auto appended = AppendLibsvmRow(line, LibsvmLabel::kRequired, rows);
    ASSERT_FALSE(appended.ok()) << line;
    EXPECT_THAT(appended.error().message(), HasSubstr(message));
    EXPECT_EQ(rows.rows(), 1U);
    EXPECT_EQ(rows.values.size(), 1U);
    EXPECT_EQ(rows.groups.size(), 1U);
    EXPECT_EQ(rows.width, 1U);
  }
  SparseRows without = RowsOf({"1 0:1"});
  EXPECT_THAT(AppendLibsvmRow("1 qid:1 0:1", LibsvmLabel::kRequired, without).error().message(), HasSubstr("earlier"));
}

TEST(LibsvmFiles, BlocksAreJoinedInOrderWhateverTheThreads) {
  const TestDirectory files;
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text +=
        std::to_string(i) + (i % 1000 == 7 ? ":2" : "") + " " + std::to_string(i % 50) + ":" + std::to_string(i) + "\n";
  }
  const TableFiles table{.channel = "train", .files = {files.Write("a", text), files.Write("b", "5 60:1\n")}};
  for (const unsigned threads : {1U, 3U}) {
    const auto rows = ReadLibsvm(table, {.threads = threads});
    ASSERT_TRUE(rows.ok());
    ASSERT_EQ(rows->rows(), 20'001U);
    ASSERT_EQ(rows->weights.size(), 20'001U);
    EXPECT_EQ(rows->width, 61U);
    EXPECT_EQ(rows->begins.back(), 20'001U);
    for (size_t i = 0; i < 20'000; ++i) {
      ASSERT_EQ(rows->labels[i], static_cast<float>(i));
      ASSERT_EQ(rows->values[rows->begins[i]], static_cast<float>(i));
      ASSERT_EQ(rows->columns[i], i % 50);
      ASSERT_EQ(rows->weights[i], i % 1000 == 7 ? 2.0F : 1.0F);
    }
  }
}

TEST(LibsvmFiles, FaultsNameFileAndLine) {
  const TestDirectory files;
  const auto rows = ReadLibsvm({.channel = "train", .files = {files.Write("a", "1 0:1\n\n1 0:x\n")}}, {});
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().message(), "file 'a', line 3: '0:x' has a value that is no number");
  const auto empty = ReadLibsvm({.channel = "train", .files = {files.Write("b", "\n")}}, {});
  EXPECT_THAT(empty.error().message(), HasSubstr("has no rows"));
}

}  // namespace
}  // namespace argosy::data
