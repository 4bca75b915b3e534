// Uploads in parts, on disk: a directory for each, holding upload.json and a file for each part. They need no index:
// what a part is stands in its own attribute, or is read from its bytes where the file system has none.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "objectstore/embedded/embedded_store.h"
#include "objectstore/embedded/staging.h"
#include "objectstore/object_store.h"

namespace argosy::objectstore {

// Thread-safe. Completing and aborting one upload at the same time is for the caller to prevent.
class Uploads {
 public:
  static Result<std::unique_ptr<Uploads>> Open(std::filesystem::path dir, StagingArea* staging, const Clock* clock,
                                               Random* random, StepHook hook);

  Result<std::string> Create(std::string_view bucket, std::string_view key, const UploadOptions& options);
  // kNotFound also when the upload is another bucket's or key's.
  Result<UploadInfo> Find(std::string_view bucket, std::string_view key, std::string_view upload_id) const;
  Result<std::unique_ptr<ObjectWriter>> StartPart(std::string_view upload_id, int number);
  Result<std::vector<PartInfo>> ListParts(std::string_view upload_id) const;  // by number
  Status AppendPart(std::string_view upload_id, const PartInfo& part, StagedFile& whole) const;
  Status Remove(std::string_view upload_id);
  Result<std::vector<UploadInfo>> List(std::string_view bucket) const;
  Status RemoveAllOf(std::string_view bucket);
  // Calls `abort` for each upload that began, and got its last part, before `before`; gives how many were aborted.
  Result<size_t> Expire(Time before, const std::function<Status(const std::string& upload_id)>& abort);

 private:
  class PartWriter;
  struct Described {
    std::string bucket;
    UploadInfo info;
  };
  Uploads(std::filesystem::path dir, StagingArea* staging, const Clock* clock, Random* random, StepHook hook);
  Result<Described> Read(const std::string& upload_id) const;
  Status At(std::string_view step) const { return hook_ ? hook_(step) : Status(); }

  const std::filesystem::path dir_;
  StagingArea* const staging_;
  const Clock* const clock_;
  std::mutex random_mutex_;
  Random* const random_;  // guarded by random_mutex_
  const StepHook hook_;
};

}  // namespace argosy::objectstore
