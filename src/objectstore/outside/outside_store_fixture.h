// For tests: a store over a server that misbehaves as it is told.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "objectstore/outside/faulty_s3.h"
#include "objectstore/outside/outside_store.h"
#include "objectstore/test_directory.h"

namespace argosy::objectstore {

inline std::string SomeBytes(size_t size, uint64_t seed) {
  constexpr size_t kPattern = 4099;  // a prime, so that no two ranges are the same
  SeededRandom random(seed);
  std::string pattern;
  while (pattern.size() < kPattern) pattern.push_back(static_cast<char>(random.Next()));
  std::string out;
  while (out.size() < size) out.append(pattern);
  out.resize(size);
  return out;
}

// Meets the first `count` requests whose "METHOD target" has this text with the fault.
inline FaultyS3::Choose Meets(const std::string& method, const std::string& text, Fault fault, int count) {
  auto left = std::make_shared<int>(count);
  return [=](std::string_view asked, std::string_view target) {
    if (asked != method || target.find(text) == std::string_view::npos || *left == 0) return Fault::kNone;
    --*left;
    return fault;
  };
}

class OutsideStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = MakeTestDirectory();
    ASSERT_TRUE(Reopen().ok());
    ASSERT_TRUE(store_->CreateBucket("bucket").ok());
  }
  void TearDown() override {
    server_.SetFaults(nullptr);
    store_.reset();
    std::filesystem::remove_all(dir_);
  }
  virtual Patience PatienceOfTest() {
    Patience patience;
    patience.pause = [this](Duration pause) {
      const std::lock_guard lock(mutex_);
      pauses_.push_back(pause);
    };
    patience.stall_max = std::chrono::minutes(2);  // a busy machine is not one that does not answer
    return patience;
  }
  Status Reopen() {
    store_.reset();
    OutsideOptions options;
    options.location = MakeLocation("s3://outer/pre", server_.endpoint(), "us-east-1").value();
    options.location.credential.access_key_id = "key";
    options.location.credential.secret_access_key = "secret";
    options.patience = PatienceOfTest();
    Result<std::unique_ptr<ObjectStore>> opened = OutsideStore::Open(dir_ / "store", options, &clock_, &random_);
    if (!opened.ok()) return opened.error();
    store_ = std::move(*opened);
    return {};
  }
  Result<ObjectInfo> Put(const std::string& key, const std::string& bytes, PutOptions options = {}) {
    Result<std::unique_ptr<ObjectWriter>> writer = store_->StartPut("bucket", key, std::move(options));
    if (!writer.ok()) return writer.error();
    if (Status appended = (*writer)->Append(bytes); !appended.ok()) return appended.error();
    return (*writer)->Commit();
  }
  std::string Get(const std::string& key) {
    const Result<std::string> bytes = ReadBytes(*store_, "bucket", key, 256 << 20);
    return bytes.ok() ? *bytes : "(" + std::string(ErrorCodeName(bytes.error().code())) + ")";
  }
  static std::string ReadAt(const OpenObject& object, uint64_t offset, size_t length) {
    if (!Fetch(object, offset, length).ok()) return "(failed)";
    std::string out(length, '\0');
    EXPECT_EQ(pread(object.file->get(), out.data(), length, static_cast<off_t>(offset)), static_cast<ssize_t>(length));
    return out;
  }
  // A file of the test's own, to be published.
  std::filesystem::path File(const std::string& bytes) {
    const std::filesystem::path path = dir_ / "file";
    EXPECT_TRUE(WriteFileAtomically(path, bytes).ok());
    return path;
  }

  std::filesystem::path dir_;
  SystemClock clock_;
  SystemRandom random_;
  FaultyS3 server_;
  std::mutex mutex_;
  std::vector<Duration> pauses_;
  std::unique_ptr<ObjectStore> store_;
};

}  // namespace argosy::objectstore
