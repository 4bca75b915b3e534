// Reading the store's files and listing, alone: what the store itself and a process attached to its directory share.
#pragma once

#include <filesystem>
#include <optional>

#include "base/files.h"
#include "objectstore/embedded/index.h"
#include "objectstore/embedded/record.h"
#include "objectstore/object_store.h"

namespace argosy::objectstore {

enum class Agreement { kAgrees, kDisagrees };

// What a look at one key found.
struct Found {
  std::optional<UniqueFd> file;  // nothing: there is no such object
  FileIdentity identity;
  std::optional<IndexRow> row;  // of the index, whether it fits the file or not
  Agreement agreement = Agreement::kAgrees;
};

// Thread-safe.
class FileReader {
 public:
  // `root_fd` is the directory of all buckets, at `root`; it and the index must outlive the reader.
  FileReader(int root_fd, std::filesystem::path root, IndexReader* index)
      : root_fd_(root_fd), root_(std::move(root)), index_(index) {}

  Status HeadBucket(std::string_view bucket) const;
  // kNotFound when there is no such bucket, kInvalidArgument for a key that can be none.
  Result<Found> Look(std::string_view bucket, std::string_view key) const;
  // Of a found file: the index's record where it fits, the file's own otherwise.
  Result<Record> RecordOf(const Found& found) const;
  // The object that a look at this key found; kNotFound when it is none.
  Result<OpenObject> Open(Found found, std::string_view bucket, std::string_view key) const;
  Result<ListPage> List(const ListRequest& request) const;
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) const;

  // Relative to the root.
  static std::string PathOf(std::string_view bucket, std::string_view key);

 private:
  const int root_fd_;
  const std::filesystem::path root_;
  IndexReader* const index_;
};

Error NoSuchKey(std::string_view bucket, std::string_view key);

}  // namespace argosy::objectstore
