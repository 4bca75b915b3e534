#include "catalog/sqlite_store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "catalog/endpoint.h"
#include "catalog/training_job.h"

namespace argosy::catalog {
namespace {

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "/catalog-" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    Reopen();
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Reopen() {
    store_.reset();
    auto opened = SqliteStore::Open(path(), Access::kWriter);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    store_ = std::move(*opened);
  }
  std::string path() const { return directory_ + "/catalog.db"; }

  static Resource Job(const std::string& name, int64_t created_millis, const std::string& status = "InProgress") {
    Resource r;
    r.kind = Kind::kTrainingJob;
    r.name = name;
    r.uid = "uid-" + name;
    r.created = r.modified = FromUnixMillis(created_millis);
    r.status = status;
    r.spec = "{}";
    r.state = "{}";
    return r;
  }
  Result<Change> Insert(const Resource& r) {
    Transaction t;
    t.inserts.push_back({r});
    return store_->Apply({t}).front();
  }
  std::vector<std::string> Names(const Query& query) {
    Result<Page> page = store_->List(query);
    EXPECT_TRUE(page.ok());
    std::vector<std::string> names;
    for (const Resource& r : page->resources) names.push_back(r.name);
    return names;
  }

  std::string directory_;
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(SqliteStoreTest, WhatIsCommittedIsThereAfterReopening) {
  Resource r = Job("a", 1000);
  r.tags = {{"team", "vision"}, {"q", "\"'"}};
  r.owner = "someone";
  ASSERT_TRUE(Insert(r).ok());
  Reopen();
  const Result<Resource> read = store_->Get(Kind::kTrainingJob, "a");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->uid, "uid-a");
  EXPECT_EQ(read->version, 1U);
  EXPECT_EQ(read->created, FromUnixMillis(1000));
  EXPECT_EQ(read->tags, r.tags);
  EXPECT_EQ(read->owner, "someone");
}

TEST_F(SqliteStoreTest, ANameIsTakenOnceWithinItsKind) {
  ASSERT_TRUE(Insert(Job("a", 1)).ok());
  Resource second = Job("a", 2);
  second.uid = "other";
  const Result<Change> refused = Insert(second);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kAlreadyExists);
  second.kind = Kind::kModel;
  EXPECT_TRUE(Insert(second).ok());
}

TEST_F(SqliteStoreTest, AnUpdateOfAnOldVersionIsAConflict) {
  ASSERT_TRUE(Insert(Job("a", 1)).ok());
  Transaction t;
  t.updates.push_back({.uid = "uid-a", .version = 1, .status = "Stopping"});
  ASSERT_TRUE(store_->Apply({t}).front().ok());
  const Result<Change> again = store_->Apply({t}).front();
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), ErrorCode::kConflict);
  EXPECT_EQ(store_->GetByUid("uid-a")->version, 2U);
}

TEST_F(SqliteStoreTest, ATransactionIsWholeOrNothingAndItsNeighboursUnharmed) {
  ASSERT_TRUE(Insert(Job("a", 1)).ok());
  Transaction good;
  good.inserts.push_back({Job("b", 2)});
  Transaction torn;  // its insert is fine, its update is not
  torn.inserts.push_back({Job("c", 3)});
  torn.updates.push_back({.uid = "uid-a", .version = 7});
  Transaction last;
  last.inserts.push_back({Job("d", 4)});
  const auto results = store_->Apply({good, torn, last});
  EXPECT_TRUE(results[0].ok());
  EXPECT_FALSE(results[1].ok());
  EXPECT_TRUE(results[2].ok());
  EXPECT_TRUE(store_->Get(Kind::kTrainingJob, "b").ok());
  EXPECT_FALSE(store_->Get(Kind::kTrainingJob, "c").ok());
  EXPECT_TRUE(store_->Get(Kind::kTrainingJob, "d").ok());
}

