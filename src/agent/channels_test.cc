#include "agent/channels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "objectstore/embedded/embedded_store.h"

namespace argosy::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(PathInChannel, IsWhatFollowsThePrefixsLastSlash) {
  EXPECT_EQ(PathInChannel("data/train/", "data/train/a.csv"), "a.csv");
  EXPECT_EQ(PathInChannel("data/train/", "data/train/x/a.csv"), "x/a.csv");
  EXPECT_EQ(PathInChannel("data/t", "data/tp/x"), "tp/x");
  EXPECT_EQ(PathInChannel("data/a.csv", "data/a.csv"), "a.csv");
  EXPECT_EQ(PathInChannel("input/code", "input/code/train.py"), "code/train.py");
  EXPECT_EQ(PathInChannel("", "a/b"), "a/b");
  EXPECT_EQ(PathInChannel("tr", "train.csv"), "train.csv");
}

TEST(PathInChannel, IsNoneForNamesThatAreNoPaths) {
  EXPECT_EQ(PathInChannel("p/", "p/../x"), "");
  EXPECT_EQ(PathInChannel("p/", "p//x"), "");
  EXPECT_EQ(PathInChannel("p/", "p/./x"), "");
  EXPECT_EQ(PathInChannel("p/", "p/"), "");
  EXPECT_EQ(PathInChannel("p/", "p/folder/"), "");
  EXPECT_EQ(PathInChannel("p/", "p/" + std::string(300, 'x')), "");
}

class ChannelsTest : public testing::Test {
 protected:
  ChannelsTest() {
    char name[] = "/tmp/argosy-channels-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    root_ = name;
    store_ = std::move(*objectstore::EmbeddedStore::Open(root_ / "objects", &clock_, &random_));
    Check(store_->CreateBucket("bucket").ok());
  }
  ~ChannelsTest() override {
    store_.reset();
    std::filesystem::remove_all(root_);
  }

  void Put(std::string_view key, std::string_view bytes) {
    const auto put = objectstore::PutBytes(*store_, "bucket", key, bytes, "text/csv");
    Check(put.ok(), put.ok() ? "" : put.error().message());
  }

  Result<std::vector<algorithms::Channel>> Prepare(std::string uri, std::string type = "S3Prefix") {
    catalog::ChannelSpec spec;
    spec.name = "train";
    spec.content_type = "text/csv;label_size=0";
    spec.s3_data_type = std::move(type);
    spec.s3_uri = std::move(uri);
    return PrepareChannels({spec}, {}, root_ / "data", *store_);
  }

  // Path under the channel and content, in the order they are read.
  static std::vector<std::string> Shown(const Result<std::vector<algorithms::Channel>>& channels,
                                        const std::filesystem::path& root) {
    std::vector<std::string> out;
    if (!channels.ok()) return {channels.error().message()};
    for (const auto& file : channels->at(0).files) {
      const Result<std::string> text = ReadFile(file.path, 1 << 20);
      out.push_back(file.path.lexically_relative(root / "data/train").string() + "=" +
                    (text.ok() ? *text : text.error().message()));
    }
    return out;
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path root_;
  std::unique_ptr<objectstore::ObjectStore> store_;
};

TEST_F(ChannelsTest, APrefixIsTextNotAFolder) {
  Put("d/t", "0");
  Put("d/tp/x", "1");
  Put("d/train/a.csv", "2");
  Put("d/other", "3");
  Put("d/train/", "");
  const auto channels = Prepare("s3://bucket/d/t");
  ASSERT_TRUE(channels.ok()) << channels.error().message();
  EXPECT_THAT(Shown(channels, root_), ElementsAre("t=0", "tp/x=1", "train/a.csv=2"));
  EXPECT_EQ(channels->at(0).content_type, "text/csv;label_size=0");
}

// Answers where an object lies only once two are asked for at the same time, the first time.
class Sociable final : public objectstore::ObjectReader {
 public:
  explicit Sociable(objectstore::ObjectReader* own) : own_(own) {}
  Status HeadBucket(std::string_view bucket) override { return own_->HeadBucket(bucket); }
  Result<objectstore::ObjectInfo> Head(std::string_view bucket, std::string_view key) override {
    return own_->Head(bucket, key);
  }
  Result<objectstore::OpenObject> Open(std::string_view bucket, std::string_view key) override {
    return own_->Open(bucket, key);
  }
  Result<objectstore::ListPage> List(const objectstore::ListRequest& request) override { return own_->List(request); }
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override {
    if (asked_++ < 2) two_.arrive_and_wait();
    return own_->LocalPath(bucket, key);
  }

