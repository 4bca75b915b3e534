#include "main/row_chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace argosy::main {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Taken {
  std::vector<std::string> bodies;
  RowChunks chunks{[this](const std::string& body) -> Status { return bodies.push_back(body), Status(); }, 8};
};

TEST(RowChunks, CutBetweenRowsOnly) {
  Taken taken;
  for (const char* piece : {"1,", "2\n3", ",4\n5,", "6\n7,8\n"}) ASSERT_TRUE(taken.chunks.Append(piece).ok());
  ASSERT_TRUE(taken.chunks.Finish().ok());
  EXPECT_THAT(taken.bodies, ElementsAre("1,2\n3,4\n", "5,6\n7,8\n"));
}

TEST(RowChunks, FilesAreNotGluedTogether) {
  Taken taken;
  ASSERT_TRUE(taken.chunks.Append("1").ok());
  ASSERT_TRUE(taken.chunks.EndOfFile().ok());
  ASSERT_TRUE(taken.chunks.Append("2\n").ok());
  ASSERT_TRUE(taken.chunks.EndOfFile().ok());
  ASSERT_TRUE(taken.chunks.Finish().ok());
  EXPECT_THAT(taken.bodies, ElementsAre("1\n2\n"));
}

TEST(RowChunks, ARowThatFitsNoBodyIsRefused) {
  Taken taken;
  EXPECT_FALSE(taken.chunks.Append("123456789\n").ok());
}

TEST(RowChunks, NothingGivesNothing) {
  Taken taken;
  ASSERT_TRUE(taken.chunks.EndOfFile().ok());
  ASSERT_TRUE(taken.chunks.Finish().ok());
  EXPECT_THAT(taken.bodies, IsEmpty());
}

TEST(RowChunks, TheFirstErrorEndsIt) {
  RowChunks chunks([](const std::string&) { return Status(Error(ErrorCode::kUnavailable, "gone")); }, 4);
  EXPECT_FALSE(chunks.Append("1\n2\n3\n").ok());
}

}  // namespace
}  // namespace argosy::main
