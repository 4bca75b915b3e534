#include "objectstore/outside/outside_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/bytes.h"
#include "objectstore/attach.h"
#include "objectstore/outside/arriving_object.h"
#include "objectstore/outside/object_transfer.h"
#include "objectstore/outside/outside_store_fixture.h"

namespace argosy::objectstore {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(OutsideStoreTest, AnObjectLiesOutsideUnderItsOwnName) {
  PutOptions options;
  options.attributes.content_type = "text/csv";
  options.attributes.headers["cache-control"] = "no-store";
  options.attributes.metadata["colour"] = "blue";
  const ObjectInfo put = Put("data/train 1.csv", "1,2\n", options).value();
  EXPECT_EQ(put.etag, Md5Hex("1,2\n"));
  EXPECT_THAT(server_.Keys(), ElementsAre("pre/.argosy-buckets/bucket", "pre/bucket/data/train 1.csv"));
  const ObjectInfo head = store_->Head("bucket", "data/train 1.csv").value();
  EXPECT_EQ(head.attributes, options.attributes);
  EXPECT_EQ(head.key, "data/train 1.csv");
  EXPECT_EQ(Get("data/train 1.csv"), "1,2\n");
  EXPECT_EQ(Get("absent"), "(NotFound)");
  ASSERT_TRUE(store_->Delete("bucket", "data/train 1.csv").ok());
  EXPECT_TRUE(store_->Delete("bucket", "data/train 1.csv").ok());
  EXPECT_EQ(Get("data/train 1.csv"), "(NotFound)");
}

TEST_F(OutsideStoreTest, BucketsComeAndGoAndKeepTheirsToThemselves) {
  EXPECT_EQ(store_->CreateBucket("bucket").error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(store_->CreateBucket("../escape").error().code(), ErrorCode::kInvalidArgument);
  ASSERT_TRUE(store_->CreateBucket("another").ok());
  ASSERT_TRUE(Put("k", "x").ok());
  EXPECT_EQ(store_->List({.bucket = "another"}).value().objects.size(), 0u);
  EXPECT_EQ(store_->DeleteBucket("bucket").error().code(), ErrorCode::kConflict);
  ASSERT_TRUE(store_->CreateUpload("bucket", "u", {}).ok());
  ASSERT_TRUE(store_->Delete("bucket", "k").ok());
  ASSERT_TRUE(store_->DeleteBucket("bucket").ok());
  EXPECT_EQ(store_->HeadBucket("bucket").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->StartPut("bucket", "k", {}).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->ListBuckets().value().size(), 1u);
  EXPECT_THAT(server_.Keys(), ElementsAre("pre/.argosy-buckets/another"));
}

TEST_F(OutsideStoreTest, APartOfALargeObjectCostsOnlyItsRange) {
  const std::string bytes = SomeBytes(5 * kRangeBytes + 1, 1);
  server_.Put("pre/bucket/k", bytes);
  const OpenObject open = store_->Open("bucket", "k").value();
  EXPECT_EQ(server_.Count("GET /outer/pre/bucket/k"), 0u);
  EXPECT_EQ(ReadAt(open, 2 * kRangeBytes + 7, 10), bytes.substr(2 * kRangeBytes + 7, 10));
  EXPECT_EQ(server_.Count("GET /outer/pre/bucket/k"), 1u);
  EXPECT_EQ(ReadAt(open, 0, bytes.size()), bytes);
  EXPECT_EQ(server_.Count("GET /outer/pre/bucket/k"), 6u);
}

TEST_F(OutsideStoreTest, WhatWasReadWholeIsNotFetchedAgain) {
  const std::string bytes = SomeBytes(kRangeBytes + 1, 1);
  server_.Put("pre/bucket/k", bytes);
  const fs::path path = store_->LocalPath("bucket", "k").value();
  EXPECT_EQ(ReadFile(path, 64 << 20).value(), bytes);
  EXPECT_EQ(server_.Count("GET"), 1u + 2u);  // the probe's list
  EXPECT_EQ(store_->LocalPath("bucket", "k").value(), path);
  EXPECT_EQ(Get("k"), bytes);
  EXPECT_EQ(server_.Count("GET"), 1u + 2u);
  server_.Put("pre/bucket/k", "new");
  EXPECT_EQ(Get("k"), "new");
}

struct Survived {
  Fault fault;
  std::string said;  // when it goes on
};

class ReadFaults : public OutsideStoreTest, public testing::WithParamInterface<Survived> {};

TEST_P(ReadFaults, AreSurvivedAndToldWhenTheyGoOn) {
  const std::string bytes = SomeBytes(2 * kRangeBytes, 3);
  server_.Put("pre/bucket/k", bytes);
  server_.SetFaults(Meets("GET", "/bucket/k", GetParam().fault, 2));
  EXPECT_EQ(Get("k"), bytes);
  EXPECT_EQ(server_.Count("GET /outer/pre/bucket/k"), 4u);
  EXPECT_GE(pauses_.size(), 1u);  // what a kept connection loses at its beginning is sent again at once

  server_.Put("pre/bucket/other", bytes);
  server_.SetFaults(Meets("GET", "/bucket/other", GetParam().fault, 1000));
  const OpenObject open = store_->Open("bucket", "other").value();
  const Status told = Fetch(open, 0, bytes.size());
  ASSERT_FALSE(told.ok());
  EXPECT_EQ(told.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(told.error().message(), HasSubstr(GetParam().said));
  EXPECT_THAT(told.error().message(), HasSubstr(server_.endpoint()));
}

INSTANTIATE_TEST_SUITE_P(All, ReadFaults,
                         testing::Values(Survived{Fault::kBusy, "503 SlowDown"},
                                         Survived{Fault::kAnswerLost, "closed the connection"},
                                         Survived{Fault::kDroppedMidway, "closed the connection"},
                                         Survived{Fault::kShort, "bytes asked for"},
                                         Survived{Fault::kWrongEtag, "came with the ETag"}));

class ImpatientTest : public OutsideStoreTest {
 protected:
  Patience PatienceOfTest() override {
    Patience patience = OutsideStoreTest::PatienceOfTest();
    patience.stall_max = std::chrono::seconds(1);
    return patience;
  }
};

TEST_F(ImpatientTest, ASilentOutsideIsGivenUpAndAskedAgain) {
  server_.Put("pre/bucket/k", "bytes");
  server_.SetFaults(Meets("GET", "/bucket/k", Fault::kSilent, 1));
  EXPECT_EQ(Get("k"), "bytes");
  EXPECT_EQ(server_.Count("GET /outer/pre/bucket/k"), 2u);
}

TEST_F(OutsideStoreTest, AnObjectWithAWrongByteIsNeverKept) {
  server_.Put("pre/bucket/k", "bytes");
  server_.SetFaults(Meets("GET", "/bucket/k", Fault::kWrongByte, 1));
  const auto path = store_->LocalPath("bucket", "k");
  ASSERT_FALSE(path.ok());
  EXPECT_EQ(path.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(ReadFile(store_->LocalPath("bucket", "k").value(), 100).value(), "bytes");
}

TEST_F(OutsideStoreTest, AWriteIsSurvivedAndToldWhenItCannotBe) {
  for (const Fault fault : {Fault::kBusy, Fault::kAnswerLost, Fault::kWrongEtag}) {
    server_.SetFaults(Meets("PUT", "/bucket/k", fault, 2));
    EXPECT_EQ(Put("k", "bytes").value().etag, Md5Hex("bytes"));
    EXPECT_EQ(Get("k"), "bytes");
  }
  server_.SetFaults(Meets("PUT", "/bucket/k", Fault::kBusy, 1000));
  const size_t before = server_.Count("PUT");
  EXPECT_EQ(Put("k", "new").error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(server_.Count("PUT") - before, static_cast<size_t>(RetryPolicy().attempts_max));
  EXPECT_EQ(Get("k"), "bytes");
}

TEST_F(OutsideStoreTest, WhileTheOutsideIsAwayRequestsAreTriedOnce) {
  ASSERT_TRUE(Put("k", "x").ok());
  server_.SetFaults([](std::string_view, std::string_view) { return Fault::kBusy; });
  EXPECT_EQ(Put("k", "x").error().code(), ErrorCode::kUnavailable);
  const size_t before = server_.Count("PUT");
  EXPECT_EQ(Put("k", "x").error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(server_.Count("PUT") - before, 1u);
  server_.SetFaults(nullptr);
  EXPECT_TRUE(Put("k", "x").ok());
  server_.SetFaults(Meets("PUT", "/bucket/k", Fault::kBusy, 3));
  EXPECT_TRUE(Put("k", "x").ok());  // patient again
}

TEST_F(OutsideStoreTest, ACreatorWhoseAnswerWasLostIsTheCreator) {
  PutOptions create;
  create.precondition.must_not_exist = true;
  server_.SetFaults(Meets("PUT", "/bucket/k", Fault::kAnswerLost, 1));
  EXPECT_TRUE(Put("k", "mine", create).ok());
  EXPECT_EQ(Put("k", "mine", create).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Put("k", "other", create).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Get("k"), "mine");
}

TEST_F(OutsideStoreTest, SomebodyElsesObjectIsNotTakenForOurs) {
  PutOptions create;
  create.precondition.must_not_exist = true;
  // It comes between the look here and the write.
  server_.SetFaults([this, done = std::make_shared<bool>(false)](std::string_view method, std::string_view target) {
    if (method != "PUT" || !target.ends_with("/bucket/k") || *done) return Fault::kNone;
    *done = true;
    server_.Put("pre/bucket/k", "theirs");
    return Fault::kBusy;
  });
  EXPECT_EQ(Put("k", "mine", create).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Get("k"), "theirs");
}

TEST_F(OutsideStoreTest, PreconditionsHoldAtTheCommit) {
  PutOptions replace;
  replace.precondition.etag = Md5Hex("one");
  EXPECT_EQ(Put("k", "two", replace).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(Put("k", "one").ok());
  ASSERT_TRUE(Put("k", "two", replace).ok());
  EXPECT_EQ(Put("k", "three", replace).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Get("k"), "two");
}

TEST_F(OutsideStoreTest, WhoHasAnObjectOpenKeepsItsBytesWhateverIsWrittenHere) {
  const std::string old = SomeBytes(6 * kRangeBytes, 5);
  server_.Put("pre/bucket/k", old);
  const OpenObject open = store_->Open("bucket", "k").value();
  EXPECT_EQ(ReadAt(open, 0, 10), old.substr(0, 10));
  ASSERT_TRUE(Put("k", "new").ok());
  ASSERT_TRUE(store_->Delete("bucket", "k").ok());
  EXPECT_EQ(ReadAt(open, 0, old.size()), old);
}

TEST_F(OutsideStoreTest, AnObjectReplacedByOthersIsNeverMixed) {
  server_.Put("pre/bucket/k", SomeBytes(6 * kRangeBytes, 6));
  const OpenObject open = store_->Open("bucket", "k").value();
  ASSERT_TRUE(Fetch(open, 0, 10).ok());
  server_.Put("pre/bucket/k", SomeBytes(6 * kRangeBytes, 7));
  EXPECT_EQ(Fetch(open, 0, open.info.size).error().code(), ErrorCode::kConflict);
}

TEST_F(OutsideStoreTest, BeginningAnUploadIsNotRepeatedBlindly) {
  server_.SetFaults(Meets("POST", "uploads", Fault::kAnswerLost, 1));
  EXPECT_EQ(store_->CreateUpload("bucket", "k", {}).error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(server_.Count("POST"), 1u);
  server_.SetFaults(Meets("POST", "uploads", Fault::kBusy, 1));
  EXPECT_TRUE(store_->CreateUpload("bucket", "k", {}).ok());  // there it was not taken
}

class UploadTest : public OutsideStoreTest {
 protected:
  void SetUp() override {
    OutsideStoreTest::SetUp();
    UploadOptions options;
    options.attributes.content_type = "text/plain";
    id_ = store_->CreateUpload("bucket", "k", options).value();
  }
  CompletedPart PutPart(int number, const std::string& bytes) {
    auto writer = store_->StartPart("bucket", "k", id_, number).value();
    EXPECT_TRUE(writer->Append(bytes).ok());
    return {number, writer->Commit().value().etag};
  }
  std::string id_;
};

TEST_F(UploadTest, SurvivesARestartAndCompletesOnceHoweverOftenItIsAsked) {
  const std::vector<CompletedPart> parts = {PutPart(1, "one"), PutPart(3, "three")};
  ASSERT_TRUE(Reopen().ok());
  const auto uploads = store_->ListUploads("bucket").value();
  ASSERT_EQ(uploads.size(), 1u);
  EXPECT_EQ(uploads[0].upload_id, id_);
  EXPECT_EQ(uploads[0].options.attributes.content_type, "text/plain");
  EXPECT_EQ(store_->ListParts("bucket", "k", id_).value().size(), 2u);
  server_.SetFaults(Meets("POST", "uploadId", Fault::kAnswerLost, 1));
  const ObjectInfo made = store_->CompleteUpload("bucket", "k", id_, parts, {}).value();
  EXPECT_THAT(made.etag, testing::EndsWith("-2"));
  EXPECT_EQ(store_->CompleteUpload("bucket", "k", id_, parts, {}).value().etag, made.etag);
  EXPECT_EQ(Get("k"), "onethree");
  EXPECT_TRUE(store_->ListUploads("bucket").value().empty());
  EXPECT_EQ(store_->FindUpload("bucket", "k", id_).error().code(), ErrorCode::kNotFound);
}

TEST_F(UploadTest, IsNotCompletedWithPartsThatAreNotThere) {
  const CompletedPart one = PutPart(1, "one");
  for (const std::vector<CompletedPart>& parts :
       {std::vector<CompletedPart>{{2, one.etag}}, {{1, Md5Hex("other")}}, {one, one}, {}}) {
    EXPECT_EQ(store_->CompleteUpload("bucket", "k", id_, parts, {}).error().code(), ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(store_->StartPart("bucket", "k", id_, 0).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_->StartPart("bucket", "other", id_, 1).error().code(), ErrorCode::kNotFound);
}

TEST_F(UploadTest, IsGoneOnceAborted) {
  PutPart(1, "one");
  ASSERT_TRUE(store_->AbortUpload("bucket", "k", id_).ok());
  EXPECT_EQ(store_->AbortUpload("bucket", "k", id_).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->StartPart("bucket", "k", id_, 2).error().code(), ErrorCode::kNotFound);
}

TEST_F(OutsideStoreTest, TagsOfObjectsAndBucketsAreKeptOutside) {
  PutOptions options;
  options.tags = {{"team", "a & b"}, {"stage", ""}};
  ASSERT_TRUE(Put("k", "bytes", options).ok());
  EXPECT_EQ(store_->Head("bucket", "k")->tags, options.tags);
  ASSERT_TRUE(store_->SetTags("bucket", "k", {{"team", "c"}}).ok());
  EXPECT_EQ(store_->Head("bucket", "k")->tags, (Tags{{"team", "c"}}));
  ASSERT_TRUE(store_->SetTags("bucket", "k", {}).ok());
  EXPECT_TRUE(store_->Head("bucket", "k")->tags.empty());
  EXPECT_EQ(store_->SetTags("bucket", "none", {}).error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(store_->BucketTags("bucket")->empty());
  ASSERT_TRUE(store_->SetBucketTags("bucket", {{"cost", "1"}}).ok());
  EXPECT_EQ(*store_->BucketTags("bucket"), (Tags{{"cost", "1"}}));
  EXPECT_EQ(store_->SetBucketTags("absent", {}).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(store_->Delete("bucket", "k").ok());
  ASSERT_TRUE(store_->DeleteBucket("bucket").ok());
  EXPECT_TRUE(server_.Keys().empty());
}

TEST_F(UploadTest, ExpiresOnceNothingHasBeenHeardOfIt) {
  // The server's objects and parts are of 2024.
  EXPECT_EQ(store_->ExpireUploads(FromUnixSeconds(1'700'000'000)).value(), 0u);
  EXPECT_EQ(store_->ExpireUploads(clock_.Now()).value(), 1u);
  EXPECT_EQ(store_->FindUpload("bucket", "k", id_).error().code(), ErrorCode::kNotFound);
}

TEST_F(OutsideStoreTest, PublishingAFileTwiceSendsItOnce) {
  for (const size_t size : {size_t{10}, static_cast<size_t>(kOnePutBytesMax) + 1}) {
    const fs::path file = File(SomeBytes(size, size));
    const ObjectInfo first = store_->PublishFile(file, "bucket", "k", {}).value();
    const size_t sent = server_.Count("PUT");
    EXPECT_EQ(store_->PublishFile(file, "bucket", "k", {}).value().etag, first.etag);
    EXPECT_EQ(server_.Count("PUT"), sent);
  }
}

TEST_F(OutsideStoreTest, ListingsEqualAModelWithAnyDelimiterAndPageSize) {
  std::set<std::string> keys;
  for (const char* key : {"a", "a b/x", "a/b", "a/bb/c", "ab", "b", "ba/x", "ba/y", "c/b/b", "ü"}) {
    keys.insert(key);
    server_.Put("pre/bucket/" + std::string(key), key);
  }
  server_.Put("pre/bucket2/a", "of another");
  for (const std::string delimiter : {"", "b"}) {
    for (const std::string prefix : {"", "a", "ba/", "none"}) {
      std::vector<std::string> expected;
      for (const std::string& key : keys) {
        if (!key.starts_with(prefix)) continue;
        const size_t cut = delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
        const std::string entry = cut == std::string::npos ? key : key.substr(0, cut + 1) + "*";
        if (expected.empty() || expected.back() != entry) expected.push_back(entry);
      }
      for (const size_t size : {1, 2, 1000}) {
        std::vector<std::string> got;
        ListRequest request{.bucket = "bucket", .prefix = prefix, .delimiter = delimiter, .max_keys = size};
        for (;;) {
          const ListPage page = store_->List(request).value();
          EXPECT_LE(page.objects.size() + page.common_prefixes.size(), size);
          for (const ObjectInfo& info : page.objects) got.push_back(info.key);
          for (const std::string& common : page.common_prefixes) got.push_back(common + "*");
          if (page.next_token.empty()) break;
          request.token = page.next_token;
        }
        std::ranges::sort(got);
        std::ranges::sort(expected);
        EXPECT_EQ(got, expected) << delimiter << " " << prefix << " " << size;
      }
    }
  }
  EXPECT_EQ(store_->List({.bucket = "bucket", .token = "none"}).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_->List({.bucket = "nobucket"}).error().code(), ErrorCode::kNotFound);
}

TEST_F(OutsideStoreTest, AnotherProcessReadsWhetherTheWriterLivesOrNot) {
  ASSERT_TRUE(Put("k", "bytes").ok());
  store_.reset();
  const auto reader = AttachStore(dir_ / "store", &clock_, &random_).value();
  EXPECT_TRUE(reader->HeadBucket("bucket").ok());
  EXPECT_EQ(ReadFile(reader->LocalPath("bucket", "k").value(), 100).value(), "bytes");
  struct stat stat;
  ASSERT_EQ(::stat((dir_ / "store/location.json").c_str(), &stat), 0);
  EXPECT_EQ(stat.st_mode & 0777u, 0600u);
}

TEST_F(OutsideStoreTest, OnlyOneProcessWrites) {
  OutsideOptions options;
  options.location = MakeLocation("s3://outer/pre", server_.endpoint(), "us-east-1").value();
  EXPECT_EQ(OutsideStore::Open(dir_ / "store", options, &clock_, &random_).error().code(), ErrorCode::kConflict);
}

TEST_F(OutsideStoreTest, AKeyThatGrowsTooLongByThePrefixIsRefused) {
  EXPECT_TRUE(Put(std::string(1024 - 11, 'x'), "x").ok());
  EXPECT_EQ(store_->StartPut("bucket", std::string(1025 - 11, 'x'), {}).error().code(), ErrorCode::kInvalidArgument);
}

TEST(ReadAwsCredentialsTest, TakesTheKeyOfTheProfile) {
  const fs::path dir = MakeTestDirectory();
  ASSERT_TRUE(WriteFileAtomically(dir / "file",
                                  "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key=B=\n\n[ other ]\n"
                                  "aws_access_key_id=C\naws_secret_access_key = D\naws_session_token = E\n")
                  .ok());
  EXPECT_EQ(ReadAwsCredentials(dir / "file", "")->secret_access_key, "B=");
  EXPECT_EQ(ReadAwsCredentials(dir / "file", "other")->session_token, "E");
  EXPECT_EQ(ReadAwsCredentials(dir / "file", "third").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(ReadAwsCredentials(dir / "absent", "").error().code(), ErrorCode::kNotFound);
  fs::remove_all(dir);
}

}  // namespace
}  // namespace argosy::objectstore
