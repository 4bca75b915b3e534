// Uploads in parts that lie outside, with what this server knows of each (upload_records.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/thread_pool.h"
#include "objectstore/object_store.h"
#include "objectstore/outside/s3_client.h"
#include "objectstore/outside/upload_records.h"

namespace argosy::objectstore {

// Thread-safe. That the bucket is there, and that one upload is not completed and aborted at the same time, is for the
// caller to see to.
class OutsideUploads {
 public:
  OutsideUploads(S3Client* client, ThreadPool* pool) : client_(client), pool_(pool), records_(client) {}

  Result<std::string> Create(std::string_view bucket, std::string_view key, UploadOptions options, Time now);
  // kNotFound also when the upload is another key's.
  Result<UploadInfo> Find(std::string_view bucket, std::string_view key, std::string_view upload_id) {
    return records_.Find(bucket, key, upload_id);
  }
  Result<std::vector<PartInfo>> ListParts(std::string_view bucket, std::string_view key, std::string_view upload_id);
  // The parts as they lie there; kInvalidArgument when one is not there or has another ETag.
  Result<std::vector<PartInfo>> Choose(std::string_view bucket, std::string_view key, std::string_view upload_id,
                                       const std::vector<CompletedPart>& parts);
  // The upload has been completed.
  Status Forget(std::string_view bucket, std::string_view upload_id) { return records_.Remove(bucket, upload_id); }
  Status Abort(std::string_view bucket, std::string_view key, std::string_view upload_id);
  Status AbortAllOf(std::string_view bucket);
  Result<std::vector<UploadInfo>> List(std::string_view bucket) { return records_.List(bucket, *pool_); }
  // Calls `abort` for those that began, and got their last part, before `before`; gives how many there were.
  Result<size_t> Expire(Time before,
                        const std::function<Status(const std::string& bucket, const UploadInfo& upload)>& abort);

 private:
  S3Client* const client_;
  ThreadPool* const pool_;
  UploadRecords records_;
};

}  // namespace argosy::objectstore
