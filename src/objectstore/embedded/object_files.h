// The objects of the embedded store as files with their rows in the index: how one comes, is found, changes its tags
// and goes, so that file and row agree again after a crash at any step.
#pragma once

#include <filesystem>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "objectstore/embedded/directories.h"
#include "objectstore/embedded/embedded_store.h"
#include "objectstore/embedded/file_reader.h"
#include "objectstore/embedded/index.h"
#include "objectstore/embedded/record.h"
#include "objectstore/embedded/staging.h"
#include "objectstore/object_store.h"
#include "objectstore/stripes.h"

namespace argosy::objectstore {

// Thread-safe.
class ObjectFiles {
 public:
  // `root` is the directory of all buckets, in the store's directory `dir`. The writer has been started.
  ObjectFiles(const Clock* clock, StepHook hook, UniqueFd root, const std::filesystem::path& dir,
              std::unique_ptr<IndexWriter> writer);

  // kAlreadyExists.
  Status MakeBucket(std::string_view bucket);
  // kConflict unless it is empty.
  Status RemoveBucket(std::string_view bucket);
  Result<std::vector<BucketInfo>> ListBuckets() const;
  // That the bucket is there, and the key can be one.
  Status ValidatePlace(std::string_view bucket, std::string_view key) const;

  Result<OpenObject> Open(std::string_view bucket, std::string_view key);
  // Makes the staged file the object; on any error before the rename nothing has happened.
  Result<ObjectInfo> Commit(StagedFile& staged, std::string_view bucket, std::string_view key, const Record& record,
                            const Precondition& precondition);
  Status Delete(std::string_view bucket, std::string_view key, const Precondition& precondition);
  Status SetTags(std::string_view bucket, std::string_view key, Tags tags);

  // Listing, and what needs no healing.
  const FileReader& reader() const { return reader_; }

 private:
  Status At(std::string_view step) const { return hook_ ? hook_(step) : Status(); }
  Status CheckPlace(std::string_view bucket, std::string_view key, const Precondition& precondition) const;
  Status RenameInto(const StagedFile& staged, const std::string& path);
  // A look whose index row fits the file: a row that does not is made anew first.
  Result<Found> LookAndHeal(std::string_view bucket, std::string_view key);

  const Clock* const clock_;
  const StepHook hook_;
  Directories directories_;
  IndexReader index_;
  const FileReader reader_;
  std::shared_mutex buckets_mutex_;  // exclusive: a bucket comes or goes; shared: a file is put into one
  Stripes stripes_;
  const std::unique_ptr<IndexWriter> writer_;  // last, so that its thread ends first
};

}  // namespace argosy::objectstore
