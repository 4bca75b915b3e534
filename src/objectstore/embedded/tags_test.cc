// Tags of objects and buckets, and uploads that nobody goes on with.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "objectstore/embedded/embedded_store.h"
#include "objectstore/test_directory.h"

namespace argosy::objectstore {
namespace {

namespace fs = std::filesystem;

class TagsTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = MakeTestDirectory();
    Reopen();
    ASSERT_TRUE(store_->CreateBucket("bucket").ok());
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(dir_);
  }
  void Reopen() {
    store_.reset();
    store_ = EmbeddedStore::Open(dir_ / "store", &clock_, &random_, nullptr).value();
  }
  ObjectInfo Put(const std::string& key, PutOptions options = {}) {
    auto writer = store_->StartPut("bucket", key, std::move(options)).value();
    Check(writer->Append("bytes").ok());
    return writer->Commit().value();
  }
  Tags Of(const std::string& key) { return store_->Head("bucket", key).value().tags; }

  fs::path dir_;
  ManualClock clock_{FromUnixSeconds(1'700'000'000)};
  SystemRandom random_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(TagsTest, TheyAreSetWithAnObjectAndChangedWithoutIt) {
  const ObjectInfo put = Put("k", {.attributes = {.content_type = "text/csv"}, .tags = {{"team", "a"}}});
  EXPECT_EQ(put.tags, (Tags{{"team", "a"}}));
  ASSERT_TRUE(store_->SetTags("bucket", "k", {{"team", "b"}, {"stage", "raw"}}).ok());
  const ObjectInfo after = store_->Head("bucket", "k").value();
  EXPECT_EQ(after.tags, (Tags{{"stage", "raw"}, {"team", "b"}}));
  EXPECT_EQ(after.etag, put.etag);
  EXPECT_EQ(after.last_modified, put.last_modified);
  EXPECT_EQ(after.attributes.content_type, "text/csv");
  Reopen();
  EXPECT_EQ(Of("k"), (Tags{{"stage", "raw"}, {"team", "b"}}));
  store_.reset();
  fs::remove(dir_ / "store/index.db");
  Reopen();
  EXPECT_EQ(Of("k"), (Tags{{"stage", "raw"}, {"team", "b"}})) << "the file itself knows them";
  ASSERT_TRUE(store_->SetTags("bucket", "k", {}).ok());
  EXPECT_EQ(Of("k"), Tags());
  EXPECT_EQ(store_->SetTags("bucket", "none", {}).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->SetTags("no-bucket", "k", {}).error().code(), ErrorCode::kNotFound);
}

TEST_F(TagsTest, AnotherObjectOfTheSameNameHasItsOwn) {
  Put("k", {.attributes = {}, .tags = {{"a", "1"}}});
  Put("k");
  EXPECT_EQ(Of("k"), Tags());
}

TEST_F(TagsTest, CopiesTakeThemOrOthersWhateverTheAttributesDo) {
  Put("k", {.attributes = {}, .tags = {{"a", "1"}}});
  const auto copied = [&](CopyOptions options) {
    return store_->Copy("bucket", "k", "bucket", "copy", std::move(options)).value().tags;
  };
  EXPECT_EQ(copied({}), (Tags{{"a", "1"}}));
  EXPECT_EQ(copied({.attributes = Attributes{.content_type = "text/css"}}), (Tags{{"a", "1"}}));
  EXPECT_EQ(copied({.tags = Tags{{"b", "2"}}}), (Tags{{"b", "2"}}));
  EXPECT_EQ(copied({.tags = Tags()}), Tags());
}

TEST_F(TagsTest, AnUploadInPartsBringsThem) {
  const std::string id = store_->CreateUpload("bucket", "k", {.attributes = {}, .tags = {{"a", "1"}}}).value();
  Reopen();
  auto part = store_->StartPart("bucket", "k", id, 1).value();
  ASSERT_TRUE(part->Append("bytes").ok());
  const std::string etag = part->Commit().value().etag;
  EXPECT_EQ(store_->CompleteUpload("bucket", "k", id, {{1, etag}}, {}).value().tags, (Tags{{"a", "1"}}));
  EXPECT_EQ(Of("k"), (Tags{{"a", "1"}}));
}

TEST_F(TagsTest, BucketsHaveThemTooUntilTheyAreDeleted) {
  EXPECT_EQ(store_->BucketTags("bucket").value(), Tags());
  ASSERT_TRUE(store_->SetBucketTags("bucket", {{"team", "a"}}).ok());
  Reopen();
  EXPECT_EQ(store_->BucketTags("bucket").value(), (Tags{{"team", "a"}}));
  ASSERT_TRUE(store_->DeleteBucket("bucket").ok());
  EXPECT_EQ(store_->BucketTags("bucket").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->SetBucketTags("bucket", {}).error().code(), ErrorCode::kNotFound);
  // As after an end between the two steps of the deletion.
  std::ofstream(dir_ / "store/bucket_tags/bucket.json") << R"({"team":"old"})";
  ASSERT_TRUE(store_->CreateBucket("bucket").ok());
  EXPECT_EQ(store_->BucketTags("bucket").value(), Tags());
  std::ofstream(dir_ / "store/bucket_tags/bucket.json") << R"({"team":7})";
  EXPECT_EQ(store_->BucketTags("bucket").error().code(), ErrorCode::kCorrupt);
}

TEST_F(TagsTest, UploadsOfWhichNothingIsHeardExpire) {
  const std::string silent = store_->CreateUpload("bucket", "silent", {}).value();
  const std::string active = store_->CreateUpload("bucket", "active", {}).value();
  clock_.Advance(std::chrono::hours(1));
  const Time between = clock_.Now();
  clock_.Advance(std::chrono::hours(1));
  auto part = store_->StartPart("bucket", "active", active, 1).value();
  ASSERT_TRUE(part->Append("bytes").ok() && part->Commit().ok());
  const std::string fresh = store_->CreateUpload("bucket", "fresh", {}).value();
  EXPECT_EQ(store_->ExpireUploads(between).value(), 1U);
  EXPECT_EQ(store_->FindUpload("bucket", "silent", silent).error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(store_->FindUpload("bucket", "active", active).ok());
  EXPECT_TRUE(store_->FindUpload("bucket", "fresh", fresh).ok());
  EXPECT_EQ(store_->ExpireUploads(between).value(), 0U);
}

}  // namespace
}  // namespace argosy::objectstore
