#include "serving/capture.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json.h"
#include "objectstore/embedded/embedded_store.h"
#include "objectstore/test_directory.h"
#include "serving/capture_writer.h"

namespace argosy::serving {
namespace {

using objectstore::EmbeddedStore;
using objectstore::ObjectStore;

std::shared_ptr<const CapturePlan> PlanTo(const std::string& destination) {
  return std::make_shared<CapturePlan>(CapturePlan{.percent = 100,
                                                   .input = true,
                                                   .output = true,
                                                   .destination = destination,
                                                   .csv_types = {"text/csv"},
                                                   .json_types = {"application/json"}});
}

CapturedRequest Request(const std::string& input, const std::string& destination = "s3://bucket/captured") {
  return {.name = {"digits", "blue"},
          .plan = PlanTo(destination),
          .at = FromUnixMillis(1'700'000'000'123),
          .inference_id = "id-7",
          .custom_attributes = "team=a",
          .input_type = "text/csv; charset=utf-8",
          .input = input,
          .output_type = "application/json",
          .output = R"({"score":1})"};
}

TEST(CaptureLine, HasSageMakersForm) {
  const std::string line = CaptureLine(Request("1,2\n"), "event-1");
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one line";
  const Json json = *ParseJson(line);
  const Json& data = json["captureData"];
  EXPECT_EQ(data["endpointInput"]["data"], "1,2\n");
  EXPECT_EQ(data["endpointInput"]["encoding"], "CSV");
  EXPECT_EQ(data["endpointInput"]["mode"], "INPUT");
  EXPECT_EQ(data["endpointInput"]["observedContentType"], "text/csv; charset=utf-8");
  EXPECT_EQ(data["endpointOutput"]["encoding"], "JSON");
  EXPECT_EQ(data["endpointOutput"]["data"], R"({"score":1})");
  EXPECT_EQ(json["eventMetadata"]["eventId"], "event-1");
  EXPECT_EQ(json["eventMetadata"]["inferenceId"], "id-7");
  EXPECT_EQ(json["eventMetadata"]["inferenceTime"], "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(json["eventMetadata"]["customAttributes"], Json::array({"team=a"}));
  EXPECT_EQ(json["eventVersion"], "0");
}

TEST(CaptureLine, WhatIsNoTextIsInBase64AndWhatIsNotAskedForIsLeftOut) {
  CapturedRequest request = Request("\xff\xfe");
  auto plan = std::make_shared<CapturePlan>(*request.plan);
  plan->output = false;
  request.plan = plan;
  const Json data = (*ParseJson(CaptureLine(request, "e")))["captureData"];
  EXPECT_EQ(data["endpointInput"]["encoding"], "BASE64");
  EXPECT_EQ(data["endpointInput"]["data"], "//4=");
  EXPECT_FALSE(data.contains("endpointOutput"));
}

class CaptureWriterTest : public testing::Test {
 protected:
  CaptureWriterTest()
      : root_(objectstore::MakeTestDirectory()), store_(*EmbeddedStore::Open(root_ / "objects", &clock_, &random_)) {
    EXPECT_TRUE(store_->CreateBucket("bucket").ok());
  }
  ~CaptureWriterTest() override {
    store_.reset();
    std::filesystem::remove_all(root_);
  }
  // All lines of all files below captured/, with the files' keys.
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    const auto page = store_->List({.bucket = "bucket", .prefix = "captured/"});
    for (const objectstore::ObjectInfo& object : page->objects) {
      keys_.push_back(object.key);
      const auto opened = store_->Open("bucket", object.key);
      std::string text(opened->info.size, '\0');
      EXPECT_EQ(pread(opened->file->get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
      for (size_t at = 0; at < text.size();) {
        const size_t end = text.find('\n', at);
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
      }
    }
    return lines;
  }

  const std::filesystem::path root_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<ObjectStore> store_;
  std::vector<std::string> keys_;
};

TEST_F(CaptureWriterTest, WhatWaitsIsWrittenAtTheEndUnderItsHour) {
  {
    CaptureWriter writer(store_.get(), &clock_, &random_);
    for (int i = 0; i < 100; ++i) writer.Take(Request(std::to_string(i)));
  }
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 100U);
  EXPECT_EQ((*ParseJson(lines[99]))["captureData"]["endpointInput"]["data"], "99");
  ASSERT_EQ(keys_.size(), 1U);
  EXPECT_TRUE(keys_[0].starts_with("captured/digits/blue/2023/11/14/22/13-20-123-")) << keys_[0];
  EXPECT_TRUE(keys_[0].ends_with(".jsonl"));
}

TEST_F(CaptureWriterTest, FilesAreClosedWhenTheyAreLarge) {
  {
    CaptureWriter writer(store_.get(), &clock_, &random_);
    for (int i = 0; i < 12; ++i) writer.Take(Request(std::string(kCaptureFileBytes / 4, 'x')));
  }
  EXPECT_EQ(Lines().size(), 12U);
  EXPECT_GE(keys_.size(), 3U);
}

TEST_F(CaptureWriterTest, WhatIsBeyondTheBoundOrCannotBeWrittenIsCountedAndToldApart) {
  testing::internal::CaptureStderr();
  {
    CaptureWriter writer(store_.get(), &clock_, &random_);
    // A file that is full at once goes to a bucket that is not there.
    writer.Take(Request(std::string(kCaptureFileBytes, 'x'), "s3://nowhere/captured"));
    for (int i = 0; i < 2000 && writer.lost().not_written == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(writer.lost().not_written, 1U);
    EXPECT_EQ(writer.lost().too_fast, 0U);
  }
  std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("could not be written"), std::string::npos) << told;
  EXPECT_EQ(told.find("faster than"), std::string::npos) << told;

  testing::internal::CaptureStderr();
  {
    CaptureWriter writer(store_.get(), &clock_, &random_);
    writer.Take(Request(std::string(kCaptureBytesWaiting, 'x')));
    EXPECT_EQ(writer.lost().too_fast, 1U);
    EXPECT_EQ(writer.lost().not_written, 0U);
  }
  told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("faster than"), std::string::npos) << told;
  EXPECT_EQ(told.find("could not be written"), std::string::npos) << told;
}

}  // namespace
}  // namespace argosy::serving
