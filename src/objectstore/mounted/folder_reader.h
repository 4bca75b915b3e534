// A folder of this machine as a bucket, for reading only: each ordinary file in it is an object whose key is its path
// below the folder.
//
// Files change when their owner changes them. The ETag is made of inode, size and time, and has the form of an upload
// in parts, so that no client takes it for the MD5 of the bytes. A link counts when it leads to a file in the folder;
// links to folders, and out of it, do not. Names that no key can have (not UTF-8, too long) are not shown.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "objectstore/embedded/record.h"
#include "objectstore/object_store.h"

namespace argosy::objectstore {

// The bucket's name is the caller's affair: it is not looked at but for messages.
class FolderReader final : public ObjectReader {
 public:
  // kNotFound, kInvalidArgument when it is no folder, kPermissionDenied.
  static Result<std::unique_ptr<FolderReader>> Open(const std::filesystem::path& folder);

  Status HeadBucket(std::string_view bucket) override;
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) override;
  Result<OpenObject> Open(std::string_view bucket, std::string_view key) override;
  Result<ListPage> List(const ListRequest& request) override;
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override;

 private:
  struct Entry {
    std::string name;  // of a folder with a slash behind, so that entries sort as the keys below them do
    FileIdentity identity;
  };
  using Entries = std::vector<Entry>;
  class Walk;

  FolderReader(std::filesystem::path folder, UniqueFd root) : folder_(std::move(folder)), root_(std::move(root)) {}
  // What the folder at `directory` ("" or ending in a slash) holds, sorted.
  Result<std::shared_ptr<const Entries>> ReadEntries(const std::string& directory);
  Result<std::shared_ptr<const Entries>> ReadAnew(const UniqueFd& fd, const std::string& directory) const;

  const std::filesystem::path folder_;
  const UniqueFd root_;
  // The last large folder that was read: its pages are asked for one after the other.
  std::mutex mutex_;
  std::string kept_directory_;           // guarded by mutex_
  FileIdentity kept_identity_;           // guarded by mutex_
  std::shared_ptr<const Entries> kept_;  // guarded by mutex_
};

}  // namespace argosy::objectstore
