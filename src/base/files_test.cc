#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

namespace argosy {
namespace {

class FilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(::testing::TempDir()) / "files-test";
    ASSERT_TRUE(RemoveTree(directory_).ok());
    ASSERT_TRUE(MakeDirectories(directory_ / "deep" / "er").ok());
  }
  void TearDown() override { (void)RemoveTree(directory_); }
  std::filesystem::path directory_;
};

TEST_F(FilesTest, ADurableWriteReplacesTheWholeFileWithItsModeAndLeavesNothingBeside) {
  const auto path = directory_ / "f";
  ASSERT_TRUE(WriteFileDurably(path, "a long first text").ok());
  ASSERT_TRUE(WriteFileDurably(path, "second", 0600).ok());
  EXPECT_EQ(*ReadFile(path, 100), "second");
  struct stat st{};
  ASSERT_EQ(stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_)) ++entries;
  EXPECT_EQ(entries, 2U);
}

TEST_F(FilesTest, ErrorsSayWhichFileAndGiveTheCode) {
  EXPECT_EQ(ReadFile(directory_ / "none", 10).error().code(), ErrorCode::kNotFound);
  EXPECT_NE(ReadFile(directory_ / "none", 10).error().message().find("none"), std::string::npos);
  ASSERT_TRUE(WriteFileAtomically(directory_ / "big", std::string(100, 'x')).ok());
  EXPECT_EQ(ReadFile(directory_ / "big", 99).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(WriteFileDurably(directory_ / "no" / "such", "x").error().code(), ErrorCode::kNotFound);
}

TEST_F(FilesTest, ALockIsHeldByOneAndFreedWithItsDescriptor) {
  const auto path = directory_ / "lock";
  {
    const auto first = TryLockFile(path);
    ASSERT_TRUE(first.ok() && first->has_value());
    const auto second = TryLockFile(path);
    ASSERT_TRUE(second.ok());
    EXPECT_FALSE(second->has_value());
    EXPECT_NE(fcntl((*first)->get(), F_GETFD) & FD_CLOEXEC, 0);
  }
  const auto third = TryLockFile(path);
  EXPECT_TRUE(third.ok() && third->has_value());
}

TEST_F(FilesTest, RemovingATreeDoesNotFollowLinks) {
  ASSERT_TRUE(WriteFileAtomically(directory_ / "kept", "x").ok());
  std::filesystem::create_directory_symlink(directory_, directory_ / "deep" / "link");
  ASSERT_TRUE(RemoveTree(directory_ / "deep").ok());
  EXPECT_TRUE(std::filesystem::exists(directory_ / "kept"));
  EXPECT_TRUE(RemoveTree(directory_ / "deep").ok());
}

TEST(Log, LinesAreLogfmtOrJson) {
  const auto line = [](LogFormat format) {
    return FormatLogLine(format, "T", LogLevel::kInfo, "job ended", {{"job", "a"}, {"why", "x \"y\""}, {"no", ""}});
  };
  EXPECT_EQ(line(LogFormat::kLogfmt), R"(T info "job ended" job=a why="x \"y\"" no="")");
  EXPECT_EQ(line(LogFormat::kJson),
            R"({"time":"T","level":"info","event":"job ended","job":"a","why":"x \"y\"","no":""})");
}

TEST(Clock, TimesAreWrittenAsTheServicesWriteThem) {
  const Time t = FromUnixMillis(1'714'566'896'789);
  EXPECT_EQ(FormatIso8601(t), "2024-05-01T12:34:56.789Z");
  EXPECT_EQ(FormatHttpDate(t), "Wed, 01 May 2024 12:34:56 GMT");
  EXPECT_EQ(FormatAmzDate(t), "20240501T123456Z");
  EXPECT_DOUBLE_EQ(ToUnixSeconds(t), 1714566896.789);
  EXPECT_EQ(FromUnixSeconds(1714566896.789), t);
}

TEST(Random, SeedsReplayAndDrawsAreInRange) {
  SeededRandom a(7);
  SeededRandom b(7);
  SeededRandom c(8);
  EXPECT_EQ(a.Next(), b.Next());
  EXPECT_NE(a.Next(), c.Next());
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < 20'000; ++i) {
    EXPECT_LT(a.Below(10), 10U);
    const double u = a.Uniform();
    EXPECT_TRUE(u >= 0 && u < 1);
    const double n = a.Normal();
    sum += n;
    squares += n * n;
  }
  EXPECT_NEAR(sum / 20'000, 0, 0.05);
  EXPECT_NEAR(squares / 20'000, 1, 0.05);
  EXPECT_EQ(NewUid(a).size(), 32U);
  const Time now = FromUnixNanos(1'700'000'000'123'456'789);
  EXPECT_EQ(NewUid(a, now).size(), 32U);
  EXPECT_LT(NewUid(a, now), NewUid(a, now + std::chrono::milliseconds(1)));
  EXPECT_NE(NewUid(a, now), NewUid(a, now));
  EXPECT_EQ(NewUuid(a)[14], '4');
}

}  // namespace
}  // namespace argosy
