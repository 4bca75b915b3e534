// The store after an end at any moment: a child process is ended, as by kill -9, at each step that durability rests on.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "base/bytes.h"
#include "objectstore/embedded/embedded_store.h"
#include "objectstore/test_directory.h"

namespace argosy::objectstore {
namespace {

namespace fs = std::filesystem;

constexpr int kEnded = 77;    // exit status of a child that was ended at its step
constexpr int kFinished = 0;  // it got through: there are no more steps

class CrashTest : public testing::Test {
 protected:
  void SetUp() override { dir_ = MakeTestDirectory(); }
  void TearDown() override { fs::remove_all(dir_); }

  std::unique_ptr<ObjectStore> Open(StepHook hook = nullptr) {
    Result<std::unique_ptr<ObjectStore>> opened =
        EmbeddedStore::Open(dir_ / "store", &clock_, &random_, std::move(hook));
    Check(opened.ok(), opened.ok() ? "" : opened.error().message());
    return std::move(*opened);
  }

  // Runs `act` in a child that ends at its `step`-th step; gives its exit status.
  int RunEndingAt(int step, const std::function<void(ObjectStore&)>& act) {
    const pid_t child = fork();
    if (child == 0) {
      int left = step;
      auto store = Open([&left](std::string_view) -> Status {
        if (left-- == 0) _exit(kEnded);
        return {};
      });
      act(*store);
      _exit(kFinished);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // What must hold of any store: listing, look-up and files tell the same.
  void ExpectSound(ObjectStore& store) {
    std::set<std::string> listed;
    const std::vector<ObjectInfo> all = ListAll(store, "bucket", "", 1000).value();
    for (const ObjectInfo& info : all) {
      listed.insert(info.key);
      const Result<std::string> bytes = ReadBytes(store, "bucket", info.key, 1 << 20);
      ASSERT_TRUE(bytes.ok()) << info.key;
      EXPECT_EQ(bytes->size(), info.size);
      if (info.etag.find('-') == std::string::npos) {
        EXPECT_EQ(Md5Hex(*bytes), info.etag) << info.key;
      }
    }
    size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(dir_ / "store/buckets/bucket")) {
      if (entry.is_regular_file()) ++files;
    }
    EXPECT_EQ(files, listed.size());
    EXPECT_TRUE(fs::is_empty(dir_ / "store/staging"));
  }

  fs::path dir_;
  SystemClock clock_;
  SystemRandom random_;
};

void MustPut(ObjectStore& store, const std::string& key, const std::string& bytes) {
  Check(PutBytes(store, "bucket", key, bytes, "text/csv").ok(), "put");
}

TEST_F(CrashTest, AnOverwriteIsAllOrNothingAtEveryStep) {
  {
    auto store = Open();
    ASSERT_TRUE(store->CreateBucket("bucket").ok());
    MustPut(*store, "d/k", "old");
    MustPut(*store, "other", "stays");
  }
  int step = 0;
  for (;; ++step) {
    ASSERT_LT(step, 50);
    {
      auto store = Open();
      MustPut(*store, "d/k", "old");
    }
    const int status = RunEndingAt(step, [](ObjectStore& store) { MustPut(store, "d/k", "new and longer"); });
    auto store = Open();
    ExpectSound(*store);
    const std::string bytes = ReadBytes(*store, "bucket", "d/k", 100).value();
    EXPECT_TRUE(bytes == "old" || bytes == "new and longer") << bytes;
    EXPECT_EQ(store->Head("bucket", "d/k").value().attributes.content_type, "text/csv");
    EXPECT_EQ(ReadBytes(*store, "bucket", "other", 100).value(), "stays");
    if (status == kFinished) {
      EXPECT_EQ(bytes, "new and longer");
      break;
    }
    ASSERT_EQ(status, kEnded);
  }
  EXPECT_GE(step, 5) << "intent, fsync, rename, fsync of the directory, answer";
}

TEST_F(CrashTest, TagsAreTheOldOrTheNewAtEveryStep) {
  ASSERT_TRUE(Open()->CreateBucket("bucket").ok());
  int step = 0;
  for (;; ++step) {
    ASSERT_LT(step, 50);
    {
      auto store = Open();
      MustPut(*store, "d/k", "bytes");
      ASSERT_TRUE(store->SetTags("bucket", "d/k", {{"tag", "old"}}).ok());
    }
    const int status = RunEndingAt(
        step, [](ObjectStore& store) { Check(store.SetTags("bucket", "d/k", {{"tag", "new"}}).ok(), "tags"); });
    auto store = Open();
    ExpectSound(*store);
    const std::string tag = store->Head("bucket", "d/k").value().tags["tag"];
    EXPECT_TRUE(tag == "old" || tag == "new") << tag;
    if (status == kFinished) {
      EXPECT_EQ(tag, "new");
      break;
    }
    ASSERT_EQ(status, kEnded);
  }
  EXPECT_GE(step, 2) << "file, intent";
}

TEST_F(CrashTest, ADeleteIsAllOrNothingAtEveryStep) {
  ASSERT_TRUE(Open()->CreateBucket("bucket").ok());
  for (int step = 0;; ++step) {
    ASSERT_LT(step, 50);
    MustPut(*Open(), "d/k", "bytes");
    const int status =
        RunEndingAt(step, [](ObjectStore& store) { Check(store.Delete("bucket", "d/k").ok(), "delete"); });
    auto store = Open();
    ExpectSound(*store);
    if (status == kFinished) {
      EXPECT_EQ(store->Head("bucket", "d/k").error().code(), ErrorCode::kNotFound);
      break;
    }
    ASSERT_EQ(status, kEnded);
  }
}

TEST_F(CrashTest, WhatWasAcknowledgedIsListedAlthoughTheProcessEndedAtOnce) {
  ASSERT_TRUE(Open()->CreateBucket("bucket").ok());
  const pid_t child = fork();
  if (child == 0) {
    auto store = Open();
    for (int i = 0; i < 20; ++i) MustPut(*store, "k" + std::to_string(i), "v");
    _exit(kFinished);
  }
  int status = 0;
  waitpid(child, &status, 0);
  auto store = Open();
  EXPECT_EQ(ListAll(*store, "bucket", "", 100).value().size(), 20u);
}

// Every step of an upload: the object is whole or not there, the parts acknowledged stay, and the client that asks
// again gets through.
TEST_F(CrashTest, AnUploadInPartsGetsThroughHoweverOftenItIsCutOff) {
  {
    auto store = Open();
    ASSERT_TRUE(store->CreateBucket("bucket").ok());
  }
  for (int step = 0;; ++step) {
    ASSERT_LT(step, 50);
    std::string id;
    std::vector<CompletedPart> parts;
    {
      auto store = Open();
      ASSERT_TRUE(store->Delete("bucket", "big").ok());
      id = store->CreateUpload("bucket", "big", {}).value();
      auto writer = store->StartPart("bucket", "big", id, 1).value();
      ASSERT_TRUE(writer->Append("one ").ok());
      parts.push_back({1, writer->Commit().value().etag});
    }
    parts.push_back({2, Md5Hex("two")});
    auto finish = [&](ObjectStore& store) {
      auto writer = store.StartPart("bucket", "big", id, 2);
      if (writer.ok()) {  // not when the upload is complete already
        Check((*writer)->Append("two").ok() && (*writer)->Commit().ok(), "part");
      }
      const Result<ObjectInfo> object = store.CompleteUpload("bucket", "big", id, parts, {});
      Check(object.ok(), object.ok() ? "" : object.error().message());
    };
    const int status = RunEndingAt(step, finish);
    auto store = Open();
    ExpectSound(*store);
    const Result<std::string> bytes = ReadBytes(*store, "bucket", "big", 100);
    if (bytes.ok()) {
      EXPECT_EQ(*bytes, "one two");
    }
    if (status == kFinished) {
      ASSERT_TRUE(bytes.ok());
      EXPECT_TRUE(store->ListUploads("bucket").value().empty());
      break;
    }
    ASSERT_EQ(status, kEnded);
    if (!bytes.ok()) {
      ASSERT_GE(store->ListParts("bucket", "big", id).value().size(), 1u);
    }
    finish(*store);
    EXPECT_EQ(ReadBytes(*store, "bucket", "big", 100).value(), "one two");
  }
}

TEST_F(CrashTest, PublishingGetsThroughHoweverOftenItIsCutOff) {
  ASSERT_TRUE(Open()->CreateBucket("bucket").ok());
  const fs::path file = dir_ / "model.tar.gz";
  std::ofstream(file) << "artifact";
  for (int step = 0;; ++step) {
    ASSERT_LT(step, 50);
    const int status = RunEndingAt(step, [&](ObjectStore& store) {
      Check(store.PublishFile(file, "bucket", "out/model.tar.gz", {}).ok(), "publish");
    });
    auto store = Open();
    ExpectSound(*store);
    ASSERT_TRUE(fs::exists(file));
    ASSERT_TRUE(store->PublishFile(file, "bucket", "out/model.tar.gz", {}).ok());
    EXPECT_EQ(ReadBytes(*store, "bucket", "out/model.tar.gz", 100).value(), "artifact");
    if (status == kFinished) break;
    ASSERT_EQ(status, kEnded);
    ASSERT_TRUE(store->Delete("bucket", "out/model.tar.gz").ok());
  }
}

// The order that makes a power cut harmless: bytes before the name, the name before the answer.
TEST_F(CrashTest, AnAnswerComesAfterBytesIntentNameAndDirectoryAreOnDisk) {
  std::vector<std::string> steps;
  auto store = Open([&](std::string_view step) -> Status {
    steps.emplace_back(step);
    return {};
  });
  ASSERT_TRUE(store->CreateBucket("bucket").ok());
  steps.clear();
  MustPut(*store, "k", "v");
  EXPECT_EQ(steps, (std::vector<std::string>{"intent", "fsync file", "rename", "fsync directory", "answer"}));
  steps.clear();
  ASSERT_TRUE(store->Delete("bucket", "k").ok());
  EXPECT_EQ(steps, (std::vector<std::string>{"intent", "unlink", "fsync directory"}));
}

// A full disk, or one that fails, at each step: an error, nothing damaged, and later writes go through.
TEST_F(CrashTest, AnErrorAtAnyStepDamagesNothing) {
  for (const std::string broken : {"intent", "fsync file", "rename", "fsync directory"}) {
    bool armed = false;
    {
      auto store = Open([&](std::string_view step) -> Status {
        if (armed && step == broken) return Error(ErrorCode::kNoSpace, "no space left on device");
        return {};
      });
      if (!store->HeadBucket("bucket").ok()) {
        ASSERT_TRUE(store->CreateBucket("bucket").ok());
      }
      MustPut(*store, "k", "old");
      armed = true;
      const Result<ObjectInfo> put = PutBytes(*store, "bucket", "k", "new!", "");
      ASSERT_FALSE(put.ok()) << broken;
      EXPECT_EQ(put.error().code(), ErrorCode::kNoSpace);
      armed = false;
      ExpectSound(*store);
      const std::string bytes = ReadBytes(*store, "bucket", "k", 10).value();
      EXPECT_TRUE(bytes == "old" || broken == "fsync directory") << broken;
    }
    auto store = Open();
    ExpectSound(*store);
    MustPut(*store, "k", "later");
    EXPECT_EQ(ReadBytes(*store, "bucket", "k", 10).value(), "later");
  }
}

TEST_F(CrashTest, AnErrorAtAnyStepOfAnUploadIsToldAndTheUploadGoesOn) {
  std::vector<std::string> steps;
  size_t broken = 0;
  bool armed = false;
  auto store = Open([&](std::string_view step) -> Status {
    if (!armed) return {};
    steps.emplace_back(step);
    return steps.size() - 1 == broken ? Status(Error(ErrorCode::kIo, "the disk fails")) : Status();
  });
  ASSERT_TRUE(store->CreateBucket("bucket").ok());
  const auto put_part = [&](const std::string& id) {
    auto writer = store->StartPart("bucket", "k", id, 1).value();
    EXPECT_TRUE(writer->Append("bytes").ok());
    return writer->Commit();
  };
  // What fails at each of its steps in turn, until it gets through: all of them have been errors, none an answer.
  const auto at_each_step = [&](const std::function<Status()>& act) {
    size_t failures = 0;
    for (broken = 0;; ++broken) {
      steps.clear();
      armed = true;
      const Status done = act();
      armed = false;
      if (steps.size() <= broken) {
        EXPECT_TRUE(done.ok());
        return failures;
      }
      EXPECT_FALSE(done.ok()) << steps[broken];
      ++failures;
    }
  };
  std::string id;
  EXPECT_EQ(at_each_step([&] {
              Result<std::string> made = store->CreateUpload("bucket", "k", {});
              if (made.ok()) id = *made;
              return made.ok() ? Status() : made.error();
            }),
            2u);
  std::string etag;
  EXPECT_EQ(at_each_step([&] {
              const Result<ObjectInfo> part = put_part(id);
              if (part.ok()) etag = part->etag;
              return part.ok() ? Status() : part.error();
            }),
            3u);
  EXPECT_GE(at_each_step([&] {
              const Result<ObjectInfo> made = store->CompleteUpload("bucket", "k", id, {{1, etag}}, {});
              return made.ok() ? Status() : made.error();
            }),
            5u);
  EXPECT_EQ(ReadBytes(*store, "bucket", "k", 100).value(), "bytes");
  store.reset();
  store = Open();
  ExpectSound(*store);
  EXPECT_EQ(ReadBytes(*store, "bucket", "k", 100).value(), "bytes");
}

}  // namespace
}  // namespace argosy::objectstore
