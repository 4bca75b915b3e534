// Which bucket of which server holds the objects, and the key to it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "auth/principal.h"
#include "base/result.h"

namespace argosy::objectstore {

inline constexpr size_t kOutsidePrefixBytesMax = 512;  // of a key's 1,024: the rest is for our buckets and keys

struct Location {
  std::string endpoint;  // http[s]://host[:port], no slash at its end
  std::string bucket;
  std::string prefix;  // "" or ends in '/'
  std::string region;
  auth::Credential credential;  // the principal means nothing here

  // s3://bucket/prefix at endpoint, for messages.
  std::string ToString() const;
};

// From what `--object-store` and its companions say. `endpoint` may be empty: Amazon's of that region.
// kInvalidArgument names value and rule.
Result<Location> MakeLocation(std::string_view uri, std::string_view endpoint, std::string_view region);

// The key in an AWS credentials file: of `profile`, or of [default] when that is empty. kNotFound when there is no such
// file or section.
Result<auth::Credential> ReadAwsCredentials(const std::filesystem::path& file, std::string_view profile);

// <dir>/location.json, mode 0600: what another process of this machine needs to read objects.
struct Attachment {
  Location location;
  uint64_t cache_bytes_max = 0;
};
Status WriteLocation(const std::filesystem::path& dir, const Location& location, uint64_t cache_bytes_max);
// kNotFound when there is none.
Result<Attachment> ReadLocation(const std::filesystem::path& dir);

}  // namespace argosy::objectstore
