// Files on their way into the store.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "objectstore/checksum.h"
#include "objectstore/embedded/record.h"

namespace argosy::objectstore {

// A file in the staging directory. Gone at the end of this object unless it has been renamed away.
class StagedFile {
 public:
  StagedFile(int staging_fd, std::string name, UniqueFd file)
      : staging_fd_(staging_fd), name_(std::move(name)), file_(std::move(file)) {}
  ~StagedFile();
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

  Status Append(std::string_view piece);
  // Appends `size` bytes of an open file, shared or copied inside the kernel where it can; they do not count for Md5().
  Status AppendFile(int source_fd, uint64_t size);

  uint64_t size() const { return size_; }
  std::string Md5() const { return md5_.Digest(); }
  int fd() const { return file_.get(); }
  int directory_fd() const { return staging_fd_; }
  const std::string& name() const { return name_; }

  // Sets the modification time and the record's attribute; gives what the file is from now on. Not yet durable.
  Result<FileIdentity> Seal(Time now, const Record& record);

 private:
  void StartWriteback();

  const int staging_fd_;
  const std::string name_;
  UniqueFd file_;
  uint64_t size_ = 0;
  uint64_t flushed_ = 0;
  Md5Hasher md5_;
};

class StagingArea {
 public:
  // Empties the directory: what lies there was never committed.
  static Result<std::unique_ptr<StagingArea>> Open(const std::filesystem::path& dir);

  Result<std::unique_ptr<StagedFile>> NewFile();
  // A hard link of a finished file, its descriptor open for reading.
  Result<std::unique_ptr<StagedFile>> NewLink(const std::filesystem::path& source);
  std::string NewName() { return std::to_string(next_++); }
  std::filesystem::path PathOf(const std::string& name) const { return dir_ / name; }

 private:
  StagingArea(std::filesystem::path dir, UniqueFd fd) : dir_(std::move(dir)), fd_(std::move(fd)) {}

  const std::filesystem::path dir_;
  const UniqueFd fd_;
  std::atomic<uint64_t> next_{1};
};

// fsync, which unlike fdatasync also keeps times and attributes.
Status SyncWhole(int fd, std::string_view what);

}  // namespace argosy::objectstore
