// An object that goes outside in parts, a few of them at once, each as soon as its bytes are here.
//
// One thread begins, sends and completes; parts pass on the pool. An upload that has not been completed at the end of
// its sender is aborted, once its parts under way have ended.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/thread_pool.h"
#include "objectstore/object_store.h"
#include "objectstore/outside/s3_client.h"
#include "objectstore/outside/unfinished_uploads.h"

namespace argosy::objectstore {

class PartsSender {
 public:
  // What all of them use; must outlive them, and the pool's threads end before the rest.
  struct World {
    S3Client* client;
    ThreadPool* pool;
    UnfinishedUploads* unfinished;
  };
  // `key` as it will lie outside. Parts get checksums where the options name an algorithm.
  static Result<std::unique_ptr<PartsSender>> Begin(World world, const std::string& key, UploadOptions options);
  ~PartsSender();
  PartsSender(const PartsSender&) = delete;
  PartsSender& operator=(const PartsSender&) = delete;

  // The next part, as it lies in a file. Waits while kPartsAtOnce are under way. An error is that of any part so far.
  // `sent`, once the outside has it, and whatever it holds go with the part.
  Status Send(const std::filesystem::path& file, uint64_t offset, uint64_t length, std::function<void()> sent);
  // Waits for all that is under way.
  Status AwaitAll();
  // After AwaitAll. At most once.
  Result<ObjectInfo> Complete(const Precondition& precondition, const std::optional<Checksum>& whole);

 private:
  struct Shared;
  explicit PartsSender(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  const std::shared_ptr<Shared> shared_;
};

}  // namespace argosy::objectstore
