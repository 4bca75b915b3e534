#include "objectstore/outside/outside_reader.h"

#include "base/log.h"
#include "objectstore/outside/object_transfer.h"
#include "objectstore/outside/outside_buckets.h"
#include "objectstore/outside/upload_records.h"

namespace argosy::objectstore {
namespace {

constexpr int kPathTries = 4;  // each lost to somebody who replaced the object just then

}  // namespace

Status OutsideReader::HeadBucket(std::string_view bucket) const {
  return HeadBucketOutside(*world_.client, bucket);
}

Result<ObjectInfo> OutsideReader::Head(std::string_view bucket, std::string_view key) const {
  if (const Status valid = ValidateKey(key); !valid.ok()) return valid.error();
  if (!IsValidBucketName(bucket)) return NoBucketOutside(bucket);
  Result<ObjectInfo> info = HeadObject(*world_.client, ObjectKey(world_.client->location(), bucket, key));
  if (info.ok()) {
    info->key = std::string(key);
    return info;
  }
  // A name that the outside cannot have is not there. The answer to a HEAD has no words of its own.
  const ErrorCode code = info.error().code();
  if (code != ErrorCode::kNotFound && code != ErrorCode::kInvalidArgument) return info;
  return Error(ErrorCode::kNotFound, "there is no object s3://" + std::string(bucket) + "/" + std::string(key));
}

Result<std::shared_ptr<ArrivingObject>> OutsideReader::Arrive(const std::string& key, const ObjectInfo& info) {
  const std::lock_guard lock(mutex_);
  std::erase_if(arriving_, [](const auto& entry) { return entry.second.expired(); });
  const auto [begin, end] = arriving_.equal_range(key);
  for (auto at = begin; at != end; ++at) {
    std::shared_ptr<ArrivingObject> there = at->second.lock();
    if (there && there->info().etag == info.etag && there->info().size == info.size && !there->failed()) return there;
  }
  Result<std::unique_ptr<PartialFile>> partial = world_.cache->NewPartial();
  if (!partial.ok()) return partial.error();
  auto made = std::make_shared<ArrivingObject>(world_, key, info, std::move(*partial));
  arriving_.emplace(key, made);
  return made;
}

Result<OpenObject> OutsideReader::Open(std::string_view bucket, std::string_view key) {
  Result<ObjectInfo> info = Head(bucket, key);
  if (!info.ok()) return info.error();
  const std::string outside = ObjectKey(world_.client->location(), bucket, key);
  std::optional<UniqueFd> whole = world_.cache->Find(ObjectCache::NameOf(outside, info->etag, info->size), info->size);
  if (whole) {
    return OpenObject{.file = std::make_shared<UniqueFd>(std::move(*whole)), .info = std::move(*info)};
  }
  if (info->size == 0) {
    Result<std::unique_ptr<PartialFile>> nothing = world_.cache->NewPartial();
    if (!nothing.ok()) return nothing.error();
    return OpenObject{.file = (*nothing)->file(), .info = std::move(*info)};
  }
  const Result<std::shared_ptr<ArrivingObject>> arriving = Arrive(outside, *info);
  if (!arriving.ok()) return arriving.error();
  return OpenObject{.file = (*arriving)->file(), .info = std::move(*info), .arriving = *arriving};
}

Result<std::filesystem::path> OutsideReader::LocalPath(std::string_view bucket, std::string_view key) {
  const std::string outside = ObjectKey(world_.client->location(), bucket, key);
  for (int tries = 0;; ++tries) {
    const Result<ObjectInfo> info = Head(bucket, key);
    if (!info.ok()) return info.error();
    const std::string name = ObjectCache::NameOf(outside, info->etag, info->size);
    if (world_.cache->Find(name, info->size)) return world_.cache->PathOf(name);
    Status fetched;
    if (info->size == 0) {
      Result<std::unique_ptr<PartialFile>> nothing = world_.cache->NewPartial();
      fetched = nothing.ok() ? world_.cache->Keep(**nothing, name) : nothing.error();
    } else {
      const Result<std::shared_ptr<ArrivingObject>> arriving = Arrive(outside, *info);
      fetched = arriving.ok() ? (*arriving)->FetchWhole() : arriving.error();
    }
    if (fetched.ok()) return world_.cache->PathOf(name);
    if (fetched.error().code() != ErrorCode::kConflict || tries + 1 == kPathTries) return fetched.error();
  }
}

void OutsideReader::FinishReadersOf(std::string_view bucket, std::string_view key) {
  std::vector<std::shared_ptr<ArrivingObject>> open;
  {
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = arriving_.equal_range(ObjectKey(world_.client->location(), bucket, key));
    for (auto at = begin; at != end; ++at) {
      if (auto there = at->second.lock()) open.push_back(std::move(there));
    }
  }
  for (const auto& object : open) {
    const Status fetched = object->Fetch(0, object->info().size);
    if (fetched.ok()) continue;
    Log(LogLevel::kWarning, "who reads this object will not get its end",
        {{"bucket", std::string(bucket)}, {"key", std::string(key)}, {"error", fetched.error().message()}});
  }
}

Result<ListPage> OutsideReader::List(const ListRequest& request) {
  const Status there = HeadBucket(request.bucket);
  return there.ok() ? listing_.List(request) : there.error();
}

}  // namespace argosy::objectstore
