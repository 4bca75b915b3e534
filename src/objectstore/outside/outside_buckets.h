// The buckets of a store outside: a marker for each, its tags, and who may put something into one that is about to go.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "objectstore/object_store.h"
#include "objectstore/outside/s3_client.h"

namespace argosy::objectstore {

// kNotFound when there is none.
Status HeadBucketOutside(S3Client& client, std::string_view bucket);
Error NoBucketOutside(std::string_view bucket);

// Thread-safe.
class OutsideBuckets {
 public:
  explicit OutsideBuckets(S3Client* client) : client_(client) {}

  // That it is there. Asks the outside once for each: only this store makes and removes them.
  Status Ensure(std::string_view bucket);
  Status Create(std::string_view bucket);
  // `clear` ends what the bucket has besides objects. kUnavailable when it is written to all the time.
  Status Delete(std::string_view bucket, const std::function<Status()>& clear);
  Result<std::vector<BucketInfo>> List() const;
  Status SetTags(std::string_view bucket, const Tags& tags);
  Result<Tags> TagsOf(std::string_view bucket);

  // While it is held no bucket goes.
  std::shared_lock<std::shared_timed_mutex> Hold() { return std::shared_lock(going_mutex_); }

 private:
  void Forget(std::string_view bucket);

  S3Client* const client_;
  std::mutex making_mutex_;              // a bucket comes or goes
  std::shared_timed_mutex going_mutex_;  // exclusive: a bucket goes; shared: something is put into one
  std::mutex known_mutex_;
  uint64_t deletions_ = 0;                    // guarded by known_mutex_
  std::set<std::string, std::less<>> known_;  // buckets that are there; guarded by known_mutex_
};

}  // namespace argosy::objectstore
