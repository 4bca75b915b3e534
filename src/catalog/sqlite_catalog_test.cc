#include "catalog/sqlite_catalog.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <latch>

namespace argosy::catalog {
namespace {

TEST(SqliteCatalog, ManyThreadsCommitAndTheFeedTellsEachChangeOnceInOrder) {
  const std::string directory = ::testing::TempDir() + "/catalog-threads";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  std::vector<uint64_t> sequences;
  std::atomic<int> refused{0};
  {
    auto catalog = SqliteCatalog::Open(directory);
    ASSERT_TRUE(catalog.ok()) << catalog.error().message();
    (*catalog)->SetChangeListener([&](const Change& change) { sequences.push_back(change.sequence); });
    std::latch done(kThreads * kEach);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          Resource r;
          r.kind = Kind::kModel;
          r.name = "m" + std::to_string(t * kEach + i / 2);  // every second one is a duplicate
          r.uid = std::to_string(t) + "-" + std::to_string(i);
          Transaction transaction;
          transaction.inserts.push_back({r});
          (*catalog)->Commit(std::move(transaction), [&](Result<Change> result) {
            if (!result.ok()) ++refused;
            done.count_down();
          });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    done.wait();
    EXPECT_TRUE((*catalog)->Get(Kind::kModel, "m0").ok());
    Query q;
    q.kind = Kind::kModel;
    q.max_results = 1000;
    EXPECT_EQ((*catalog)->List(q)->resources.size(), static_cast<size_t>(kThreads * kEach / 2));
  }
  EXPECT_EQ(refused, kThreads * kEach / 2);
  ASSERT_EQ(sequences.size(), static_cast<size_t>(kThreads * kEach / 2));
  for (size_t i = 0; i < sequences.size(); ++i) EXPECT_EQ(sequences[i], i + 1);
  std::filesystem::remove_all(directory);
}

TEST(SqliteCatalog, WhatWaitsIsCommittedBeforeTheEnd) {
  const std::string directory = ::testing::TempDir() + "/catalog-end";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  std::atomic<int> done{0};
  {
    auto catalog = SqliteCatalog::Open(directory);
    ASSERT_TRUE(catalog.ok());
    for (int i = 0; i < 50; ++i) {
      Resource r;
      r.name = r.uid = "job-" + std::to_string(i);
      Transaction transaction;
      transaction.inserts.push_back({r});
      (*catalog)->Commit(std::move(transaction), [&](Result<Change> result) { done += result.ok() ? 1 : 0; });
    }
  }
  EXPECT_EQ(done, 50);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace argosy::catalog
