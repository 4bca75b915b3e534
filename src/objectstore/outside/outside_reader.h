// Reading objects that lie outside, alone: what the store itself and a process attached to its directory share.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"
#include "objectstore/object_store.h"
#include "objectstore/outside/arriving_object.h"
#include "objectstore/outside/listing.h"
#include "objectstore/outside/object_cache.h"
#include "objectstore/outside/s3_client.h"

namespace argosy::objectstore {

// Thread-safe.
class OutsideReader {
 public:
  // All must outlive the reader.
  OutsideReader(S3Client* client, ThreadPool* pool, ObjectCache* cache)
      : world_{client, pool, cache}, listing_(client) {}

  Status HeadBucket(std::string_view bucket) const;
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) const;
  Result<OpenObject> Open(std::string_view bucket, std::string_view key);
  Result<ListPage> List(const ListRequest& request);
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key);

  // Before the key changes: brings what is missing of its versions that somebody has open.
  void FinishReadersOf(std::string_view bucket, std::string_view key);

 private:
  Result<std::shared_ptr<ArrivingObject>> Arrive(const std::string& key, const ObjectInfo& info);

  const ArrivingObject::World world_;
  OutsideListing listing_;
  std::mutex mutex_;
  std::multimap<std::string, std::weak_ptr<ArrivingObject>> arriving_;  // by key outside; guarded by mutex_
};

}  // namespace argosy::objectstore
