#include "observe/file_log_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/random.h"
#include "observe/line_file.h"
#include "observe/spool_line.h"

namespace argosy::observe {
namespace {

constexpr size_t kAll = 1'000'000;
const std::string kGroup = "/aws/sagemaker/TrainingJobs";

class FileLogStoreTest : public testing::Test {
 protected:
  FileLogStoreTest()
      : directory_(std::filesystem::temp_directory_path() /
                   ("argosy-log-store-" + std::to_string(getpid()) + "-" +
                    testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(directory_);
    Reopen();
  }
  ~FileLogStoreTest() override { std::filesystem::remove_all(directory_); }
  void Reopen() { store_ = std::move(FileLogStore::Open(directory_)).value(); }

  static Time At(int64_t seconds) { return Time(std::chrono::seconds(1'700'000'000 + seconds)); }
  static std::string Line(int64_t seconds, std::string message) {
    return FormatSpoolLine({At(seconds), std::move(message)});
  }
  std::string Messages(const Result<LogStore::Read>& read) {
    EXPECT_TRUE(read.ok());
    std::string joined;
    for (const LogEvent& event : read->events) joined += event.message + "|";
    return joined;
  }
  std::filesystem::path File(const std::string& stream) const {
    return directory_ / *EscapeLogName(kGroup) / (*EscapeLogName(stream) + ".log");
  }

  std::filesystem::path directory_;
  std::unique_ptr<FileLogStore> store_;
};

TEST_F(FileLogStoreTest, EventsComeBackInOrder) {
  const std::string spool = Line(1, "one") + Line(2, "two\nlines \\ and a backslash") + Line(3, "");
  ASSERT_TRUE(store_->AppendSpool(kGroup, "job/algo-1-1", 0, spool).ok());
  EXPECT_EQ(store_->SpoolOffset(kGroup, "job/algo-1-1"), spool.size());
  const auto read = store_->ReadForward(kGroup, "job/algo-1-1", 0, kAll, kAll);
  EXPECT_EQ(Messages(read), "one|two\nlines \\ and a backslash||");
  EXPECT_EQ(read->events[1].timestamp, At(2));
  EXPECT_TRUE(read->at_end);
  EXPECT_EQ(read->next, spool.size());
}

TEST_F(FileLogStoreTest, AResendIsSkippedAndAGapRefused) {
  const std::string first = Line(1, "a");
  const std::string second = Line(2, "b");
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, first).ok());
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, first + second).ok());
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", first.size(), second).ok());
  EXPECT_EQ(Messages(store_->ReadForward(kGroup, "s", 0, kAll, kAll)), "a|b|");
  EXPECT_EQ(store_->AppendSpool(kGroup, "s", 1000, second).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_->AppendSpool(kGroup, "s", 0, "no newline").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Messages(store_->ReadForward(kGroup, "s", 0, kAll, kAll)), "a|b|");
}

TEST_F(FileLogStoreTest, ATornLastLineIsUnseenAndMendedByTheResend) {
  const std::string first = Line(1, "whole");
  const std::string second = Line(2, "torn by the power cut");
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, first).ok());
  std::ofstream(File("s"), std::ios::app) << second.substr(0, 25);
  Reopen();
  EXPECT_EQ(store_->SpoolOffset(kGroup, "s"), first.size());
  EXPECT_EQ(Messages(store_->ReadForward(kGroup, "s", 0, kAll, kAll)), "whole|");
  EXPECT_EQ(Messages(store_->ReadBackward(kGroup, "s", UINT64_MAX, kAll, kAll)), "whole|");
  EXPECT_EQ(store_->Describe(kGroup, "s")->last_event, At(1));
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", first.size(), second).ok());
  EXPECT_EQ(Messages(store_->ReadForward(kGroup, "s", 0, kAll, kAll)), "whole|torn by the power cut|");
}

