// The LogStore of the running program: one append-only file a stream, in the spool format, a folder a group.
//
//   <directory>/<group, escaped>/<stream, escaped>.log       docs/formats/log_store.md
//
// A file's complete length is the spool offset, so nothing else has to be kept: what is lost with a power cut is sent
// again. AppendSpool returns once the bytes would survive one. Memory is bounded by what one call reads; no file stays
// open.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <mutex>

#include "base/files.h"
#include "observe/log_store.h"

namespace argosy::observe {

class FileLogStore final : public LogStore {
 public:
  // Makes `directory` when it is not there.
  // In place of fdatasync: for tests.
  using Sync = std::function<Status(int fd)>;
  static Result<std::unique_ptr<FileLogStore>> Open(const std::filesystem::path& directory, Sync sync = nullptr);

  Status AppendSpool(const std::string& group, const std::string& stream, uint64_t offset,
                     std::string_view spool) override;
  uint64_t SpoolOffset(const std::string& group, const std::string& stream) override;
  std::vector<LogGroupInfo> Groups(std::string_view prefix) override;
  Result<std::vector<std::string>> StreamNames(const std::string& group, std::string_view prefix) override;
  Result<LogStreamInfo> Describe(const std::string& group, const std::string& stream) override;
  Result<uint64_t> Seek(const std::string& group, const std::string& stream, Time time) override;
  Result<Read> ReadForward(const std::string& group, const std::string& stream, uint64_t position, size_t events_max,
                           size_t bytes_max) override;
  Result<Read> ReadBackward(const std::string& group, const std::string& stream, uint64_t position, size_t events_max,
                            size_t bytes_max) override;

 private:
  FileLogStore(std::filesystem::path directory, Sync sync) : directory_(std::move(directory)), sync_(std::move(sync)) {}

  Result<std::filesystem::path> GroupPath(const std::string& group) const;
  Result<std::filesystem::path> StreamPath(const std::string& group, const std::string& stream) const;
  Result<UniqueFd> OpenStream(const std::string& group, const std::string& stream) const;

  const std::filesystem::path directory_;
  const Sync sync_;
  // Appends to one stream follow one another; streams share locks by hash, since appends are short.
  std::array<std::mutex, 16> append_mutexes_;
};

// A name as one component of a path: all but letters, digits and - _ . ~ as %XX, a leading dot too. kInvalidArgument
// when that is longer than file systems take.
Result<std::string> EscapeLogName(std::string_view name);

}  // namespace argosy::observe
