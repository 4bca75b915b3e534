#include "objectstore/embedded/embedded_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "objectstore/checksum.h"
#include "objectstore/embedded/key_path.h"
#include "objectstore/embedded/record.h"
#include "objectstore/test_directory.h"

namespace argosy::objectstore {
namespace {

namespace fs = std::filesystem;

class EmbeddedStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = MakeTestDirectory();
    Reopen();
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(dir_);
  }
  void Reopen(StepHook hook = nullptr) {
    store_.reset();
    Result<std::unique_ptr<ObjectStore>> opened =
        EmbeddedStore::Open(dir_ / "store", &clock_, &random_, std::move(hook));
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    store_ = std::move(*opened);
  }
  void Put(const std::string& key, const std::string& bytes) {
    const Result<ObjectInfo> put = PutBytes(*store_, "bucket", key, bytes, "text/plain");
    ASSERT_TRUE(put.ok()) << key << ": " << put.error().message();
  }
  std::string Get(const std::string& key) {
    Result<std::string> bytes = ReadBytes(*store_, "bucket", key, 1 << 20);
    return bytes.ok() ? *bytes : "(" + std::string(ErrorCodeName(bytes.error().code())) + ")";
  }
  std::vector<std::string> Keys(const std::string& prefix = "") {
    std::vector<std::string> out;
    Result<std::vector<ObjectInfo>> all = ListAll(*store_, "bucket", prefix, 100'000);
    EXPECT_TRUE(all.ok());
    if (all.ok()) {
      for (const ObjectInfo& info : *all) out.push_back(info.key);
    }
    return out;
  }
  fs::path FileOf(const std::string& key) { return dir_ / "store" / "buckets" / "bucket" / KeyToPath(key); }
  size_t Staged() {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(dir_ / "store" / "staging"), fs::directory_iterator()));
  }

  fs::path dir_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<ObjectStore> store_;
};

class InBucket : public EmbeddedStoreTest {
 protected:
  void SetUp() override {
    EmbeddedStoreTest::SetUp();
    ASSERT_TRUE(store_->CreateBucket("bucket").ok());
  }
};