TEST_F(FileLogStoreTest, WhatCouldNotBeSyncedIsNotThereAndIsWrittenWhenItComesAgain) {
  Status disk = Error(ErrorCode::kIo, "the disk fails");
  size_t syncs = 0;
  store_ = std::move(FileLogStore::Open(directory_, [&](int) {
             ++syncs;
             return disk;
           })).value();
  const std::string one = Line(1, "one");
  const std::string two = Line(2, "two");
  EXPECT_EQ(store_->AppendSpool(kGroup, "s", 0, one).error().code(), ErrorCode::kIo);
  EXPECT_EQ(store_->SpoolOffset(kGroup, "s"), 0u);
  disk = Status();
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, one).ok());
  disk = Error(ErrorCode::kIo, "the disk fails");
  EXPECT_EQ(store_->AppendSpool(kGroup, "s", one.size(), two).error().code(), ErrorCode::kIo);
  EXPECT_EQ(store_->SpoolOffset(kGroup, "s"), one.size());
  EXPECT_EQ(store_->AppendSpool(kGroup, "s", 0, one).error().code(), ErrorCode::kIo) << "known, but is it on disk?";
  disk = Status();
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, one + two).ok());
  EXPECT_EQ(Messages(store_->ReadForward(kGroup, "s", 0, kAll, kAll)), "one|two|");
  EXPECT_EQ(syncs, 5u);
}

TEST_F(FileLogStoreTest, PagesForwardAndBackMeetEveryEventOnce) {
  std::string spool;
  std::string expected;
  for (int i = 0; i < 400; ++i) {
    const std::string message = "line " + std::to_string(i) + std::string(static_cast<size_t>(i % 97), 'x');
    spool += Line(i, message);
    expected += message + "|";
  }
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, spool).ok());
  for (const size_t page : {1, 7, 64, 400}) {
    std::string forward;
    uint64_t position = 0;
    while (true) {
      const auto read = store_->ReadForward(kGroup, "s", position, page, kAll);
      forward += Messages(read);
      position = read->next;
      if (read->at_end) break;
    }
    EXPECT_EQ(forward, expected) << page;
    std::string backward;
    position = UINT64_MAX;
    do {
      const auto read = store_->ReadBackward(kGroup, "s", position, page, kAll);
      backward.insert(0, Messages(read));
      position = read->next;
      EXPECT_EQ(read->at_end, position == 0);
    } while (position > 0);
    EXPECT_EQ(backward, expected) << page;
  }
}

TEST_F(FileLogStoreTest, BytesBoundAPageButOneEventAlwaysComes) {
  const std::string big(1000, 'b');
  const std::string spool = Line(1, big) + Line(2, big) + Line(3, "c");
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, spool).ok());
  EXPECT_EQ(store_->ReadForward(kGroup, "s", 0, kAll, 1500)->events.size(), 1u);
  EXPECT_EQ(store_->ReadForward(kGroup, "s", 0, kAll, 10)->events.size(), 1u);
  EXPECT_EQ(store_->ReadBackward(kGroup, "s", UINT64_MAX, kAll, 1500)->events.size(), 2u);
  EXPECT_EQ(store_->ReadBackward(kGroup, "s", UINT64_MAX, kAll, 1)->events.size(), 1u);
}

TEST_F(FileLogStoreTest, PositionsAreTakenOnlyAtEvents) {
  const std::string spool = Line(1, "abc");
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, spool).ok());
  EXPECT_EQ(store_->ReadForward(kGroup, "s", 3, kAll, kAll).error().code(), ErrorCode::kInvalidArgument);
  const auto beyond = store_->ReadForward(kGroup, "s", 1'000'000, kAll, kAll);
  EXPECT_TRUE(beyond->at_end);
  EXPECT_EQ(beyond->next, spool.size());
  EXPECT_EQ(store_->ReadForward(kGroup, "none", 0, kAll, kAll).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->ReadForward("none", "s", 0, kAll, kAll).error().code(), ErrorCode::kNotFound);
}

TEST_F(FileLogStoreTest, SeekFindsTheFirstEventNotBeforeATime) {
  SeededRandom random(3);
  std::vector<std::pair<int64_t, uint64_t>> starts;  // (seconds, offset)
  std::string spool;
  int64_t seconds = 10;
  for (int i = 0; i < 2000; ++i) {
    starts.emplace_back(seconds, spool.size());
    spool += Line(seconds, std::string(random.Below(200), 'x'));
    seconds += static_cast<int64_t>(random.Below(3));
  }
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, spool).ok());
  for (int64_t time = 0; time < seconds + 5; time += 7) {
    const auto first =
        std::find_if(starts.begin(), starts.end(), [&](const auto& start) { return start.first >= time; });
    const uint64_t expected = first == starts.end() ? spool.size() : first->second;
    EXPECT_EQ(*store_->Seek(kGroup, "s", At(time)), expected) << time;
  }
  EXPECT_EQ(*store_->Seek(kGroup, "s", Time::max()), spool.size());
}

