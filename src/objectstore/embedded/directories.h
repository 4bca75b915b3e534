// The directories of buckets/: made durably when an object needs them, removed when the last object in them has gone.
#pragma once

#include <filesystem>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/files.h"
#include "base/result.h"

namespace argosy::objectstore {

// Thread-safe. Paths are relative to the root and begin with a bucket's name.
class Directories {
 public:
  explicit Directories(UniqueFd root) : root_(std::move(root)) {}

  int root() const { return root_.get(); }

  // The directories above the file `path`, below the bucket's own, exist and would survive a power cut. kNotFound when
  // the bucket is not there. They may be pruned again before they are used: the user finds ENOENT and asks again.
  Status EnsureParents(std::string_view path);

  // Removes the directories above `path` that are empty, up to but without the bucket's own.
  void PruneParents(std::string_view path);

  // Removes the bucket's directory with all empty ones in it; kConflict when there is any file.
  Status RemoveEmptyBucket(std::string_view bucket);

  Status Sync(std::string_view directory) const;

  // What has been removed below `directory` stays removed: syncs it, or when it is gone itself the nearest one above.
  Status SyncRemoval(std::string_view directory) const;

 private:
  Status RemoveEmptyTree(int parent_fd, const std::string& name, int depth) const;

  const UniqueFd root_;
  std::shared_mutex mutex_;                  // held exclusively while directories come and go
  std::unordered_set<std::string> durable_;  // known to be there and on disk; guarded by mutex_
};

}  // namespace argosy::objectstore