 private:
  objectstore::ObjectReader* const own_;
  std::atomic<int> asked_{0};
  std::latch two_{2};
};

TEST_F(ChannelsTest, ManyObjectsAreFetchedSeveralAtATimeAndStayInTheirOrder) {
  std::vector<std::string> expected;
  for (int i = 0; i < 150; ++i) {
    const std::string number = std::to_string(1000 + i);
    Put("d/" + number, number);
    expected.push_back(number + "=" + number);
  }
  Sociable sociable(store_.get());
  catalog::ChannelSpec spec;
  spec.name = "train";
  spec.s3_uri = "s3://bucket/d/";
  EXPECT_EQ(Shown(PrepareChannels({spec}, {}, root_ / "data", sociable), root_), expected);
}

TEST_F(ChannelsTest, OneObjectIsAPrefixToo) {
  Put("d/a.csv", "1");
  EXPECT_THAT(Shown(Prepare("s3://bucket/d/a.csv"), root_), ElementsAre("a.csv=1"));
}

TEST_F(ChannelsTest, KeysThatCannotBePathsAreReadAllTheSame) {
  Put("d/a", "1");
  Put("d/a/b", "2");
  Put("d/../../x", "3");
  const auto channels = Prepare("s3://bucket/d/");
  ASSERT_TRUE(channels.ok()) << channels.error().message();
  std::string contents;
  for (const auto& file : channels->at(0).files) {
    contents += *ReadFile(file.path, 100);
    EXPECT_THAT(file.path.lexically_relative(root_ / "data/train").string(), testing::Not(testing::StartsWith("..")));
  }
  EXPECT_EQ(contents, "312");  // in the order of their keys
}

TEST_F(ChannelsTest, MessagesCallAnObjectByWhatOfItsKeyLiesBelowThePrefix) {
  Put("d/a/part.csv", "1");
  Put("d/b/part.csv", "2");
  Put("d/b/part.csv/x", "3");
  Put("d/b/../part.csv", "4");
  const auto channels = Prepare("s3://bucket/d/");
  ASSERT_TRUE(channels.ok()) << channels.error().message();
  std::vector<std::string> names;
  for (const auto& file : channels->at(0).files) names.push_back(file.name);
  // The last: of a key that cannot be a path all of it.
  EXPECT_THAT(names, testing::UnorderedElementsAre("a/part.csv", "b/part.csv", "b/part.csv/x", "d/b/../part.csv"));
}

TEST_F(ChannelsTest, NothingIsCopiedAndTheJobKeepsTheBytesItBeganWith) {
  Put("d/a.csv", "old");
  const auto channels = Prepare("s3://bucket/d/a.csv");
  ASSERT_TRUE(channels.ok());
  struct stat seen{}, stored{};
  ASSERT_EQ(stat(channels->at(0).files[0].path.c_str(), &seen), 0);
  ASSERT_EQ(stat(store_->LocalPath("bucket", "d/a.csv")->c_str(), &stored), 0);
  EXPECT_EQ(seen.st_ino, stored.st_ino);
  Put("d/a.csv", "new");
  EXPECT_EQ(*ReadFile(channels->at(0).files[0].path, 100), "old");
}

TEST_F(ChannelsTest, AManifestNamesItsObjects) {
  Put("d/x/1.csv", "1");
  Put("d/y/2.csv", "2");
  Put("d/not.csv", "3");
  Put("m/manifest", R"([{"prefix":"s3://bucket/d/"},"y/2.csv","x/1.csv"])");
  EXPECT_THAT(Shown(Prepare("s3://bucket/m/manifest", "ManifestFile"), root_), ElementsAre("y/2.csv=2", "x/1.csv=1"));
}

TEST_F(ChannelsTest, WhatIsWrongWithAManifestIsSaid) {
  for (const auto& [manifest, reason] : std::vector<std::pair<std::string, std::string>>{
           {"{", "not JSON"},
           {"[]", "prefix"},
           {R"(["a"])", "prefix"},
           {R"([{"prefix":"s3://bucket/d/"}])", "no objects"},
           {R"([{"prefix":"s3://bucket/d/"},7])", "entry 1"},
           {R"([{"prefix":"s3://bucket/d/"},"gone.csv"])", "s3://bucket/d/gone.csv"},
           {R"([{"prefix":"http://x/"},"a"])", "http://x/a"}}) {
    Put("m", manifest);
    const auto channels = Prepare("s3://bucket/m", "ManifestFile");
    ASSERT_FALSE(channels.ok()) << manifest;
    EXPECT_EQ(channels.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(channels.error().message(), HasSubstr(reason));
  }
}

TEST_F(ChannelsTest, AMissingBucketAndAnEmptyPrefixAreTheUsersErrorsNamingChannelAndUri) {
  for (const char* uri : {"s3://nobody/d/", "s3://bucket/empty/", "no uri"}) {
    const auto channels = Prepare(uri);
    ASSERT_FALSE(channels.ok());
    EXPECT_EQ(channels.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(channels.error().message(), HasSubstr("channel 'train' (" + std::string(uri) + ")"));
  }
}

TEST_F(ChannelsTest, TheConfigFilesAreAContainers) {
  catalog::TrainingJobSpec spec;
  spec.hyperparameters = {{"epochs", "3"}};
  spec.input_mode = "File";
  spec.instance_type = "ml.m5.large";
  spec.channels = {{.name = "train", .content_type = "text/csv"}, {.name = "test"}};
  ASSERT_TRUE(MakeDirectories(root_ / "config").ok());
  ASSERT_TRUE(WriteInputConfig(spec, {}, root_ / "config").ok());
  const Json hyperparameters = *ParseJson(*ReadFile(root_ / "config/hyperparameters.json", 10000));
  EXPECT_EQ(hyperparameters["epochs"], "3");
  const Json channels = *ParseJson(*ReadFile(root_ / "config/inputdataconfig.json", 10000));
  EXPECT_EQ(channels["train"]["ContentType"], "text/csv");
  EXPECT_FALSE(channels["test"].contains("ContentType"));
  EXPECT_EQ(channels["test"]["S3DistributionType"], "FullyReplicated");
  const Json resources = *ParseJson(*ReadFile(root_ / "config/resourceconfig.json", 10000));
  EXPECT_EQ(resources["current_host"], "algo-1");
  EXPECT_EQ(resources["current_instance_type"], "ml.m5.large");
  EXPECT_TRUE(resources.contains("network_interface_name"));
}

}  // namespace
}  // namespace argosy::agent
