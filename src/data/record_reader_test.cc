#include "data/record_reader.h"

#include <gtest/gtest.h>

#include "data/test_files.h"

namespace argosy::data {
namespace {

struct Blocks {
  std::vector<RecordBlock> blocks;
  std::string text;
};

Blocks ReadAllBlocks(const std::vector<InputFile>& files) {
  RecordReader reader(files, Framing::kLines, Compression::kAuto);
  Blocks all;
  while (true) {
    auto block = reader.Next({});
    if (!block.ok()) ADD_FAILURE() << block.error().message();
    if (!block.ok() || !block->has_value()) return all;
    all.text += (*block)->bytes;
    all.blocks.push_back(std::move(**block));
  }
}

std::string NumberedLines(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += std::to_string(i) + ",some,more,text\n";
  return text;
}

TEST(RecordReaderTest, BlocksHoldWholeRecordsAndKnowTheirFirstLine) {
  const TestDirectory directory;
  const std::string text = NumberedLines(60'000);
  const Blocks all = ReadAllBlocks({directory.Write("a.csv", text)});
  EXPECT_GT(all.blocks.size(), 3U);
  EXPECT_EQ(all.text, text);
  for (size_t i = 0; i < all.blocks.size(); ++i) {
    EXPECT_EQ(all.blocks[i].index, i);
    EXPECT_EQ(all.blocks[i].bytes.back(), '\n');
    EXPECT_LE(all.blocks[i].bytes.size(), kBlockBytes);
    // Line n begins with n.
    EXPECT_EQ(std::stoull(all.blocks[i].bytes), all.blocks[i].first_record);
  }
}

TEST(RecordReaderTest, AnotherEncodingIsAnErrorThatNamesIt) {
  const TestDirectory directory;
  RecordReader reader({directory.Write("a.csv", "1,2\n"), directory.Write("b.csv",
                                                                          "\xff\xfe"
                                                                          "1")},
                      Framing::kLines, Compression::kAuto);
  EXPECT_TRUE(reader.Next({}).ok());
  const auto second = reader.Next({});
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(second.error().message().starts_with("file 'b.csv', line 1: the text is UTF-16,"));
}

TEST(RecordReaderTest, GzipGivesTheSameBlocks) {
  const TestDirectory directory;
  const std::string text = NumberedLines(60'000);
  const Blocks plain = ReadAllBlocks({directory.Write("a.csv", text)});
  const Blocks zipped = ReadAllBlocks({directory.Write("a.csv.gz", GzipBytes(text))});
  ASSERT_EQ(plain.blocks.size(), zipped.blocks.size());
  for (size_t i = 0; i < plain.blocks.size(); ++i) EXPECT_EQ(plain.blocks[i].bytes, zipped.blocks[i].bytes);
}

TEST(RecordReaderTest, LastRecordNeedsNoLineEndAndFilesDoNotRunTogether) {
  const TestDirectory directory;
  const Blocks all =
      ReadAllBlocks({directory.Write("a", "1,2\n3,4"), directory.Write("b", ""), directory.Write("c", "5,6\n")});
  ASSERT_EQ(all.blocks.size(), 2U);
  EXPECT_EQ(all.blocks[0].bytes, "1,2\n3,4");
  EXPECT_EQ(all.blocks[1].bytes, "5,6\n");
  EXPECT_EQ(all.blocks[1].file, 2U);
  EXPECT_EQ(all.blocks[1].first_record, 1U);
}

TEST(RecordReaderTest, ByteOrderMarkIsDropped) {
  const TestDirectory directory;
  EXPECT_EQ(ReadAllBlocks({directory.Write("a",
                                           "\xef\xbb\xbf"
                                           "1,2\n")})
                .text,
            "1,2\n");
}

TEST(RecordReaderTest, RecordLongerThanABlockIsWhole) {
  const TestDirectory directory;
  const std::string text = "1,2\n" + std::string(3 * kBlockBytes, '7') + "\n3,4\n";
  const Blocks all = ReadAllBlocks({directory.Write("a", text)});
  EXPECT_EQ(all.text, text);
}

TEST(RecordReaderTest, FileWithoutLineEndsIsRefusedBeforeItFillsTheMemory) {
  const TestDirectory directory;
  RecordReader reader({directory.Write("a", std::string(kRecordBytesMax + kBlockBytes, '7'))}, Framing::kLines,
                      Compression::kAuto);
  const auto block = reader.Next({});
  ASSERT_FALSE(block.ok());
  EXPECT_EQ(block.error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace argosy::data
