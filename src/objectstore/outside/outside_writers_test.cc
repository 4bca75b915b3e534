#include "objectstore/outside/outside_writers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/bytes.h"
#include "objectstore/outside/outside_store_fixture.h"

namespace argosy::objectstore {
namespace {

TEST_F(OutsideStoreTest, ALargeObjectGoesInPartsEachSentAgainWhereItFailed) {
  const std::string bytes = SomeBytes(kOnePutBytesMax + 1, 8);
  server_.SetFaults(Meets("PUT", "partNumber=2", Fault::kAnswerLost, 1));
  const ObjectInfo put = Put("k", bytes).value();
  EXPECT_THAT(put.etag, testing::EndsWith("-3"));
  EXPECT_EQ(server_.Count("PUT /outer/pre/bucket/k?partNumber"), 4u);
  EXPECT_EQ(Get("k"), bytes);
}

TEST_F(OutsideStoreTest, ALargeObjectThatCannotBeSentLeavesNoUpload) {
  server_.SetFaults(Meets("PUT", "partNumber=2", Fault::kBusy, 1000));
  EXPECT_EQ(Put("k", std::string(kOnePutBytesMax + 1, 'x')).error().code(), ErrorCode::kUnavailable);
  ASSERT_TRUE(Reopen().ok());  // what was to be aborted has been
  EXPECT_EQ(server_.Count("DELETE /outer/pre/bucket/k?uploadId"), 1u);
  EXPECT_EQ(server_.Uploads(), 0u);
  EXPECT_EQ(Get("k"), "(NotFound)");
}

TEST_F(OutsideStoreTest, PartsAreSentWhileTheRestIsStillToCome) {
  std::promise<void> first;
  server_.SetFaults([&, told = false](std::string_view method, std::string_view target) mutable {
    if (method == "PUT" && target.find("partNumber=1") != std::string_view::npos && !std::exchange(told, true)) {
      first.set_value();
    }
    return Fault::kNone;
  });
  const std::string bytes = SomeBytes(kOnePutBytesMax + 1, 12);
  const std::unique_ptr<ObjectWriter> writer = store_->StartPut("bucket", "k", {}).value();
  ASSERT_TRUE(writer->Append(bytes).ok());
  first.get_future().wait();
  ASSERT_TRUE(writer->Append(bytes).ok());
  const ObjectInfo put = writer->Commit().value();
  EXPECT_THAT(put.etag, testing::EndsWith("-5"));
  EXPECT_EQ(put.size, 2 * bytes.size());
  EXPECT_TRUE(Get("k") == bytes + bytes);  // too long to be shown
  EXPECT_EQ(server_.Uploads(), 0u);
}

TEST_F(OutsideStoreTest, ABodyThatDoesNotEndLeavesNeitherObjectNorUpload) {
  std::unique_ptr<ObjectWriter> writer = store_->StartPut("bucket", "k", {}).value();
  ASSERT_TRUE(writer->Append(std::string(kOnePutBytesMax + 1, 'x')).ok());
  EXPECT_EQ(server_.Uploads(), 1u);
  writer.reset();
  ASSERT_TRUE(Reopen().ok());
  EXPECT_EQ(server_.Uploads(), 0u);
  EXPECT_EQ(Get("k"), "(NotFound)");
}

TEST_F(OutsideStoreTest, AnUploadThatCouldNotBeAbortedIsAtTheNextStart) {
  server_.SetFaults(Meets("DELETE", "uploadId", Fault::kBusy, 1000));
  std::unique_ptr<ObjectWriter> writer = store_->StartPut("bucket", "k", {}).value();
  ASSERT_TRUE(writer->Append(std::string(kOnePutBytesMax + 1, 'x')).ok());
  writer.reset();
  store_.reset();
  EXPECT_EQ(server_.Uploads(), 1u);
  server_.SetFaults(nullptr);
  ASSERT_TRUE(Reopen().ok());
  EXPECT_EQ(server_.Uploads(), 0u);
}

TEST_F(OutsideStoreTest, APreconditionOfALargeObjectHoldsAtTheCommitAndLeavesNoUpload) {
  PutOptions create;
  create.precondition.must_not_exist = true;
  std::unique_ptr<ObjectWriter> writer = store_->StartPut("bucket", "k", create).value();
  ASSERT_TRUE(writer->Append(std::string(kOnePutBytesMax + 1, 'x')).ok());
  ASSERT_TRUE(Put("k", "first").ok());
  EXPECT_EQ(writer->Commit().error().code(), ErrorCode::kConflict);
  writer.reset();
  ASSERT_TRUE(Reopen().ok());
  EXPECT_EQ(server_.Uploads(), 0u);
  EXPECT_EQ(Get("k"), "first");
}

TEST_F(OutsideStoreTest, TheMd5OfALargeObjectIsThereForWhoAsksForIt) {
  const std::string bytes = SomeBytes(kOnePutBytesMax + 7, 13);
  PutOptions asked;
  asked.md5_asked = true;
  const std::unique_ptr<ObjectWriter> writer = store_->StartPut("bucket", "k", asked).value();
  ASSERT_TRUE(writer->Append(bytes).ok());
  EXPECT_EQ(ToHex(writer->Md5()), Md5Hex(bytes));
}

// Its stalls and pauses last for hours, so that nothing but Stop ends them.
class StopTest : public OutsideStoreTest {
 protected:
  Patience PatienceOfTest() override {
    Patience patience;
    patience.stall_max = std::chrono::hours(5);
    patience.retries.pause_first = patience.retries.pause_max = std::chrono::hours(5);
    patience.retries.time_max = std::chrono::hours(50);
    return patience;
  }
  // What a look at an object gives when the store is stopped while the server does this to it.
  ErrorCode HeadDuring(Fault fault) {
    std::promise<void> met;
    server_.SetFaults([&, told = false](std::string_view method, std::string_view) mutable {
      if (method != "HEAD") return Fault::kNone;
      if (!std::exchange(told, true)) met.set_value();
      return fault;
    });
    std::future<ErrorCode> answer =
        std::async(std::launch::async, [this] { return store_->Head("bucket", "k").error().code(); });
    met.get_future().wait();
    store_->Stop();
    return answer.get();
  }
};

TEST_F(StopTest, EndsTheWaitForAnAnswer) {
  EXPECT_EQ(HeadDuring(Fault::kSilent), ErrorCode::kUnavailable);
}

TEST_F(StopTest, EndsThePauseBeforeTheNextAttemptAndRefusesLaterOnes) {
  EXPECT_EQ(HeadDuring(Fault::kBusy), ErrorCode::kUnavailable);
  const size_t before = server_.Count("");
  EXPECT_EQ(Put("k", "x").error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(server_.Count(""), before);
}

}  // namespace
}  // namespace argosy::objectstore
