#include "objectstore/object_store.h"

#include <gtest/gtest.h>

namespace argosy::objectstore {
namespace {

TEST(BucketName, FollowsTheRulesOfS3) {
  for (const char* name : {"abc", "a-b", "my.bucket-1", "sagemaker-us-east-1-000000000000", "1.2.3", "1.2.3.4.5"}) {
    EXPECT_TRUE(IsValidBucketName(name)) << name;
  }
  for (const char* name :
       {"", "ab", "Abc", "a_b", "-abc", "abc-", ".abc", "a..b", "1.2.3.4", "a/b", "..", "-", "abc\n"}) {
    EXPECT_FALSE(IsValidBucketName(name)) << name;
  }
  EXPECT_TRUE(IsValidBucketName(std::string(63, 'a')));
  EXPECT_FALSE(IsValidBucketName(std::string(64, 'a')));
}

TEST(Key, IsAnyUtf8OfUpTo1024Bytes) {
  EXPECT_TRUE(ValidateKey("../../etc/passwd").ok());
  EXPECT_TRUE(ValidateKey(std::string(1024, 'a')).ok());
  EXPECT_FALSE(ValidateKey("").ok());
  EXPECT_FALSE(ValidateKey(std::string(1025, 'a')).ok());
  EXPECT_FALSE(ValidateKey("\xff").ok());
  EXPECT_FALSE(ValidateKey(std::string("a\0b", 3)).ok());
}

TEST(S3UriTest, SplitsBucketAndKey) {
  EXPECT_EQ(ParseS3Uri("s3://my-bucket/a/b.csv").value().bucket, "my-bucket");
  EXPECT_EQ(ParseS3Uri("s3://my-bucket/a/b.csv").value().key, "a/b.csv");
  EXPECT_EQ(ParseS3Uri("s3://my-bucket").value().key, "");
  EXPECT_EQ(ParseS3Uri("s3://my-bucket/").value().key, "");
  EXPECT_EQ(ParseS3Uri("s3://my-bucket//x").value().key, "/x");
  EXPECT_EQ(ParseS3Uri("s3://my-bucket/a b").value().ToString(), "s3://my-bucket/a b");
  for (const char* uri : {"", "my-bucket/x", "http://my-bucket/x", "s3://", "s3:///x", "s3://No_Bucket/x"}) {
    const Result<S3Uri> parsed = ParseS3Uri(uri);
    ASSERT_FALSE(parsed.ok()) << uri;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(PreconditionTest, HoldsOfWhatIsThere) {
  const Time time = FromUnixNanos(1'700'000'000'123'456'789);
  ObjectInfo there;
  there.size = 3;
  there.etag = "e";
  there.last_modified = time;
  const auto outcome = [&](const Precondition& precondition, const ObjectInfo* present) {
    const Status status = CheckPrecondition(precondition, present);
    return status.ok() ? std::optional<ErrorCode>() : status.error().code();
  };
  const std::optional<ErrorCode> holds;
  EXPECT_EQ(outcome({}, &there), holds);
  EXPECT_EQ(outcome({}, nullptr), holds);
  EXPECT_EQ(outcome({.must_not_exist = true}, &there), ErrorCode::kConflict);
  EXPECT_EQ(outcome({.must_not_exist = true}, nullptr), holds);
  EXPECT_EQ(outcome({.etag = "e"}, &there), holds);
  EXPECT_EQ(outcome({.etag = "*"}, &there), holds);
  EXPECT_EQ(outcome({.etag = "f"}, &there), ErrorCode::kConflict);
  EXPECT_EQ(outcome({.etag = "e"}, nullptr), ErrorCode::kNotFound);
  EXPECT_EQ(outcome({.etag = "*"}, nullptr), ErrorCode::kNotFound);
  EXPECT_EQ(outcome({.size = 3}, &there), holds);
  EXPECT_EQ(outcome({.size = 4}, &there), ErrorCode::kConflict);
  EXPECT_EQ(outcome({.size = 4}, nullptr), holds);
  EXPECT_EQ(outcome({.last_modified = FromUnixNanos(1'700'000'000'000'000'000)}, &there), holds);
  EXPECT_EQ(outcome({.last_modified = time + std::chrono::seconds(1)}, &there), ErrorCode::kConflict);
  EXPECT_EQ(outcome({.etag = "e", .size = 4}, &there), ErrorCode::kConflict);
}

}  // namespace
}  // namespace argosy::objectstore
