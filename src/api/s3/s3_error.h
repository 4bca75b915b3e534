// S3's errors: code, status and sentence, as its clients match and show them.
// Source: Amazon S3 API Reference, "Error responses".
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace argosy::api::s3 {

// The version that every object of a bucket without versioning is.
inline constexpr std::string_view kOnlyVersion = "null";

struct S3Error {
  int status = 500;
  std::string code;
  std::string message;
  std::vector<std::pair<std::string, std::string>> details = {};  // further elements: <Key>, <BucketName>, …
};

S3Error NoSuchBucket(std::string_view bucket);
S3Error NoSuchKey(std::string_view key);
S3Error NoSuchVersion(std::string_view key, std::string_view version);
S3Error NoSuchUpload(std::string_view upload_id);
S3Error InvalidArgument(std::string_view name, std::string_view value, std::string_view message);
S3Error InvalidRequest(std::string_view message);
S3Error NotImplemented(std::string_view what);
S3Error MalformedXml();
S3Error PreconditionFailed(std::string_view condition);
S3Error BadDigest(std::string_view what);
S3Error SlowDown();

// For what has no meaning of its own in an operation: disk full, I/O, ….
S3Error FromStoreError(const Error& error);

enum class ErrorBody { kXml, kNone };  // none: the answer to a HEAD
http::Response ErrorResponse(const S3Error& error, std::string_view resource, std::string_view request_id,
                             ErrorBody body);

// The headers that every answer carries.
void SetRequestIds(http::Response& response, std::string_view request_id);

}  // namespace argosy::api::s3
