#include "main/data_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace argosy::main {
namespace {

using ::testing::HasSubstr;

class DataDirectoryTest : public ::testing::Test {
 protected:
  DataDirectoryTest() : path_(std::filesystem::path(testing::TempDir()) / ("datadir-" + std::to_string(getpid()))) {}
  ~DataDirectoryTest() override { (void)RemoveTree(path_); }
  ServerRecord Self() const {
    return {*agent::AgentIdentity::OfThisProcess(SystemClock().Now()), "http://127.0.0.1:1", "0.1.0", "eu-west-1"};
  }
  std::filesystem::path path_;
};

TEST_F(DataDirectoryTest, IsMadePrivateAndHeldByOneAtATime) {
  {
    const Result<DataDirectory> first = DataDirectory::Open(path_ / "a/b");
    ASSERT_TRUE(first.ok()) << first.error().message();
    struct stat info{};
    ASSERT_EQ(stat((path_ / "a/b").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
    const Result<DataDirectory> second = DataDirectory::Open(path_ / "a/b");
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code(), ErrorCode::kAlreadyExists);
    EXPECT_THAT(second.error().message(), HasSubstr("in use by process " + std::to_string(getpid())));
    EXPECT_EQ(second.error().message().find('\n'), std::string::npos);
  }
  EXPECT_TRUE(DataDirectory::Open(path_ / "a/b").ok()) << "the lock goes with its holder";
}

TEST_F(DataDirectoryTest, APathThatIsAFileIsRefusedInOneLine) {
  std::filesystem::create_directories(path_);
  std::ofstream(path_ / "file") << "x";
  const Result<DataDirectory> opened = DataDirectory::Open(path_ / "file");
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message(), HasSubstr("file"));
  EXPECT_EQ(opened.error().message().find('\n'), std::string::npos);
}

TEST_F(DataDirectoryTest, OtherUsersAreKeptOutOfWhatIsOurs) {
  std::filesystem::create_directories(path_ / "objects");
  std::filesystem::permissions(path_, std::filesystem::perms(0755));
  std::filesystem::permissions(path_ / "objects", std::filesystem::perms(0755));
  std::ofstream(path_ / "metrics.db-wal") << "left by a server that was killed";
  std::filesystem::permissions(path_ / "metrics.db-wal", std::filesystem::perms(0644));
  ASSERT_TRUE(DataDirectory::Open(path_).ok());
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0755));
  for (const char* const name : {"catalog/catalog.db", "metrics.db", "metrics.db-wal"}) {
    EXPECT_EQ(std::filesystem::status(path_ / name).permissions(), std::filesystem::perms(0600)) << name;
  }
  for (const char* const name : {"catalog", "instances", "logs", "objects"}) {
    EXPECT_EQ(std::filesystem::status(path_ / name).permissions(), std::filesystem::perms(0700)) << name;
  }
}

TEST_F(DataDirectoryTest, TheRecordTellsOfALivingServerOnly) {
  EXPECT_FALSE(FindServer(path_));
  const Result<DataDirectory> directory = DataDirectory::Open(path_);
  ASSERT_TRUE(directory.ok());
  ASSERT_TRUE(directory->WriteRecord(Self()).ok());
  const std::optional<ServerRecord> found = FindServer(path_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->process.pid, getpid());
  EXPECT_EQ(found->endpoint, "http://127.0.0.1:1");
  EXPECT_EQ(found->region, "eu-west-1");

  const std::filesystem::path copy = path_.string() + "-copy";
  std::filesystem::copy(path_, copy, std::filesystem::copy_options::recursive);
  EXPECT_FALSE(FindServer(copy));
  std::filesystem::remove_all(copy);

  ServerRecord another = Self();
  another.process.start_ticks += 1;  // the pid has been given to another process
  ASSERT_TRUE(directory->WriteRecord(another).ok());
  EXPECT_FALSE(FindServer(path_));

  directory->RemoveRecord();
  EXPECT_FALSE(FindServer(path_));
  std::ofstream(path_ / "server.json") << "{torn";
  EXPECT_FALSE(FindServer(path_));
}

}  // namespace
}  // namespace argosy::main