TEST_F(SqliteStoreTest, RemovedThingsAreGoneAndTheirNameIsFree) {
  ASSERT_TRUE(Insert(Job("a", 1)).ok());
  Transaction t;
  t.removes.push_back({"uid-a", 1});
  const Result<Change> removed = store_->Apply({t}).front();
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->removed.front().name, "a");
  EXPECT_EQ(store_->GetByUid("uid-a").error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(Insert(Job("a", 2)).ok());
}

TEST_F(SqliteStoreTest, ListsFilterSortAndPage) {
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(Insert(Job("job-" + std::to_string(i), 1000 * (i % 3), i % 2 == 0 ? "Completed" : "Failed")).ok());
  }
  Query q;
  q.sort_by = SortBy::kName;
  q.order = SortOrder::kAscending;
  EXPECT_EQ(Names(q).size(), 7U);
  q.status = "Failed";
  EXPECT_EQ(Names(q), (std::vector<std::string>{"job-1", "job-3", "job-5"}));
  q.status.clear();
  q.name_contains = "b-4";
  EXPECT_EQ(Names(q), (std::vector<std::string>{"job-4"}));
  q.name_contains = "_";  // not a wildcard
  EXPECT_TRUE(Names(q).empty());
  q.name_contains.clear();
  q.created_after = FromUnixMillis(500);
  q.created_before = FromUnixMillis(1500);
  EXPECT_EQ(Names(q), (std::vector<std::string>{"job-1", "job-4"}));

  for (const SortBy sort_by : {SortBy::kCreated, SortBy::kName, SortBy::kStatus, SortBy::kModified}) {
    for (const SortOrder order : {SortOrder::kAscending, SortOrder::kDescending}) {
      Query whole;
      whole.sort_by = sort_by;
      whole.order = order;
      const std::vector<std::string> expected = Names(whole);
      Query paged = whole;
      paged.max_results = 2;
      std::vector<std::string> got;
      do {
        Result<Page> page = store_->List(paged);
        ASSERT_TRUE(page.ok());
        ASSERT_LE(page->resources.size(), 2U);
        for (const Resource& r : page->resources) got.push_back(r.name);
        paged.page_token = page->next_token;
      } while (!paged.page_token.empty());
      EXPECT_EQ(got, expected);
    }
  }
}

TEST_F(SqliteStoreTest, APageTokenOfAnotherQueryIsRefused) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Insert(Job("job-" + std::to_string(i), i)).ok());
  Query q;
  q.max_results = 1;
  const std::string token = store_->List(q)->next_token;
  q.status = "Failed";
  q.page_token = token;
  EXPECT_EQ(store_->List(q).error().code(), ErrorCode::kInvalidArgument);
  q.status.clear();
  q.page_token = "rubbish";
  EXPECT_EQ(store_->List(q).error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(SqliteStoreTest, AFileThatIsNoCatalogIsRefused) {
  store_.reset();
  for (const size_t size : {8192, 99, 1}) {
    ASSERT_TRUE(WriteFileAtomically(path(), std::string(size, 'x')).ok());
    const auto opened = SqliteStore::Open(path(), Access::kWriter);
    ASSERT_FALSE(opened.ok()) << size;
    EXPECT_EQ(opened.error().code(), ErrorCode::kCorrupt) << size;
  }
}

TEST(TrainingJobCodec, StateSurvivesTheRoundTrip) {
  TrainingJobState s;
  s.status = "Stopping";
  s.Enter("Starting", FromUnixMillis(1), "one");
  s.Enter("Downloading", FromUnixMillis(5), "two");
  s.failure_reason = "why";
  s.model_artifacts = "s3://b/k";
  s.final_metrics = {{"m", 0.25, FromUnixMillis(9)}};
  s.stop_requested = s.runtime_exceeded = true;
  s.training_start = FromUnixMillis(5);
  s.training_end = FromUnixMillis(8);
  s.retry_at = FromUnixMillis(11);
  s.billable_nanos = 123;
  s.attempt = 3;
  s.interruptions = 2;
  s.publish_failures = 4;
  s.phase = AttemptPhase::kPublishing;
  s.instance_id = "i-1";
  s.outcome = JobOutcome{"Completed", "Completed", "r", "a", "o"};
  const Result<TrainingJobState> read = TrainingJobState::FromJson(s.ToJson());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->ToJson(), s.ToJson());
  EXPECT_EQ(read->transitions.size(), 2U);
  EXPECT_EQ(read->transitions[0].end, FromUnixMillis(5));
  EXPECT_EQ(read->secondary_status, "Downloading");
  EXPECT_EQ(read->phase, AttemptPhase::kPublishing);
  EXPECT_EQ(read->outcome->staged_output, "o");
}

