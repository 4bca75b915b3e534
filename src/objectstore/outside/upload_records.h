// What this server knows of uploads in parts that are under way outside: an object of JSON for each, below
// <prefix>.argosy-uploads/<bucket>/, since not every outside lists uploads by prefix, and none tells all that was said
// when one began.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"
#include "objectstore/object_store.h"
#include "objectstore/outside/s3_client.h"

namespace argosy::objectstore {

// Where the parts of our layout lie outside.
std::string ObjectKey(const Location& location, std::string_view bucket, std::string_view key);
std::string BucketMarkerKey(const Location& location, std::string_view bucket);
std::string BucketTagsKey(const Location& location, std::string_view bucket);

// All names below a prefix, page after page; kInvalidArgument past `keys_max`.
Result<std::vector<ObjectInfo>> ListOutside(S3Client& client, const std::string& prefix, size_t keys_max);
Result<ListPage> ListPageOutside(S3Client& client, std::map<std::string, std::string> query);
Status PutSmallOutside(S3Client& client, const std::string& key, std::string bytes);
Result<std::string> GetSmallOutside(S3Client& client, const std::string& key);
// One that is not there is no error.
Status DeleteOutside(S3Client& client, const std::string& key);

inline constexpr size_t kUploadsMax = 10'000;  // unfinished, of one bucket: each is read to be listed

class UploadRecords {
 public:
  explicit UploadRecords(S3Client* client) : client_(client) {}

  Status Write(std::string_view bucket, const UploadInfo& info);
  // kNotFound also when the upload is another key's.
  Result<UploadInfo> Find(std::string_view bucket, std::string_view key, std::string_view upload_id);
  Status Remove(std::string_view bucket, std::string_view upload_id);
  Result<std::vector<UploadInfo>> List(std::string_view bucket, ThreadPool& pool);  // by key, then by time
  // Of all buckets, those that were begun before that time.
  struct Old {
    std::string bucket;
    UploadInfo info;
  };
  Result<std::vector<Old>> ListOld(Time before);

 private:
  Result<UploadInfo> Read(const std::string& record_key);

  S3Client* const client_;
};

}  // namespace argosy::objectstore
