#include "data/recordio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/test_files.h"

namespace argosy::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A map entry `values` in field `field` around a tensor in field `kind` of Value.
std::string Entry(char field, char kind, const std::string& tensor) {
  const std::string value =
      std::string(1, static_cast<char>(kind << 3 | 2)) + static_cast<char>(tensor.size()) + tensor;
  const std::string entry = std::string("\x0a\x06values\x12") + static_cast<char>(value.size()) + value;
  return std::string(1, static_cast<char>(field << 3 | 2)) + static_cast<char>(entry.size()) + entry;
}

TEST(RecordDecoder, ReadsDenseRowsAndLabels) {
  RecordDecoder decoder;
  const std::string payload = Entry(1, 2, std::string("\x0a\x08\x00\x00\x80\x3f\x00\x00\x20\x40", 10)) +
                              Entry(2, 2, std::string("\x0a\x04\x00\x00\x40\x40", 6));
  ASSERT_TRUE(decoder.Decode(payload).ok());
  EXPECT_THAT(decoder.features().values, ElementsAre(1.0F, 2.5F));
  EXPECT_FALSE(decoder.features().sparse());
  EXPECT_THAT(decoder.label().values, ElementsAre(3.0F));
}

TEST(RecordDecoder, ReadsDoublesIntegersAndSparseRows) {
  RecordDecoder decoder;
  ASSERT_TRUE(decoder.Decode(Entry(1, 3, std::string("\x0a\x08\x00\x00\x00\x00\x00\x00\xf8\x3f", 10))).ok());
  EXPECT_THAT(decoder.features().values, ElementsAre(1.5F));
  EXPECT_THAT(decoder.label().values, IsEmpty());
  // -1 is ten bytes of varint.
  ASSERT_TRUE(
      decoder.Decode(Entry(1, 7, std::string("\x0a\x0b\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13))).ok());
  EXPECT_THAT(decoder.features().values, ElementsAre(5.0F, -1.0F));
  // values [2], keys [300], shape [400]
  ASSERT_TRUE(
      decoder.Decode(Entry(1, 2, std::string("\x0a\x04\x00\x00\x00\x40\x12\x02\xac\x02\x1a\x02\x90\x03", 14))).ok());
  EXPECT_TRUE(decoder.features().sparse());
  EXPECT_EQ(decoder.features().width(), 400U);
  EXPECT_THAT(decoder.features().keys, ElementsAre(300U));
  // A row without any value that is not zero.
  ASSERT_TRUE(decoder.Decode(Entry(1, 2, std::string("\x1a\x02\x90\x03", 4))).ok());
  EXPECT_TRUE(decoder.features().sparse());
  EXPECT_EQ(decoder.features().width(), 400U);
}

TEST(RecordDecoder, RefusesContradictions) {
  RecordDecoder decoder;
  const auto refused = [&](const std::string& payload) {
    const Status status = decoder.Decode(payload);
    return status.ok() ? std::string() : status.error().message();
  };
  EXPECT_THAT(refused("\xff\xff"), HasSubstr("no protobuf message"));
  EXPECT_THAT(refused(Entry(1, 2, std::string("\x0a\x04\x00\x00\x40\x40", 6)).substr(0, 12)),
              HasSubstr("no protobuf message"));
  EXPECT_THAT(refused(Entry(1, 2, std::string("\x0a\x03\x00\x00\x80", 5))), HasSubstr("tensor that cannot be read"));
  EXPECT_THAT(refused(Entry(1, 2, std::string("\x0a\x04\x00\x00\x00\x40\x12\x02\xac\x02\x1a\x01\x05", 13))),
              HasSubstr("key outside"));
  EXPECT_THAT(refused(Entry(1, 2, std::string("\x0a\x04\x00\x00\x00\x40\x12\x03\x01\x02\x03", 11))),
              HasSubstr("as many keys"));
  EXPECT_THAT(refused(Entry(1, 2, std::string("\x0a\x04\x00\x00\x00\x40\x1a\x01\x05", 9))), HasSubstr("shape"));
  EXPECT_THAT(refused(Entry(1, 2, std::string("\x1a\x02\x03\x05", 4))), HasSubstr("no row"));
  EXPECT_THAT(refused(Entry(1, 9, "\x0a\x01x")), HasSubstr("bytes"));
}

TEST(RecordIo, WhatIsWrittenIsRead) {
  std::string bytes;
  const std::vector<float> row = {1, -2, 0.5F};
  const std::vector<float> label = {7};
  AppendDataRecord(row, label, bytes);
  const std::vector<float> score = {0.25F};
  const NamedValues named[] = {{"score", score}, {"predicted_label", label}};
  AppendLabelRecord(named, bytes);
  EXPECT_EQ(bytes.size() % 4, 0U);
  const auto frames = CountFrames(bytes);
  ASSERT_TRUE(frames.ok());
  EXPECT_EQ(frames->count, 2U);
  EXPECT_EQ(frames->end, bytes.size());
  std::string_view rest = bytes;
  RecordDecoder decoder;
  ASSERT_TRUE(decoder.Decode(TakeFrame(rest)).ok());
  EXPECT_EQ(decoder.features().values, row);
  EXPECT_EQ(decoder.label().values, label);
  ASSERT_TRUE(decoder.Decode(TakeFrame(rest)).ok());
  EXPECT_THAT(decoder.features().values, IsEmpty());
  EXPECT_EQ(decoder.label().values, label);  // the last of several when none is called "values"
  EXPECT_TRUE(rest.empty());
}

TEST(RecordIo, FramesThatAreCutOffAreLeftForLater) {
  std::string bytes;
  AppendDataRecord(std::vector<float>{1, 2, 3}, {}, bytes);
  const size_t one = bytes.size();
  AppendDataRecord(std::vector<float>{4, 5, 6}, {}, bytes);
  for (size_t cut = one; cut < 2 * one; ++cut) {
    const auto frames = CountFrames(bytes.substr(0, cut));
    ASSERT_TRUE(frames.ok());
    EXPECT_EQ(frames->end, one);
  }
  EXPECT_FALSE(CountFrames("plain text, no record").ok());
}

class RecordIoTableTest : public testing::Test {
 protected:
  Result<Dataset> Read(const std::string& bytes, ProbeOptions options = {}) {
    const TableFiles files{"train", {directory_.Write("matrix_0.pbr", bytes)}, Compression::kAuto, Format::kRecordIo};
    return ReadNewTable(files, options, {.threads = 2, .scratch_dir = directory_.path()});
  }
  std::string Fault(const std::string& bytes, ProbeOptions options = {}) {
    const auto read = Read(bytes, std::move(options));
    return read ? "" : read.error().message();
  }
  TestDirectory directory_;
};

std::string Record(const std::vector<float>& row, const std::vector<float>& label) {
  std::string bytes;
  AppendDataRecord(row, label, bytes);
  return bytes;
}

TEST_F(RecordIoTableTest, ManyBlocksAreRowsInOrder) {
  std::string bytes;
  constexpr size_t kRows = 20'000;
  for (size_t i = 0; i < kRows; ++i) {
    AppendDataRecord(std::vector<float>{static_cast<float>(i), 2}, std::vector<float>{static_cast<float>(i % 3)},
                     bytes);
  }
  const auto table = Read(bytes);
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_EQ(table->schema().columns.size(), 2U);
  EXPECT_EQ(table->rows().row_count(), kRows);
  ASSERT_GT(table->rows().blocks(), 2U);
  size_t i = 0;
  for (size_t b = 0; b < table->rows().blocks(); ++b) {
    const auto block = table->rows().Get(b);
    for (size_t r = 0; r < (*block)->rows; ++r, ++i) {
      ASSERT_EQ((*block)->numeric[2 * r], static_cast<float>(i));
      ASSERT_EQ((*block)->labels[r], static_cast<float>(i % 3));
    }
  }
}

TEST_F(RecordIoTableTest, FaultsNameFileRecordAndFeature) {
  const std::string good = Record({1, 2}, {0});
  EXPECT_THAT(Fault(good + Record({1, 2, 3}, {0})),
              HasSubstr("file 'matrix_0.pbr', record 2: the record has 3 features"));
  EXPECT_THAT(Fault(good + good + Record({1, NAN}, {0})), HasSubstr("record 3: feature 1 is nan"));
  EXPECT_THAT(Fault(good + Record({1, 2}, {})), HasSubstr("record 2: the record has no label"));
  EXPECT_THAT(Fault(good + good.substr(0, 30)), HasSubstr("record 2: the file ends in the middle"));
  EXPECT_THAT(Fault(good + "rubbish, rubbish"), HasSubstr("does not begin as RecordIO"));
  EXPECT_THAT(Fault("1,2,3\n4,5,6\n"), HasSubstr("does not begin as RecordIO"));
  EXPECT_THAT(Fault(good + Record({1, 2}, {1.5F}), {.label_kind = LabelKind::kClassNumber, .class_count = 2}),
              HasSubstr("label '1.5' is not an integer between 0 and 1"));
  EXPECT_THAT(Fault(""), HasSubstr("no rows"));
  EXPECT_EQ(Fault(Record({1, 2}, {}), {.has_label = false}), "");
}

}  // namespace
}  // namespace argosy::data
