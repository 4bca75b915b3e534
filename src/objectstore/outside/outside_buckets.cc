#include "objectstore/outside/outside_buckets.h"

#include <chrono>

#include "objectstore/json_texts.h"
#include "objectstore/outside/upload_records.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kBucketsMax = 100'000;                     // listed in one answer
constexpr auto kBucketPatience = std::chrono::seconds(10);  // for writes under way when a bucket is to be deleted

}  // namespace

Error NoBucketOutside(std::string_view bucket) {
  return Error(ErrorCode::kNotFound, "there is no bucket '" + std::string(bucket) + "'");
}

Status HeadBucketOutside(S3Client& client, std::string_view bucket) {
  if (!IsValidBucketName(bucket)) return NoBucketOutside(bucket);
  S3Request request;
  request.method = "HEAD";
  request.key = BucketMarkerKey(client.location(), bucket);
  const Result<http::ClientResponse> answer = client.Send(request);
  if (answer.ok()) return {};
  return answer.error().code() == ErrorCode::kNotFound ? NoBucketOutside(bucket) : answer.error();
}

Status OutsideBuckets::Ensure(std::string_view bucket) {
  uint64_t deletions = 0;
  {
    const std::lock_guard lock(known_mutex_);
    if (known_.contains(bucket)) return {};
    deletions = deletions_;
  }
  Status there = HeadBucketOutside(*client_, bucket);
  if (!there.ok()) return there;
  const std::lock_guard lock(known_mutex_);
  if (deletions == deletions_) known_.emplace(bucket);  // else what was seen may be gone already
  return {};
}

void OutsideBuckets::Forget(std::string_view bucket) {
  const std::lock_guard lock(known_mutex_);
  ++deletions_;
  if (const auto at = known_.find(bucket); at != known_.end()) known_.erase(at);
}

Status OutsideBuckets::Create(std::string_view bucket) {
  if (!IsValidBucketName(bucket)) return InvalidBucketName(bucket);
  const std::lock_guard making(making_mutex_);
  Status there = HeadBucketOutside(*client_, bucket);
  if (there.ok()) return Error(ErrorCode::kAlreadyExists, "the bucket '" + std::string(bucket) + "' exists already");
  if (there.error().code() != ErrorCode::kNotFound) return there;
  return PutSmallOutside(*client_, BucketMarkerKey(client_->location(), bucket), "");
}

Status OutsideBuckets::Delete(std::string_view bucket, const std::function<Status()>& clear) {
  const std::lock_guard making(making_mutex_);
  const std::unique_lock lock(going_mutex_, kBucketPatience);
  if (!lock.owns_lock()) {
    return Error(ErrorCode::kUnavailable, "objects are being written at this moment: the bucket cannot be deleted");
  }
  if (Status there = HeadBucketOutside(*client_, bucket); !there.ok()) return there;
  const Result<ListPage> page =
      ListPageOutside(*client_, {{"prefix", ObjectKey(client_->location(), bucket, "")}, {"max-keys", "1"}});
  if (!page.ok()) return page.error();
  if (!page->objects.empty())
    return Error(ErrorCode::kConflict, "the bucket '" + std::string(bucket) + "' is not empty");
  if (Status cleared = clear(); !cleared.ok()) return cleared;
  Status deleted = DeleteOutside(*client_, BucketTagsKey(client_->location(), bucket));
  if (deleted.ok()) deleted = DeleteOutside(*client_, BucketMarkerKey(client_->location(), bucket));
  Forget(bucket);
  return deleted;
}

Result<std::vector<BucketInfo>> OutsideBuckets::List() const {
  const std::string prefix = BucketMarkerKey(client_->location(), "");
  const Result<std::vector<ObjectInfo>> markers = ListOutside(*client_, prefix, kBucketsMax);
  if (!markers.ok()) return markers.error();
  std::vector<BucketInfo> out;
  for (const ObjectInfo& marker : *markers) {
    std::string name = marker.key.substr(prefix.size());
    if (IsValidBucketName(name)) out.push_back({.name = std::move(name), .created = marker.last_modified});
  }
  return out;
}

Status OutsideBuckets::SetTags(std::string_view bucket, const Tags& tags) {
  const std::lock_guard making(making_mutex_);
  if (Status there = Ensure(bucket); !there.ok()) return there;
  const std::string key = BucketTagsKey(client_->location(), bucket);
  return tags.empty() ? DeleteOutside(*client_, key) : PutSmallOutside(*client_, key, DumpTexts(tags));
}

Result<Tags> OutsideBuckets::TagsOf(std::string_view bucket) {
  if (Status there = Ensure(bucket); !there.ok()) return there.error();
  const Result<std::string> text = GetSmallOutside(*client_, BucketTagsKey(client_->location(), bucket));
  if (text.ok()) return ParseTexts(*text);
  if (text.error().code() == ErrorCode::kNotFound) return Tags();
  return text.error();
}

}  // namespace argosy::objectstore
