#include "objectstore/outside/object_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "objectstore/test_directory.h"

namespace argosy::objectstore {
namespace {

namespace fs = std::filesystem;

class ObjectCacheTest : public testing::Test {
 protected:
  void SetUp() override { dir_ = MakeTestDirectory(); }
  void TearDown() override { fs::remove_all(dir_); }
  std::unique_ptr<ObjectCache> Open(uint64_t bytes_max) {
    return std::move(*ObjectCache::Open(dir_ / "cache", bytes_max, &clock_));
  }
  void Keep(ObjectCache& cache, const std::string& name, size_t size) {
    auto partial = cache.NewPartial().value();
    ASSERT_TRUE(WriteAll(partial->file()->get(), std::string(size, 'x')).ok());
    ASSERT_TRUE(cache.Keep(*partial, name).ok());
  }
  size_t Partials() {
    return static_cast<size_t>(std::distance(fs::directory_iterator(dir_ / "cache/partial"), fs::directory_iterator()));
  }

  fs::path dir_;
  ManualClock clock_{Time(std::chrono::hours(24 * 365 * 50))};
};

TEST_F(ObjectCacheTest, WhatWasUsedLongestAgoGoesFirst) {
  const auto cache = Open(300);
  for (const char* name : {"a", "b", "c"}) {
    Keep(*cache, name, 100);
    clock_.Advance(std::chrono::minutes(2));
  }
  EXPECT_TRUE(cache->Find("a", 100));  // and is now the one used last
  clock_.Advance(std::chrono::minutes(2));
  Keep(*cache, "d", 100);
  EXPECT_TRUE(cache->Find("a", 100));
  EXPECT_FALSE(cache->Find("b", 100));
  EXPECT_TRUE(cache->Find("c", 100));
  EXPECT_TRUE(cache->Find("d", 100));
}

TEST_F(ObjectCacheTest, WhatWasUsedJustNowStaysAboveTheBound) {
  const auto cache = Open(100);
  Keep(*cache, "a", 100);
  Keep(*cache, "b", 100);
  EXPECT_TRUE(cache->Find("a", 100));
  clock_.Advance(kSparedFor + std::chrono::seconds(1));
  Keep(*cache, "c", 100);
  EXPECT_FALSE(cache->Find("a", 100));
  EXPECT_FALSE(cache->Find("b", 100));
  EXPECT_TRUE(cache->Find("c", 100));
}

TEST_F(ObjectCacheTest, WhoHasAFileOpenKeepsIt) {
  const auto cache = Open(100);
  Keep(*cache, "a", 100);
  const std::optional<UniqueFd> open = cache->Find("a", 100);
  clock_.Advance(std::chrono::minutes(2));
  Keep(*cache, "b", 100);
  EXPECT_FALSE(cache->Find("a", 100));
  char byte = 0;
  EXPECT_EQ(pread(open->get(), &byte, 1, 99), 1);
  EXPECT_EQ(byte, 'x');
}

TEST_F(ObjectCacheTest, AFileOfAnotherSizeIsNotTheContent) {
  const auto cache = Open(1000);
  Keep(*cache, "a", 100);
  EXPECT_FALSE(cache->Find("a", 101));
}

TEST_F(ObjectCacheTest, APartialFileThatIsGivenUpLeavesNothing) {
  const auto cache = Open(1000);
  {
    const auto partial = cache->NewPartial().value();
    EXPECT_EQ(Partials(), 1u);
  }
  EXPECT_EQ(Partials(), 0u);
}

TEST_F(ObjectCacheTest, PartialFilesOfTheDeadAreSweptThoseOfTheLivingAreNot) {
  Open(1000);
  const auto touch = [&](const std::string& name) {
    ASSERT_TRUE(WriteFileAtomically(dir_ / "cache/partial" / name, "x").ok());
  };
  touch("4194303-1");                            // no process has this number
  touch(std::to_string(getppid()) + "-1");       // this one lives
  touch(std::to_string(getpid()) + "-1000000");  // of an earlier process that had our number
  Open(1000);
  EXPECT_EQ(Partials(), 1u);
  EXPECT_TRUE(fs::exists(dir_ / "cache/partial" / (std::to_string(getppid()) + "-1")));
}

}  // namespace
}  // namespace argosy::objectstore
