#include "agent/log_spool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace argosy::agent {
namespace {

class LogSpoolTest : public testing::Test {
 protected:
  LogSpoolTest() : clock_(FromUnixNanos(1000)) {
    char name[] = "/tmp/argosy-spool-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    root_ = name;
    spool_ = std::move(*LogSpool::Open(root_ / "log", &clock_));
  }
  ~LogSpoolTest() override { std::filesystem::remove_all(root_); }

  ManualClock clock_;
  std::filesystem::path root_;
  std::unique_ptr<LogSpool> spool_;
};

TEST_F(LogSpoolTest, LinesAreStampedAndEscaped) {
  spool_->Append("plain");
  clock_.Advance(Duration(5));
  spool_->Append("two\nlines and a \\");
  EXPECT_EQ(*spool_->ReadLines(0, 1000), "1000 plain\n1005 two\\nlines and a \\\\\n");
  EXPECT_EQ(spool_->size(), spool_->ReadLines(0, 1000)->size());
  EXPECT_EQ(*spool_->ReadLines(spool_->size(), 1000), "");
  EXPECT_EQ(*spool_->ReadLines(11, 1000), "1005 two\\nlines and a \\\\\n");
}

TEST_F(LogSpoolTest, TimesDoNotGoBackWhenTheClockDoes) {
  spool_->Append("a");
  clock_.Advance(Duration(-500));
  spool_->Append("b");
  EXPECT_EQ(*spool_->ReadLines(0, 1000), "1000 a\n1000 b\n");
}

TEST_F(LogSpoolTest, AnEndlessLineIsCutIntoSeveral) {
  spool_->Append(std::string(kLogLineBytesMax, '\n'));
  const std::string all = *spool_->ReadLines(0, 10 << 20);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2);
}

TEST_F(LogSpoolTest, TheListenerIsToldOnceUntilItHasLooked) {
  int told = 0;
  spool_->SetListener([&] { ++told; });
  spool_->Append("a");
  spool_->Append("b");
  EXPECT_EQ(told, 1);
  spool_->Taken();
  spool_->Append("c");
  EXPECT_EQ(told, 2);
}

TEST_F(LogSpoolTest, AFullLogSaysSoOnceAndThenTakesNothing) {
  const std::string line = "1000 " + std::string(994, 'x') + "\n";
  constexpr uint64_t kBegin = kSpoolBytesMax - kSpoolNoticeBytes - 1500;
  std::filesystem::resize_file(root_ / "log", kBegin);
  spool_ = std::move(*LogSpool::Open(root_ / "log", &clock_));
  for (int i = 0; i < 4; ++i) spool_->Append(std::string(994, 'x'));
  spool_->Append("short");
  const std::string notice =
      "1000 [argosy] log lines were lost: the log has reached its 1024 MiB, and nothing that follows is kept\n";
  EXPECT_EQ(*spool_->ReadLines(kBegin, 1 << 20), line + notice);
  EXPECT_LE(spool_->size(), kSpoolBytesMax);
}

TEST_F(LogSpoolTest, WhatADyingWriterLeftOfALineIsNotRead) {
  spool_->Append("whole");
  const UniqueFd fd(open((root_ / "log").c_str(), O_RDWR | O_APPEND));
  ASSERT_TRUE(WriteAll(fd.get(), "1001 to").ok());
  EXPECT_EQ(*ReadSpoolLines(fd.get(), 0, 1000), "1000 whole\n");
}

}  // namespace
}  // namespace argosy::agent