TEST_F(FileLogStoreTest, NamesAreAnythingAndStayInTheirFolder) {
  const std::vector<std::string> names = {"..", ".", "a", "a/b", "a%2Fb", "../../etc/passwd", "job/algo-1-1", "ü ☃"};
  for (const std::string& name : names) ASSERT_TRUE(store_->AppendSpool(kGroup, name, 0, Line(1, name)).ok()) << name;
  ASSERT_TRUE(store_->AppendSpool("..", "s", 0, Line(1, "x")).ok());
  for (const std::string& name : names) {
    EXPECT_EQ(Messages(store_->ReadForward(kGroup, name, 0, kAll, kAll)), name + "|");
  }
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_))
    files += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, names.size() + 1);
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(*store_->StreamNames(kGroup, ""), sorted);
  EXPECT_EQ(*store_->StreamNames(kGroup, "a"), (std::vector<std::string>{"a", "a%2Fb", "a/b"}));
  EXPECT_EQ(store_->StreamNames("none", "").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->AppendSpool(kGroup, std::string(400, 'x'), 0, Line(1, "x")).error().code(),
            ErrorCode::kInvalidArgument);
}

TEST_F(FileLogStoreTest, DescribesGroupsAndStreams) {
  EXPECT_TRUE(store_->Groups("").empty());
  const std::string spool = Line(5, "first") + Line(9, "last");
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, spool).ok());
  ASSERT_TRUE(store_->AppendSpool("/aws/sagemaker/Endpoints/e", "v/i", 0, Line(6, "x")).ok());
  const auto groups = store_->Groups("");
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].name, "/aws/sagemaker/Endpoints/e");
  EXPECT_EQ(groups[1].name, kGroup);
  EXPECT_EQ(groups[1].stored_bytes, spool.size());
  EXPECT_EQ(store_->Groups("/aws/sagemaker/T").size(), 1u);
  const LogStreamInfo info = store_->Describe(kGroup, "s").value();
  EXPECT_EQ(info.created, At(5));
  EXPECT_EQ(info.first_event, At(5));
  EXPECT_EQ(info.last_event, At(9));
  EXPECT_EQ(info.stored_bytes, spool.size());
  EXPECT_EQ(store_->Describe(kGroup, "none").error().code(), ErrorCode::kNotFound);
}

TEST(SpoolLine, IsReadBackAsItWasWritten) {
  for (const std::string message : {"", "plain", "a\nb", "\\n", "\\", "\\\\n\n", "12 34"}) {
    const LogEvent event{FromUnixNanos(123), message};
    const std::string line = FormatSpoolLine(event);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const LogEvent back = ParseSpoolLine(std::string_view(line).substr(0, line.size() - 1), Time{});
    EXPECT_EQ(back.timestamp, event.timestamp);
    EXPECT_EQ(back.message, message);
  }
  const LogEvent damaged = ParseSpoolLine("\x01\x02 no time", FromUnixNanos(9));
  EXPECT_EQ(damaged.timestamp, FromUnixNanos(9));
  EXPECT_EQ(damaged.message, "\x01\x02 no time");
}

TEST_F(FileLogStoreTest, OverlongLinesAreShownInPartAndPassedOver) {
  const std::string huge = Line(1, std::string(3 * kLineShownMax, 'h'));
  ASSERT_TRUE(store_->AppendSpool(kGroup, "s", 0, Line(0, "before") + huge + Line(2, "after")).ok());
  const auto read = store_->ReadForward(kGroup, "s", 0, kAll, 100 * kAll);
  ASSERT_EQ(read->events.size(), 3u);
  EXPECT_LE(read->events[1].message.size(), kLineShownMax);
  EXPECT_GT(read->events[1].message.size(), kLineShownMax / 2);
  EXPECT_EQ(read->events[2].message, "after");
  EXPECT_TRUE(read->at_end);
}

}  // namespace
}  // namespace argosy::observe
