// Uploads in parts that the server has begun outside by itself, for objects too large for one PUT: each is noted in a
// file, so that none is left there for good by a crash, or by an outside that was away when it was to be aborted.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/result.h"
#include "objectstore/outside/s3_client.h"

namespace argosy::objectstore {

// Thread-safe.
class UnfinishedUploads {
 public:
  // The client must outlive it.
  static Result<std::unique_ptr<UnfinishedUploads>> Open(std::filesystem::path dir, S3Client* client);

  // An upload has begun. Written at once, but not durable: a power cut may leave one outside.
  Status Note(const std::string& key, const std::string& upload_id);
  // It has been completed.
  void Forget(const std::string& upload_id);
  // It has come to nothing. One that cannot be aborted now stays for Sweep.
  void Abort(const std::string& key, const std::string& upload_id);

  // Aborts those that were left over. One that cannot be is left for the next time, and the log says so.
  void Sweep();

 private:
  UnfinishedUploads(std::filesystem::path dir, S3Client* client) : dir_(std::move(dir)), client_(client) {}
  std::filesystem::path NoteOf(const std::string& upload_id) const;
  void End(const std::string& upload_id);

  const std::filesystem::path dir_;
  S3Client* const client_;
  std::mutex mutex_;
  std::set<std::filesystem::path> under_way_;  // notes of uploads that go on; guarded by mutex_
};

}  // namespace argosy::objectstore
