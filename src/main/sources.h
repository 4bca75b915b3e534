// What people name as data: paths, folders, globs, s3:// alike.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "main/api_client.h"

namespace argosy::main {

struct LocalFile {
  std::filesystem::path path;
  std::string name;  // unlike all others' of the set; the last part of the object's key
  uint64_t size = 0;
};

// Either local files or one s3:// prefix.
struct SourceSet {
  std::vector<LocalFile> files;  // by name
  std::string s3_uri;

  bool local() const { return s3_uri.empty(); }
  uint64_t bytes() const;
};

inline constexpr size_t kSourceFilesMax = 10000;  // more belong in a bucket, uploaded once

// A folder means all regular files below it, hidden ones left out; what is no file may be a glob. kNotFound and
// kInvalidArgument name the source at fault.
Result<SourceSet> ExpandSources(const std::vector<std::string>& sources);

// Puts local files where a job can read them and gives the s3:// prefix. The prefix holds a digest of names and
// contents, so that unchanged files are found there and not sent again. `progress` is told bytes done of all.
struct Upload {
  std::string s3_uri;
  uint64_t bytes_sent = 0;  // 0 when all was there
};
Result<Upload> UploadFiles(ApiClient& client, const std::string& bucket, const SourceSet& set,
                           const std::function<void(uint64_t)>& progress);

// SHA-256 of a file's bytes, read piece by piece.
Result<std::string> FileDigest(const std::filesystem::path& path);

bool IsS3Uri(std::string_view text);

// s3://bucket/key/prefix → bucket, key.
struct S3Location {
  std::string bucket;
  std::string key;
};
Result<S3Location> ParseS3Location(std::string_view uri);

// Whether there is an object of this s3:// URI.
Result<bool> IsThere(ApiClient& client, std::string_view s3_uri);

// The objects under an s3:// URI as files of a temporary directory, which goes with this.
class Downloads {
 public:
  static Result<Downloads> Of(ApiClient& client, std::string_view s3_uri);
  ~Downloads();
  Downloads(Downloads&& other) noexcept
      : directory_(std::exchange(other.directory_, {})), files_(std::move(other.files_)) {}
  Downloads& operator=(Downloads&&) = delete;

  const std::vector<std::filesystem::path>& files() const { return files_; }  // by key

 private:
  Downloads() = default;
  std::string directory_;
  std::vector<std::filesystem::path> files_;
};

// A SageMaker name (letters, digits, hyphens; at most 63) made of `stem` and, unless empty, `suffix`.
std::string MakeName(std::string_view stem, std::string_view suffix);
// "20240501-123456-789" in UTC: makes names unique and sorts them by time.
std::string TimeSuffix(Time now);
// Whether `name` is `stem` with a TimeSuffix, whole: of a stem that MakeName had to cut nobody can tell.
bool IsNameOf(std::string_view stem, std::string_view name);

}  // namespace argosy::main
