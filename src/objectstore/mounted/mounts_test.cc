#include "objectstore/mounted/mounts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/random.h"
#include "objectstore/embedded/embedded_store.h"
#include "objectstore/test_directory.h"

namespace argosy::objectstore {
namespace {

namespace fs = std::filesystem;

class MountsTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = MakeTestDirectory();
    fs::create_directories(dir_ / "data");
    Mount();
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(dir_);
  }
  void Mount() {
    store_.reset();
    auto own = EmbeddedStore::Open(dir_ / "store", &clock_, &random_, nullptr).value();
    store_ = MountFolders(std::move(own), {{"data", dir_ / "data"}}, dir_ / "store", dir_ / "store").value();
  }
  void File(const std::string& path, const std::string& bytes = "x") {
    fs::create_directories((dir_ / "data" / path).parent_path());
    std::ofstream(dir_ / "data" / path) << bytes;
  }
  std::vector<std::string> Keys(const std::string& prefix = "") {
    std::vector<std::string> keys;
    const auto all = ListAll(*store_, "data", prefix, 100'000).value();
    for (const ObjectInfo& info : all) keys.push_back(info.key);
    return keys;
  }

  fs::path dir_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(MountsTest, FilesAreObjectsOfABucket) {
  File("a.csv", "1,2\n");
  File("deep/er/b.csv", "3,4\n");
  EXPECT_EQ(Keys(), (std::vector<std::string>{"a.csv", "deep/er/b.csv"}));
  EXPECT_EQ(ReadBytes(*store_, "data", "deep/er/b.csv", 100).value(), "3,4\n");
  const ObjectInfo info = store_->Head("data", "a.csv").value();
  EXPECT_EQ(info.size, 4U);
  EXPECT_TRUE(info.etag.size() == 34 && info.etag.ends_with("-1")) << info.etag;
  EXPECT_EQ(store_->LocalPath("data", "a.csv").value(), dir_ / "data/a.csv");
  EXPECT_EQ(store_->ListBuckets().value().front().name, "data");
  File("a.csv", "5,6,7\n");
  EXPECT_NE(store_->Head("data", "a.csv").value().etag, info.etag);
}

TEST_F(MountsTest, NothingCanBeWrittenAndNothingIs) {
  File("a.csv");
  ASSERT_TRUE(store_->CreateBucket("own").ok());
  ASSERT_TRUE(PutBytes(*store_, "own", "k", "bytes", "").ok());
  const auto refused = [](const auto& result) {
    EXPECT_FALSE(result.ok());
    if (!result.ok()) EXPECT_EQ(result.error().code(), ErrorCode::kPermissionDenied);
  };
  refused(store_->StartPut("data", "new", {}));
  refused(store_->Delete("data", "a.csv"));
  refused(store_->DeleteBucket("data"));
  refused(store_->Copy("own", "k", "data", "new", {}));
  refused(store_->SetTags("data", "a.csv", {{"a", "b"}}));
  refused(store_->SetBucketTags("data", {{"a", "b"}}));
  refused(store_->CreateUpload("data", "new", {}));
  refused(store_->PublishFile(dir_ / "data/a.csv", "data", "new", {}));
  EXPECT_EQ(store_->CreateBucket("data").error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(store_->StartPart("data", "new", std::string(32, 'a'), 1).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(Keys(), (std::vector<std::string>{"a.csv"}));
}

TEST_F(MountsTest, CopiesOutOfItAreObjectsOfTheirOwn) {
  File("a.csv", "old");
  ASSERT_TRUE(store_->CreateBucket("own").ok());
  const ObjectInfo copy = store_->Copy("data", "a.csv", "own", "k", {.tags = Tags{{"a", "b"}}}).value();
  EXPECT_EQ(copy.etag, "149603e6c03516362a8da23f624db945") << "the MD5 of its bytes";
  EXPECT_EQ(copy.tags, (Tags{{"a", "b"}}));
  {
    std::ofstream(dir_ / "data/a.csv") << "new";
  }  // in place
  EXPECT_EQ(ReadBytes(*store_, "own", "k", 100).value(), "old");
  EXPECT_EQ(store_->Copy("data", "a.csv", "own", "k", {.source_etag = "other"}).error().code(), ErrorCode::kConflict);
}

TEST_F(MountsTest, CopiesHaveTheChecksumThatIsAskedForAndItsConditionsHold) {
  File("a.csv", "old");
  ASSERT_TRUE(store_->CreateBucket("own").ok());
  const auto copy = [&](CopyOptions options) { return store_->Copy("data", "a.csv", "own", "k", std::move(options)); };
  const ObjectInfo made = copy({.checksum_algorithm = ChecksumAlgorithm::kCrc32}).value();
  ASSERT_TRUE(made.checksum.has_value());
  EXPECT_EQ(made.checksum->value, "P13U5Q==");
  EXPECT_EQ(copy({.precondition = {.must_not_exist = true}}).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(copy({.precondition = {.etag = "other"}}).error().code(), ErrorCode::kConflict);
  EXPECT_TRUE(copy({.precondition = {.etag = made.etag}}).ok());
}

TEST_F(MountsTest, NothingOutsideTheFolderIsReached) {
  std::ofstream(dir_ / "secret") << "secret";
  File("dir/inside");
  fs::create_symlink(dir_ / "secret", dir_ / "data/out");
  fs::create_symlink("../secret", dir_ / "data/up");
  fs::create_symlink("dir/inside", dir_ / "data/link");
  fs::create_symlink("dir", dir_ / "data/linked-dir");
  fs::create_symlink(".", dir_ / "data/loop");
  ASSERT_EQ(mkfifo((dir_ / "data/pipe").c_str(), 0600), 0);
  ASSERT_EQ(mknod((dir_ / "data/socket").c_str(), S_IFSOCK | 0600, 0), 0);
  EXPECT_EQ(Keys(), (std::vector<std::string>{"dir/inside", "link"}));
  for (const char* key : {"out", "up", "../secret", "dir/../../secret", "/etc/passwd", "./link", "dir//inside", "dir/",
                          "dir", "linked-dir/inside", "loop/link", "pipe", "socket", "nothing"}) {
    EXPECT_EQ(store_->Open("data", key).error().code(), ErrorCode::kNotFound) << key;
  }
  EXPECT_TRUE(store_->Open("data", "link").ok());
  for (const char* prefix : {"../", "dir/../", "loop/", "linked-dir/", "/", "dir//"}) {
    EXPECT_TRUE(Keys(prefix).empty()) << prefix;
  }
}

TEST_F(MountsTest, ListingsAreInTheOrderOfKeysWhateverThePages) {
  std::set<std::string> model;
  SeededRandom random(7);
  const char* const names[] = {"a", "a!", "a-b", "a.csv", "a0", "b", "ab", "é"};
  for (int i = 0; i < 120; ++i) {
    std::string key;
    for (uint64_t depth = random.Below(4); depth > 0; --depth) key += std::string(names[random.Below(8)]) + "_/";
    key += names[random.Below(8)];
    model.insert(key);
    File(key);
  }
  for (const std::string prefix : {"", "a", "a_/", "a_/a", "é_/", "none"}) {
    for (const std::string delimiter : {"", "/", "_", "a"}) {
      std::vector<std::string> expected;
      for (const std::string& key : model) {
        if (!key.starts_with(prefix)) continue;
        const size_t at = delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
        const std::string shown = at == std::string::npos ? key : key.substr(0, at + delimiter.size());
        if (expected.empty() || expected.back() != shown) expected.push_back(shown);
      }
      for (const size_t size : {1U, 3U, 1000U}) {
        std::vector<std::string> found;
        ListRequest request{.bucket = "data", .prefix = prefix, .delimiter = delimiter, .max_keys = size};
        do {
          const ListPage page = store_->List(request).value();
          std::vector<std::string> both = page.common_prefixes;
          for (const ObjectInfo& info : page.objects) both.push_back(info.key);
          ASSERT_LE(both.size(), size);
          std::ranges::sort(both);
          found.insert(found.end(), both.begin(), both.end());
          request.token = page.next_token;
        } while (!request.token.empty());
        EXPECT_EQ(found, expected) << prefix << " by " << delimiter << " in pages of " << size;
      }
    }
  }
  ListRequest after{.bucket = "data", .start_after = *std::next(model.begin(), 60)};
  EXPECT_EQ(store_->List(after).value().objects.front().key, *std::next(model.begin(), 61));
  EXPECT_EQ(store_->List({.bucket = "data", .token = "?"}).error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(MountsTest, ALargeFolderIsSeenAsItIsNow) {
  for (int i = 0; i < 1500; ++i) File("f" + std::to_string(10'000 + i));
  EXPECT_EQ(Keys().size(), 1500U);
  File("new");
  fs::remove(dir_ / "data/f10000");
  EXPECT_EQ(Keys().size(), 1500U);
  EXPECT_EQ(Keys().back(), "new");
}

TEST_F(MountsTest, AnotherProcessSeesWhatIsMounted) {
  File("a.csv", "bytes");
  ASSERT_TRUE(store_->CreateBucket("own").ok());
  ASSERT_TRUE(PutBytes(*store_, "own", "k", "mine", "").ok());
  const auto attach = [&] {
    return MountFolders(EmbeddedStore::Attach(dir_ / "store").value(), dir_ / "store").value();
  };
  auto reader = attach();
  EXPECT_EQ(ReadBytes(*reader, "data", "a.csv", 100).value(), "bytes");
  EXPECT_EQ(ReadBytes(*reader, "own", "k", 100).value(), "mine");
  fs::remove_all(dir_ / "data");
  reader = attach();
  EXPECT_EQ(ReadBytes(*reader, "own", "k", 100).value(), "mine");
  EXPECT_EQ(reader->HeadBucket("data").error().code(), ErrorCode::kNotFound);
}

TEST_F(MountsTest, WhatCannotBeMountedIsRefused) {
  ASSERT_TRUE(store_->CreateBucket("own").ok());
  File("file");
  const auto why = [&](const std::string& bucket, const fs::path& path) {
    store_.reset();
    auto own = EmbeddedStore::Open(dir_ / "store", &clock_, &random_, nullptr).value();
    return MountFolders(std::move(own), {{bucket, path}}, dir_ / "store", dir_ / "store").error().code();
  };
  EXPECT_EQ(why("own", dir_ / "data"), ErrorCode::kAlreadyExists);
  EXPECT_EQ(why("gone", dir_ / "nothing"), ErrorCode::kNotFound);
  EXPECT_EQ(why("file", dir_ / "data/file"), ErrorCode::kIo);
  EXPECT_EQ(why("No", dir_ / "data"), ErrorCode::kInvalidArgument);
}

TEST_F(MountsTest, NoFolderByWhichTheDataDirectoryCouldBeRead) {
  const fs::path data_dir = dir_ / "home/argosy";
  fs::create_directories(data_dir / "objects");
  fs::create_directories(dir_ / "home/argosy-sets");
  fs::create_directory_symlink(data_dir, dir_ / "link");
  fs::create_directory_symlink(dir_ / "home", dir_ / "link-above");
  const auto mount = [&](const fs::path& folder) -> Status {
    auto own = EmbeddedStore::Open(data_dir / "objects", &clock_, &random_, nullptr).value();
    const auto mounted = MountFolders(std::move(own), {{"sets", folder}}, data_dir / "objects", data_dir);
    return mounted.ok() ? Status() : mounted.error();
  };
  for (const fs::path& folder : {data_dir, data_dir / "objects", dir_ / "home", dir_, fs::path("/"), dir_ / "link",
                                 dir_ / "link/objects", dir_ / "link-above", dir_ / "data/../home"}) {
    const Status refused = mount(folder);
    ASSERT_FALSE(refused.ok()) << folder;
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(refused.error().message().find("the data directory " + data_dir.string()), std::string::npos);
  }
  EXPECT_FALSE(fs::exists(data_dir / "objects/mounts.json"));
  EXPECT_TRUE(mount(dir_ / "home/argosy-sets").ok()) << "a name that begins as the data directory's does";
}

}  // namespace
}  // namespace argosy::objectstore
