// Objects of the outside that are whole on this machine: files by content, the least recently used let go when they are
// more than allowed.
//
// Several processes share one directory (the server, agents). What has been used within kSparedFor is never let go, so
// that who is told a path can link or open the file; the bound may be passed for that long. And none looks through the
// directory for each file that it keeps, but once it has kept a kLooks-th of what is allowed: many small objects would
// cost the square of their number otherwise.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/files.h"

namespace argosy::objectstore {

inline constexpr auto kSparedFor = std::chrono::minutes(1);
inline constexpr uint64_t kLooks = 32;  // by so many parts the bound may be passed by each process

// A file in the making, removed at the end of this object unless it was kept.
class PartialFile {
 public:
  PartialFile(std::filesystem::path path, std::shared_ptr<UniqueFd> file)
      : path_(std::move(path)), file_(std::move(file)) {}
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::shared_ptr<UniqueFd>& file() const { return file_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
  const std::shared_ptr<UniqueFd> file_;  // for reading and writing
};

// Thread-safe.
class ObjectCache {
 public:
  // Makes the directory, and sweeps what processes that are gone have left half done.
  static Result<std::unique_ptr<ObjectCache>> Open(std::filesystem::path dir, uint64_t bytes_max, const Clock* clock);

  // One content's name: the key outside, its ETag and size.
  static std::string NameOf(std::string_view key, std::string_view etag, uint64_t size);

  // The whole content, open for reading, and marked as used; nothing when it is not here.
  std::optional<UniqueFd> Find(const std::string& name, uint64_t size);
  std::filesystem::path PathOf(const std::string& name) const { return dir_ / "whole" / name; }
  Result<std::unique_ptr<PartialFile>> NewPartial();
  // Makes the finished file the content of that name, and lets others go.
  Status Keep(PartialFile& partial, const std::string& name);

 private:
  ObjectCache(std::filesystem::path dir, uint64_t bytes_max, const Clock* clock)
      : dir_(std::move(dir)), bytes_max_(bytes_max), clock_(clock) {}
  void SweepPartials() const;
  void LetGo(uint64_t kept);

  const std::filesystem::path dir_;
  const uint64_t bytes_max_;
  const Clock* const clock_;
  std::atomic<uint64_t> next_{1};
  std::mutex mutex_;                         // one at a time looks for what to let go
  std::optional<uint64_t> kept_since_look_;  // bytes; nothing: not looked yet. Guarded by mutex_
};

}  // namespace argosy::objectstore