TEST(TrainingJobCodec, TransitionsNeverRunBackwards) {
  TrainingJobState s;
  s.Enter("Starting", FromUnixMillis(100), "");
  s.Enter("Downloading", FromUnixMillis(50), "an agent's clock is behind");
  EXPECT_EQ(s.transitions[0].end, FromUnixMillis(100));
  EXPECT_EQ(s.transitions[1].start, FromUnixMillis(100));
}

TEST(TrainingJobStatus, TheTableOfMovesIsExactlyThis) {
  const std::vector<std::string> all = {"InProgress", "Stopping", "Completed", "Failed", "Stopped"};
  for (const std::string& from : all) {
    for (const std::string& to : all) {
      const bool terminal_from = from == "Completed" || from == "Failed" || from == "Stopped";
      const bool expected = from == to || (!terminal_from && to != "InProgress");
      EXPECT_EQ(IsAllowedTransition(from, to), expected) << from << " -> " << to;
    }
  }
  EXPECT_FALSE(IsAllowedTransition("InProgress", "Rubbish"));
}

TEST(EndpointCodec, StateSurvivesTheRoundTrip) {
  EndpointState s;
  s.status = "Updating";
  VariantPlan plan;
  plan.variant = {"v", "m", "ml.m5.large", 2, 0.5};
  plan.model =
      *ModelSpec::FromRequestJson(R"({"ModelName":"m","PrimaryContainer":{"Image":"i","ModelDataUrl":"s3://b/k"}})");
  s.current = Fleet{"c0", {plan}, {{"i-1", "v", 1, FromUnixMillis(3)}}};
  s.next = Fleet{"c1", {plan}, {{"i-2", "v", 2, std::nullopt}}};
  s.retired = {{"i-0", "v", 0, std::nullopt}};
  s.requested_config = "c2";
  s.requested_variants = {plan};
  s.delete_requested = true;
  s.current->instances[0].losses = 2;
  s.current->instances[0].not_before = FromUnixMillis(4);
  s.starts_failed = 1;
  s.next_attempt = 3;
  const Result<EndpointState> read = EndpointState::FromJson(s.ToJson());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->ToJson(), s.ToJson());
  EXPECT_EQ(read->current->variants[0].model.model_data_url, "s3://b/k");
  EXPECT_EQ(read->current->variants[0].variant.initial_weight, 0.5);
  EXPECT_EQ(read->current->instances[0].losses, 2U);
  EXPECT_EQ(read->current->instances[0].not_before, FromUnixMillis(4));
  EXPECT_EQ(read->next->instances[0].instance_id, "i-2");
}

TEST(Codecs, RubbishIsAnError) {
  for (const char* text : {"", "[]", "7", "{", "{\"phase\":\"none\"", "\"x\""}) {
    EXPECT_FALSE(TrainingJobState::FromJson(text).ok()) << text;
    EXPECT_FALSE(EndpointState::FromJson(text).ok()) << text;
    EXPECT_FALSE(TrainingJobSpec::FromRequestJson(text).ok()) << text;
  }
}

}  // namespace
}  // namespace argosy::catalog
