// One version of an object on its way here: a sparse file, filled by ranges in the order in which they are asked for.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/arriving_file.h"
#include "base/thread_pool.h"
#include "objectstore/object_store.h"
#include "objectstore/outside/object_cache.h"
#include "objectstore/outside/s3_client.h"

namespace argosy::objectstore {

inline constexpr uint64_t kRangeBytes = 8 << 20;   // fetched by one request
inline constexpr size_t kRangesAhead = 4;          // under way for one reader
inline constexpr uint64_t kToldBytes = 256 << 10;  // of a range that comes: readers are told of so many at a time

// Thread-safe. Hold it by shared_ptr. An error is for good.
class ArrivingObject final : public ArrivingFile, public std::enable_shared_from_this<ArrivingObject> {
 public:
  // What all of them use; must outlive them.
  struct World {
    S3Client* client;
    ThreadPool* pool;  // where ranges are fetched
    ObjectCache* cache;
  };
  // `info` is of the object `key` outside, and not empty.
  ArrivingObject(World world, std::string key, ObjectInfo info, std::unique_ptr<PartialFile> partial);

  Result<uint64_t> Await(uint64_t offset, uint64_t length, Task changed) override;
  Status Fetch(uint64_t offset, uint64_t length) override;

  // Blocks until all has come, has been compared with ETag or checksum, and is in the cache.
  Status FetchWhole();
  const std::shared_ptr<UniqueFd>& file() const { return partial_->file(); }
  const ObjectInfo& info() const { return info_; }
  bool failed() const;

 private:
  enum class RangeState : uint8_t { kAbsent, kComing, kHere };
  struct Range {
    RangeState state = RangeState::kAbsent;
    uint64_t arrived = 0;  // bytes in the file, from its first; never less, though an attempt may begin anew
  };
  static uint64_t BeginOf(size_t range) { return range * kRangeBytes; }
  uint64_t LengthOf(size_t range) const { return std::min(kRangeBytes, info_.size - BeginOf(range)); }
  // Under mutex_: starts what is missing of the first ranges of that place.
  void Order(uint64_t offset, uint64_t length);
  uint64_t Present(uint64_t offset, uint64_t length) const;
  void Bring(size_t range);  // on the pool
  Status BringOnce(size_t range);
  void Arrived(size_t range, uint64_t bytes);
  void Finish();
  Status Verify() const;
  void Tell(std::unique_lock<std::mutex> lock);

  const World world_;
  const std::string key_;
  const ObjectInfo info_;
  const std::unique_ptr<PartialFile> partial_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Range> ranges_;  // guarded by mutex_, as all below
  size_t missing_;
  bool finished_ = false;
  Status failure_;
  std::vector<Task> waiting_;
};

// kCorrupt when the bytes of an open file are not those that ETag or checksum speak of. An object whose ETag is no MD5
// and that has no checksum of its whole has only its length compared.
Status VerifyContent(int fd, const ObjectInfo& info);

}  // namespace argosy::objectstore
