#include "main/file_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_files.h"

namespace argosy::main {
namespace {

using ::testing::EndsWith;

class FileStartTest : public ::testing::Test {
 protected:
  Result<std::string> Start(std::string_view bytes) { return WholeLinesOfStart(directory_.Write("start", bytes)); }
  data::TestDirectory directory_;
};

TEST_F(FileStartTest, ALineThatWasCutIsLeftOut) {
  EXPECT_EQ(*Start("1,2\n3,4\n5"), "1,2\n3,4\n");
  EXPECT_EQ(*Start("1,2\n3,4\n"), "1,2\n3,4\n");
}

TEST_F(FileStartTest, OneLineAloneIsKept) {
  EXPECT_EQ(*Start("1,2"), "1,2");
}

TEST_F(FileStartTest, AGzipStreamThatWasCutGivesTheLinesBeforeTheCut) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919 % 20011) + ",1\n";
  const std::string packed = data::GzipBytes(text);
  const std::string start = *Start(std::string_view(packed).substr(0, packed.size() / 2));
  EXPECT_GT(start.size(), text.size() / 4);
  EXPECT_LT(start.size(), text.size());
  EXPECT_TRUE(text.starts_with(start));
  EXPECT_THAT(start, EndsWith("\n"));
}

TEST_F(FileStartTest, ABrokenGzipStreamIsAnError) {
  EXPECT_FALSE(Start("\x1f\x8b nothing of the kind").ok());
}

}  // namespace
}  // namespace argosy::main
