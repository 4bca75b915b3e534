#include "agent/scoped_objects.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/random.h"
#include "objectstore/embedded/embedded_store.h"

namespace argosy::agent {
namespace {

class ScopedObjectsTest : public testing::Test {
 protected:
  ScopedObjectsTest() {
    char name[] = "/tmp/argosy-scoped-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    root_ = name;
    store_ = std::move(*objectstore::EmbeddedStore::Open(root_ / "objects", &clock_, &random_));
    for (const char* bucket : {"bucket", "other"}) Check(store_->CreateBucket(bucket).ok());
    for (const char* key : {"in/train.csv", "in/../train", "out/job-1/a", "out/job-10/a", "parts/1", "secret"}) {
      Check(objectstore::PutBytes(*store_, "bucket", key, "x", "text/csv").ok());
    }
    auto reader = objectstore::EmbeddedStore::Attach(root_ / "objects");
    Check(reader.ok());
    scoped_ = std::make_unique<ScopedObjects>(
        std::move(*reader), std::vector<auth::DataGrant>{{"bucket", "in/", auth::DataGrant::Use::kRead},
                                                         {"bucket", "out/job-1/", auth::DataGrant::Use::kReadWrite}});
  }
  ~ScopedObjectsTest() override {
    scoped_.reset();
    store_.reset();
    std::filesystem::remove_all(root_);
  }
  // The code of the error, or nothing.
  std::optional<ErrorCode> Path(std::string_view bucket, std::string_view key) {
    const auto path = scoped_->LocalPath(bucket, key);
    return path.ok() ? std::nullopt : std::optional(path.error().code());
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path root_;
  std::unique_ptr<objectstore::ObjectStore> store_;
  std::unique_ptr<ScopedObjects> scoped_;
};

TEST_F(ScopedObjectsTest, WhatTheSessionReachesAndNothingElse) {
  EXPECT_EQ(Path("bucket", "in/train.csv"), std::nullopt);
  EXPECT_EQ(Path("bucket", "in/../train"), std::nullopt);  // a name like others: no way up
  EXPECT_EQ(Path("bucket", "out/job-1/a"), std::nullopt);
  EXPECT_EQ(Path("bucket", "in/none"), ErrorCode::kNotFound);
  EXPECT_EQ(Path("bucket", "out/job-10/a"), ErrorCode::kPermissionDenied);
  EXPECT_EQ(Path("bucket", "secret"), ErrorCode::kPermissionDenied);
  EXPECT_EQ(Path("other", "in/train.csv"), ErrorCode::kPermissionDenied);
  EXPECT_EQ(scoped_->Open("bucket", "secret").error().code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(scoped_->Head("bucket", "secret").error().code(), ErrorCode::kPermissionDenied);
  EXPECT_TRUE(scoped_->Head("bucket", "in/train.csv").ok());
  EXPECT_EQ(scoped_->List({.bucket = "bucket"}).error().code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(scoped_->List({.bucket = "bucket", .prefix = "in/"})->objects.size(), 2U);
  EXPECT_TRUE(scoped_->HeadBucket("bucket").ok());
  EXPECT_EQ(scoped_->HeadBucket("other").error().code(), ErrorCode::kPermissionDenied);
}

TEST_F(ScopedObjectsTest, WhatItsManifestNames) {
  Check(objectstore::PutBytes(*store_, "bucket", "in/manifest", R"([{"prefix":"s3://bucket/parts/"},"1"])", "").ok());
  Check(objectstore::PutBytes(*store_, "bucket", "not-mine", R"([{"prefix":"s3://bucket/"},"secret"])", "").ok());
  catalog::ChannelSpec channel{.name = "train", .s3_data_type = "ManifestFile", .s3_uri = "s3://bucket/in/manifest"};
  EXPECT_EQ(Path("bucket", "parts/1"), ErrorCode::kPermissionDenied);
  scoped_->AdmitManifests({channel});
  EXPECT_EQ(Path("bucket", "parts/1"), std::nullopt);
  channel.s3_uri = "s3://bucket/not-mine";
  scoped_->AdmitManifests({channel});
  EXPECT_EQ(Path("bucket", "secret"), ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace argosy::agent
