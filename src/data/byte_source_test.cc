#include "data/byte_source.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <string>

#include "base/files.h"
#include "data/test_files.h"

namespace argosy::data {
namespace {

Result<std::string> ReadToEnd(ByteSource& source, size_t step) {
  std::string all;
  std::string buffer(step, '\0');
  while (true) {
    auto n = source.Read(std::span<char>(buffer.data(), buffer.size()));
    if (!n) return n.error();
    all.append(buffer, 0, *n);
    if (*n < step) return all;
  }
}

class ByteSourceTest : public ::testing::Test {
 protected:
  Result<std::string> ReadFileWith(const std::string& bytes, Compression compression, size_t step = 7) {
    const auto path = directory_.Write("data", bytes);
    auto source = OpenByteSource(path, compression);
    if (!source) return source.error();
    return ReadToEnd(**source, step);
  }
  TestDirectory directory_;
};

TEST_F(ByteSourceTest, PlainFileIsReadAsItIs) {
  EXPECT_EQ(*ReadFileWith("1,2\n3,4\n", Compression::kAuto), "1,2\n3,4\n");
  EXPECT_EQ(*ReadFileWith("", Compression::kAuto), "");
  EXPECT_EQ(*ReadFileWith("x", Compression::kAuto), "x");
}

TEST_F(ByteSourceTest, GzipIsKnownByItsFirstBytes) {
  const std::string text(100'000, 'a');
  EXPECT_EQ(*ReadFileWith(GzipBytes(text), Compression::kAuto, 4096), text);
}

TEST_F(ByteSourceTest, MembersOfOneGzipFileFollowEachOther) {
  EXPECT_EQ(*ReadFileWith(GzipBytes("1\n") + GzipBytes("2\n") + GzipBytes(""), Compression::kGzip), "1\n2\n");
}

TEST_F(ByteSourceTest, ZeroPaddingBehindTheLastMemberIsNothing) {
  EXPECT_EQ(*ReadFileWith(GzipBytes("1\n") + std::string(512, '\0'), Compression::kGzip), "1\n");
}

TEST_F(ByteSourceTest, TornGzipIsTheUsersError) {
  const std::string whole = GzipBytes(std::string(100'000, 'a'));
  const auto torn = ReadFileWith(whole.substr(0, whole.size() / 2), Compression::kAuto);
  ASSERT_FALSE(torn.ok());
  EXPECT_EQ(torn.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(torn.error().message().find("'data'"), std::string::npos);
}

TEST_F(ByteSourceTest, PlainTextThatShouldBeGzipIsRefused) {
  EXPECT_FALSE(ReadFileWith("1,2\n", Compression::kGzip).ok());
}

TEST_F(ByteSourceTest, ZstdIsKnownByItsFirstBytesAndMayHaveSeveralFrames) {
  const auto packed = [](std::string_view text) {
    std::string bytes(ZSTD_compressBound(text.size()), '\0');
    bytes.resize(ZSTD_compress(bytes.data(), bytes.size(), text.data(), text.size(), 3));
    return bytes;
  };
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i % 977 * 31 % 977) + ",";
  for (const size_t step : {7UL, 4096UL, 1UL << 20}) {
    EXPECT_EQ(*ReadFileWith(packed(text), Compression::kAuto, step), text);
    EXPECT_EQ(*ReadFileWith(packed(text) + packed("1,2\n"), Compression::kAuto, step), text + "1,2\n");
  }
  const std::string whole = packed(text);
  for (const size_t cut : {5UL, whole.size() / 2, whole.size() - 1}) {
    const auto torn = ReadFileWith(whole.substr(0, cut), Compression::kAuto);
    ASSERT_FALSE(torn.ok()) << cut;
    EXPECT_EQ(torn.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(torn.error().message().find("cannot decompress 'data' as zstd"), std::string::npos);
  }
  EXPECT_FALSE(ReadFileWith(whole + "garbage", Compression::kAuto).ok());
}

TEST_F(ByteSourceTest, AbsentFileIsNotFound) {
  EXPECT_EQ(OpenByteSource(directory_.path() / "none", Compression::kAuto).error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace argosy::data
