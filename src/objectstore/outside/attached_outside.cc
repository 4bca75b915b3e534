#include <utility>

#include "base/thread_pool.h"
#include "objectstore/outside/outside_reader.h"
#include "objectstore/outside/outside_store.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kAttachedThreads = 8;      // ranges under way: an agent fetches for itself alone
constexpr size_t kAttachedQueueMax = 1024;  // kRangesAhead for each object that it has open

// Another process's view: it reads, and shares what it fetches in the cache.
class AttachedOutside final : public ObjectReader {
 public:
  AttachedOutside(std::unique_ptr<ObjectCache> cache, Location location, const Clock* clock, Random* random)
      : cache_(std::move(cache)),
        client_(std::move(location), {}, clock, random),
        pool_("outside", kAttachedThreads, kAttachedQueueMax),
        reader_(&client_, &pool_, cache_.get()) {}

  Status HeadBucket(std::string_view bucket) override { return reader_.HeadBucket(bucket); }
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) override { return reader_.Head(bucket, key); }
  Result<OpenObject> Open(std::string_view bucket, std::string_view key) override { return reader_.Open(bucket, key); }
  Result<ListPage> List(const ListRequest& request) override { return reader_.List(request); }
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override {
    return reader_.LocalPath(bucket, key);
  }

 private:
  const std::unique_ptr<ObjectCache> cache_;
  S3Client client_;
  ThreadPool pool_;
  OutsideReader reader_;
};

}  // namespace

Result<std::unique_ptr<ObjectReader>> OutsideStore::Attach(const std::filesystem::path& given, const Clock* clock,
                                                           Random* random) {
  const std::filesystem::path dir = std::filesystem::absolute(given);
  Result<Attachment> found = ReadLocation(dir);
  if (!found.ok()) return found.error();
  Result<std::unique_ptr<ObjectCache>> cache = ObjectCache::Open(dir / "cache", found->cache_bytes_max, clock);
  if (!cache.ok()) return cache.error();
  return std::unique_ptr<ObjectReader>(
      std::make_unique<AttachedOutside>(std::move(*cache), std::move(found->location), clock, random));
}

}  // namespace argosy::objectstore