TEST_F(EmbeddedStoreTest, BucketsComeAndGo) {
  EXPECT_EQ(store_->HeadBucket("bucket").error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(store_->CreateBucket("bucket").ok());
  EXPECT_EQ(store_->CreateBucket("bucket").error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(store_->CreateBucket("../escape").error().code(), ErrorCode::kInvalidArgument);
  ASSERT_TRUE(store_->CreateBucket("another").ok());
  Reopen();
  const auto buckets = store_->ListBuckets().value();
  ASSERT_EQ(buckets.size(), 2u);
  EXPECT_EQ(buckets[0].name, "another");
  EXPECT_EQ(buckets[1].name, "bucket");
  EXPECT_GT(ToUnixMillis(buckets[0].created), ToUnixMillis(clock_.Now()) - 60'000);
  Put("x/y", "1");
  EXPECT_EQ(store_->DeleteBucket("bucket").error().code(), ErrorCode::kConflict);
  ASSERT_TRUE(store_->Delete("bucket", "x/y").ok());
  ASSERT_TRUE(store_->CreateUpload("bucket", "k", {}).ok());
  EXPECT_TRUE(store_->DeleteBucket("bucket").ok());
  EXPECT_EQ(store_->DeleteBucket("bucket").error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(store_->CreateBucket("bucket").ok());
  EXPECT_TRUE(Keys().empty());
  EXPECT_TRUE(store_->ListUploads("bucket").value().empty());
}

TEST_F(EmbeddedStoreTest, OnlyOneProcessWrites) {
  const auto second = EmbeddedStore::Open(dir_ / "store", &clock_, &random_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::kConflict);
}

TEST_F(InBucket, AnObjectKeepsItsBytesAndAttributesAcrossRestarts) {
  PutOptions options;
  options.attributes.content_type = "text/csv";
  options.attributes.headers["cache-control"] = "no-store";
  options.attributes.metadata["colour"] = "grün";
  auto writer = store_->StartPut("bucket", "data/train.csv", options).value();
  ASSERT_TRUE(writer->Append("1,2\n").ok());
  ASSERT_TRUE(writer->Append("3,4\n").ok());
  EXPECT_EQ(writer->size(), 8u);
  writer->SetChecksum({ChecksumAlgorithm::kCrc32, ChecksumType::kFullObject, "AAAAAA=="});
  const ObjectInfo put = writer->Commit().value();
  EXPECT_EQ(put.etag, Md5Hex("1,2\n3,4\n"));
  EXPECT_EQ(put.size, 8u);
  for (int round = 0; round < 2; ++round) {
    const ObjectInfo head = store_->Head("bucket", "data/train.csv").value();
    EXPECT_EQ(head, put);
    EXPECT_EQ(head.attributes, options.attributes);
    EXPECT_EQ(Get("data/train.csv"), "1,2\n3,4\n");
    Reopen();
  }
  EXPECT_TRUE(fs::exists(dir_ / "store/buckets/bucket/data%/train.csv"));
}

TEST_F(InBucket, AWriterThatIsDroppedLeavesNothing) {
  {
    auto writer = store_->StartPut("bucket", "k", {}).value();
    ASSERT_TRUE(writer->Append("half").ok());
    EXPECT_EQ(Staged(), 1u);
  }
  EXPECT_EQ(Get("k"), "(NotFound)");
  EXPECT_EQ(Staged(), 0u);
}

TEST_F(InBucket, AnOpenObjectOutlivesOverwriteAndDelete) {
  Put("k", "old");
  const OpenObject open = store_->Open("bucket", "k").value();
  Put("k", "newer");
  EXPECT_EQ(Get("k"), "newer");
  ASSERT_TRUE(store_->Delete("bucket", "k").ok());
  char buffer[8];
  ASSERT_EQ(pread(open.file->get(), buffer, sizeof buffer, 0), 3);
  EXPECT_EQ(std::string(buffer, 3), "old");
  EXPECT_EQ(open.info.etag, Md5Hex("old"));
  EXPECT_EQ(Get("k"), "(NotFound)");
  EXPECT_TRUE(store_->Delete("bucket", "k").ok()) << "deleting what is not there is no error";
}

TEST_F(InBucket, KeysThatLookLikePathsStayApart) {
  const std::vector<std::string> keys = {"a",
                                         "a/b",
                                         "a/",
                                         "a//b",
                                         "a/b/c",
                                         "..",
                                         "../..",
                                         "../../etc/passwd",
                                         ".",
                                         "/",
                                         "//",
                                         "/abs",
                                         "%",
                                         "%2F",
                                         "a%2Fb",
                                         "a%",
                                         "a%/b",
                                         " ",
                                         "\n",
                                         "日本/語",
                                         std::string(1024, 'x'),
                                         std::string(255, 'y'),
                                         std::string(255, 'y') + "/z",
                                         "A",
                                         "é",
                                         "e\xCC\x81",
                                         "x&y<z>\"'"};
  for (const std::string& key : keys) Put(key, "bytes of " + key);
  for (const std::string& key : keys) EXPECT_EQ(Get(key), "bytes of " + key);
  std::vector<std::string> sorted = keys;
  std::ranges::sort(sorted);
  EXPECT_EQ(Keys(), sorted);
  for (const std::string& key : keys) EXPECT_TRUE(store_->Delete("bucket", key).ok());
  EXPECT_TRUE(Keys().empty());
  EXPECT_TRUE(fs::is_empty(dir_ / "store/buckets/bucket")) << "empty directories are pruned";
  EXPECT_FALSE(fs::exists(dir_ / "etc"));
}

TEST_F(InBucket, PreconditionsHoldAtTheCommit) {
  PutOptions fresh;
  fresh.precondition.must_not_exist = true;
  auto first = store_->StartPut("bucket", "k", fresh).value();
  auto second = store_->StartPut("bucket", "k", fresh).value();
  ASSERT_TRUE(first->Append("1").ok());
  ASSERT_TRUE(first->Commit().ok());
  ASSERT_TRUE(second->Append("2").ok());
  EXPECT_EQ(second->Commit().error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Get("k"), "1");
  PutOptions match;
  match.precondition.etag = Md5Hex("other");
  EXPECT_EQ(store_->StartPut("bucket", "k", match).value()->Commit().error().code(), ErrorCode::kConflict);
  match.precondition.etag = Md5Hex("1");
  EXPECT_TRUE(store_->StartPut("bucket", "k", match).value()->Commit().ok());
  EXPECT_EQ(store_->StartPut("bucket", "absent", match).value()->Commit().error().code(), ErrorCode::kNotFound);
}

TEST_F(InBucket, PreconditionsHoldAtTheDeleteAndOfACopy) {
  Put("k", "1");
  Put("other", "22");
  EXPECT_EQ(store_->DeleteIf("bucket", "k", {.etag = Md5Hex("2")}).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(store_->DeleteIf("bucket", "k", {.size = 2}).error().code(), ErrorCode::kConflict);
  const auto copy = [&](Precondition precondition) {
    return store_->Copy("bucket", "other", "bucket", "k", {.precondition = std::move(precondition)});
  };
  EXPECT_EQ(copy({.must_not_exist = true}).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(copy({.etag = Md5Hex("2")}).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Get("k"), "1");
  EXPECT_TRUE(copy({.etag = Md5Hex("1")}).ok());
  EXPECT_EQ(Get("k"), "22");
  EXPECT_TRUE(store_->DeleteIf("bucket", "k", {.etag = Md5Hex("22"), .size = 2}).ok());
  EXPECT_EQ(store_->DeleteIf("bucket", "k", {.etag = Md5Hex("22")}).error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(store_->DeleteIf("bucket", "k", {.size = 2}).ok());
}

// Random writes, deletes and restarts beside a map; every listing compared page by page.
TEST_F(InBucket, ListingEqualsAModelWhateverHappens) {
  SeededRandom random(11);
  const std::vector<std::string> words = {"a", "b", "ab", "a.b", "é", "~", "a/", "%", "zz", ""};
  std::map<std::string, std::string> model;
  auto random_key = [&] {
    std::string key;
    const uint64_t depth = 1 + random.Below(4);
    for (uint64_t i = 0; i < depth; ++i) key += (i == 0 ? "" : "/") + words[random.Below(words.size())];
    return key.empty() ? std::string("a") : key;
  };
  auto list = [&](ListRequest request) {
    std::vector<std::string> out;
    for (;;) {
      const ListPage page = store_->List(request).value();
      EXPECT_LE(page.objects.size() + page.common_prefixes.size(), request.max_keys);
      // Both sorted, merged as S3's clients see them.
      std::vector<std::string> merged;
      for (const ObjectInfo& info : page.objects) {
        merged.push_back(info.key);
        EXPECT_EQ(info.size, model.at(info.key).size());
        EXPECT_EQ(info.etag, Md5Hex(model.at(info.key)));
      }
      for (const std::string& prefix : page.common_prefixes) merged.push_back("P:" + prefix);
      std::ranges::sort(merged, {}, [](const std::string& s) { return s.starts_with("P:") ? s.substr(2) : s; });
      out.insert(out.end(), merged.begin(), merged.end());
      if (page.next_token.empty()) return out;
      request.token = page.next_token;
    }
  };
  auto expected = [&](const ListRequest& request) {
    std::vector<std::string> out;
    for (const auto& [key, value] : model) {
      if (!key.starts_with(request.prefix) || (!request.start_after.empty() && key <= request.start_after)) continue;
      const size_t cut =
          request.delimiter.empty() ? std::string::npos : key.find(request.delimiter, request.prefix.size());
      const std::string entry = cut == std::string::npos ? key : "P:" + key.substr(0, cut + request.delimiter.size());
      if (out.empty() || out.back() != entry) out.push_back(entry);
    }
    return out;
  };
  for (int round = 0; round < 400; ++round) {
    const std::string key = random_key();
    if (random.Below(3) == 0) {
      ASSERT_TRUE(store_->Delete("bucket", key).ok());
      model.erase(key);
    } else {
      const std::string bytes(random.Below(50), 'q');
      Put(key, bytes);
      model[key] = bytes;
    }
    if (round % 80 == 79) Reopen();
    if (round % 5 != 0) continue;
    ListRequest request{.bucket = "bucket"};
    request.max_keys = 1 + random.Below(7);
    if (random.Below(2) == 0) request.prefix = random_key().substr(0, random.Below(4));
    if (!IsValidUtf8(request.prefix)) request.prefix.clear();
    if (random.Below(2) == 0) request.delimiter = random.Below(4) == 0 ? "b" : "/";
    if (random.Below(3) == 0) request.start_after = random_key();
    ASSERT_EQ(list(request), expected(request)) << "prefix '" << request.prefix << "' delimiter '" << request.delimiter
                                                << "' after '" << request.start_after << "'";
  }
}

TEST_F(InBucket, BadTokensAreRefused) {
  ListRequest request{.bucket = "bucket"};
  request.token = "not base64!";
  EXPECT_EQ(store_->List(request).error().code(), ErrorCode::kInvalidArgument);
  request.token.clear();
  request.bucket = "no-such-bucket";
  EXPECT_EQ(store_->List(request).error().code(), ErrorCode::kNotFound);
}

TEST_F(InBucket, ALostIndexIsMadeAnewFromTheFiles) {
  PutOptions options;
  options.attributes.content_type = "text/csv";
  options.attributes.metadata["k"] = "v";
  auto writer = store_->StartPut("bucket", "dir/with attributes", options).value();
  ASSERT_TRUE(writer->Append("x").ok());
  const ObjectInfo put = writer->Commit().value();
  for (int i = 0; i < 50; ++i) Put("n/" + std::to_string(i), std::to_string(i));
  const std::vector<std::string> before = Keys();
  store_.reset();
  for (const char* name : {"index.db", "index.db-wal", "index.db-shm"}) fs::remove(dir_ / "store" / name);
  Reopen();
  EXPECT_EQ(Keys(), before);
  if (getxattr(FileOf("dir/with attributes").c_str(), kRecordXattr, nullptr, 0) > 0) {
    EXPECT_EQ(store_->Head("bucket", "dir/with attributes").value(), put);
  }
  EXPECT_EQ(store_->Head("bucket", "n/7").value().etag, Md5Hex("7"));
}

TEST_F(InBucket, ADamagedIndexIsPutAsideAndMadeAnew) {
  Put("k", "v");
  store_.reset();
  for (const char* name : {"index.db-wal", "index.db-shm"}) fs::remove(dir_ / "store" / name);
  std::ofstream(dir_ / "store" / "index.db", std::ios::trunc) << std::string(8192, 'j');
  Reopen();
  EXPECT_EQ(Keys(), std::vector<std::string>{"k"});
  EXPECT_TRUE(fs::exists(dir_ / "store" / "index.db.broken"));
}

TEST_F(InBucket, AFileChangedByHandIsBelievedAndItsRowMadeAnew) {
  Put("edited", "before");
  Put("removed", "x");
  Put("same", "x");
  std::ofstream(FileOf("edited"), std::ios::trunc) << "after, and longer";
  fs::remove(FileOf("removed"));
  std::ofstream(FileOf("added")) << "by hand";
  EXPECT_EQ(store_->Head("bucket", "edited").value().etag, Md5Hex("after, and longer"));
  EXPECT_EQ(Get("removed"), "(NotFound)");
  EXPECT_EQ(Get("added"), "by hand");
  EXPECT_EQ(Keys(), (std::vector<std::string>{"added", "edited", "same"}));
  EXPECT_EQ(store_->Head("bucket", "added").value().etag, Md5Hex("by hand"));
}

TEST_F(InBucket, LinksAndPipesAreNoObjects) {
  std::ofstream(dir_ / "secret") << "secret";
  fs::create_symlink(dir_ / "secret", FileOf("link"));
  ASSERT_EQ(mkfifo(FileOf("pipe").c_str(), 0600), 0);
  EXPECT_EQ(Get("link"), "(NotFound)");
  EXPECT_EQ(Get("pipe"), "(NotFound)");
}

TEST_F(InBucket, UploadsInPartsSurviveARestartAndMakeOneObject) {
  UploadOptions options;
  options.attributes.content_type = "text/plain";
  options.checksum_algorithm = ChecksumAlgorithm::kCrc32;
  const std::string id = store_->CreateUpload("bucket", "big", options).value();
  std::vector<CompletedPart> parts;
  std::string md5s;
  for (const int number : {3, 1, 2}) {
    const std::string bytes = "part " + std::to_string(number) + "\n";
    auto writer = store_->StartPart("bucket", "big", id, number).value();
    ASSERT_TRUE(writer->Append(bytes).ok());
    const auto hasher = NewChecksumHasher(ChecksumAlgorithm::kCrc32);
    hasher->Update(bytes);
    writer->SetChecksum({ChecksumAlgorithm::kCrc32, ChecksumType::kFullObject, ToBase64(hasher->Finish())});
    const ObjectInfo part = writer->Commit().value();
    EXPECT_EQ(part.etag, Md5Hex(bytes));
    parts.push_back({number, part.etag});
  }
  // A part may be sent again.
  {
    auto writer = store_->StartPart("bucket", "big", id, 2).value();
    ASSERT_TRUE(writer->Append("part two\n").ok());
    const auto hasher = NewChecksumHasher(ChecksumAlgorithm::kCrc32);
    hasher->Update("part two\n");
    writer->SetChecksum({ChecksumAlgorithm::kCrc32, ChecksumType::kFullObject, ToBase64(hasher->Finish())});
    parts[2].etag = writer->Commit().value().etag;
  }
  std::ranges::sort(parts, {}, &CompletedPart::number);
  Reopen();
  EXPECT_EQ(Get("big"), "(NotFound)");
  ASSERT_EQ(store_->ListUploads("bucket").value().size(), 1u);
  EXPECT_EQ(store_->ListUploads("bucket").value()[0].options.attributes, options.attributes);
  const std::vector<PartInfo> listed = store_->ListParts("bucket", "big", id).value();
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_EQ(listed[1].etag, Md5Hex("part two\n"));

  std::vector<CompletedPart> wrong = parts;
  wrong[0].etag = Md5Hex("something else");
  EXPECT_EQ(store_->CompleteUpload("bucket", "big", id, wrong, {}).error().code(), ErrorCode::kInvalidArgument);
  wrong = {parts[1], parts[0]};
  EXPECT_EQ(store_->CompleteUpload("bucket", "big", id, wrong, {}).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_->CompleteUpload("bucket", "other-key", id, parts, {}).error().code(), ErrorCode::kNotFound);

  const ObjectInfo object = store_->CompleteUpload("bucket", "big", id, parts, {}).value();
  for (const CompletedPart& part : parts) md5s += *FromHex(part.etag);
  EXPECT_EQ(object.etag, Md5Hex(md5s) + "-3");
  EXPECT_EQ(Get("big"), "part 1\npart two\npart 3\n");
  EXPECT_EQ(object.attributes.content_type, "text/plain");
  ASSERT_TRUE(object.checksum.has_value());
  EXPECT_TRUE(object.checksum->value.ends_with("-3"));
  EXPECT_TRUE(store_->ListUploads("bucket").value().empty());
  // The answer may have got lost: the same request once more tells the same.
  EXPECT_EQ(store_->CompleteUpload("bucket", "big", id, parts, {}).value(), object);
  Put("big", "replaced");
  EXPECT_EQ(store_->CompleteUpload("bucket", "big", id, parts, {}).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(Staged(), 0u);
}

TEST_F(InBucket, AnAbortedUploadIsGone) {
  const std::string id = store_->CreateUpload("bucket", "k", {}).value();
  auto writer = store_->StartPart("bucket", "k", id, 1).value();
  auto late = store_->StartPart("bucket", "k", id, 2).value();
  ASSERT_TRUE(writer->Commit().ok());
  EXPECT_EQ(store_->StartPart("bucket", "k", id, 0).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_->StartPart("bucket", "k", "../../x", 1).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(store_->AbortUpload("bucket", "k", id).ok());
  EXPECT_EQ(late->Commit().error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->AbortUpload("bucket", "k", id).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->ListParts("bucket", "k", id).error().code(), ErrorCode::kNotFound);
}

TEST_F(InBucket, CopyTakesBytesAndAttributesOrNewOnes) {
  Put("from", "bytes");
  const ObjectInfo copy = store_->Copy("bucket", "from", "bucket", "to/there", {}).value();
  EXPECT_EQ(copy.etag, Md5Hex("bytes"));
  EXPECT_EQ(copy.attributes.content_type, "text/plain");
  CopyOptions options;
  options.attributes = Attributes{.content_type = "text/csv"};
  EXPECT_EQ(store_->Copy("bucket", "from", "bucket", "from", options).value().attributes.content_type, "text/csv");
  EXPECT_EQ(Get("from"), "bytes");
  options.source_etag = "0";
  EXPECT_EQ(store_->Copy("bucket", "from", "bucket", "x", options).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(store_->Copy("bucket", "absent", "bucket", "x", {}).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->Copy("bucket", "from", "no-such", "x", {}).error().code(), ErrorCode::kNotFound);
}

TEST_F(InBucket, PublishingAFileTwiceChangesNothing) {
  const fs::path file = dir_ / "model.tar.gz";
  std::ofstream(file) << "artifact";
  const Attributes attributes{.content_type = "application/x-tar"};
  const ObjectInfo first = store_->PublishFile(file, "bucket", "job/output/model.tar.gz", attributes).value();
  EXPECT_EQ(first.etag, Md5Hex("artifact"));
  Reopen();
  EXPECT_EQ(store_->PublishFile(file, "bucket", "job/output/model.tar.gz", attributes).value(), first);
  EXPECT_TRUE(fs::exists(file)) << "the source stays";
  // Under a second key the bytes are copied: two objects must not share one file's attributes.
  const ObjectInfo second = store_->PublishFile(file, "bucket", "copy", {}).value();
  EXPECT_EQ(second.attributes, Attributes());
  EXPECT_EQ(store_->Head("bucket", "job/output/model.tar.gz").value(), first);
  fs::remove(file);
  EXPECT_EQ(Get("job/output/model.tar.gz"), "artifact");
  EXPECT_EQ(store_->PublishFile(dir_ / "absent", "bucket", "k", {}).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->PublishFile(dir_, "bucket", "k", {}).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Staged(), 0u);
}

TEST_F(InBucket, AnotherProcessReadsWhetherTheWriterLivesOrNot) {
  Put("train/a.csv", "1");
  Put("train/b.csv", "2");
  auto reader = EmbeddedStore::Attach(dir_ / "store").value();
  EXPECT_EQ(ListAll(*reader, "bucket", "train/", 10).value().size(), 2u);
  EXPECT_EQ(ReadBytes(*reader, "bucket", "train/a.csv", 10).value(), "1");
  Put("train/c.csv", "3");
  EXPECT_EQ(ListAll(*reader, "bucket", "train/", 10).value().size(), 3u);
  std::ofstream(FileOf("train/a.csv"), std::ios::trunc) << "edited";
  EXPECT_EQ(reader->Head("bucket", "train/a.csv").value().etag, Md5Hex("edited"));
  const fs::path path = reader->LocalPath("bucket", "train/b.csv").value();
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "2");
  store_.reset();
  EXPECT_EQ(ReadBytes(*reader, "bucket", "train/c.csv", 10).value(), "3");
  auto late = EmbeddedStore::Attach(dir_ / "store").value();
  EXPECT_EQ(ListAll(*late, "bucket", "train/", 10).value().size(), 3u);
  EXPECT_EQ(late->Head("bucket", "nope").error().code(), ErrorCode::kNotFound);
}

TEST_F(InBucket, AReaderWithoutAnIndexSaysSoAndNotThatObjectsAreMissing) {
  Put("k", "v");
  store_.reset();
  for (const char* name : {"index.db", "index.db-wal", "index.db-shm"}) fs::remove(dir_ / "store" / name);
  auto reader = EmbeddedStore::Attach(dir_ / "store").value();
  EXPECT_EQ(reader->Head("bucket", "k").error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(ListAll(*reader, "bucket", "", 10).error().code(), ErrorCode::kUnavailable);
}

TEST_F(InBucket, ManyThreadsWriteReadAndDeleteTheSameFewKeys) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      SeededRandom random(static_cast<uint64_t>(t));
      for (int i = 0; i < 60; ++i) {
        const std::string key = "d" + std::to_string(random.Below(3)) + "/k" + std::to_string(random.Below(3));
        const uint64_t what = random.Below(4);
        if (what == 0) {
          if (!store_->Delete("bucket", key).ok()) ++wrong;
        } else if (what == 1) {
          Result<OpenObject> open = store_->Open("bucket", key);
          if (!open.ok() && open.error().code() != ErrorCode::kNotFound) ++wrong;
          if (open.ok()) {
            std::string bytes(open->info.size, '\0');
            if (pread(open->file->get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) ++wrong;
            if (Md5Hex(bytes) != open->info.etag) ++wrong;
          }
        } else {
          const std::string bytes(random.Below(5000), static_cast<char>('a' + random.Below(26)));
          if (!PutBytes(*store_, "bucket", key, bytes, "").ok()) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  // The listing is what the files are, without any healing look in between.
  const std::vector<ObjectInfo> listed = ListAll(*store_, "bucket", "", 100).value();
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(dir_ / "store/buckets/bucket")) {
    if (entry.is_regular_file()) files.insert(fs::relative(entry.path(), dir_ / "store/buckets/bucket").string());
  }
  EXPECT_EQ(files.size(), listed.size());
  for (const ObjectInfo& info : listed) {
    EXPECT_TRUE(files.contains(KeyToPath(info.key)));
    EXPECT_EQ(Md5Hex(Get(info.key)), info.etag);
  }
}

}  // namespace
}  // namespace argosy::objectstore
