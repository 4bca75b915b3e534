// One S3 request, owned: what the loop copies out of the connection before a pool thread works on it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/s3/s3_error.h"
#include "auth/principal.h"
#include "http/message.h"

namespace argosy::api::s3 {

enum class Operation {
  kListBuckets,
  kCreateBucket,
  kHeadBucket,
  kDeleteBucket,
  kGetBucketLocation,
  kGetBucketVersioning,
  kGetSetting,  // a sub-resource that nobody can set: of a bucket or an object
  kGetBucketTagging,
  kPutBucketTagging,
  kDeleteBucketTagging,
  kListObjectVersions,
  kListObjects,
  kListObjectsV2,
  kListMultipartUploads,
  kDeleteObjects,
  kPutObject,
  kCopyObject,
  kGetObject,
  kGetObjectTagging,
  kPutObjectTagging,
  kDeleteObjectTagging,
  kGetObjectAttributes,
  kHeadObject,
  kDeleteObject,
  kCreateMultipartUpload,
  kUploadPart,
  kUploadPartCopy,
  kCompleteMultipartUpload,
  kAbortMultipartUpload,
  kListParts,
};
inline constexpr Operation kLastOperation = Operation::kListParts;

struct Request {
  Operation operation = Operation::kListBuckets;
  std::string method;
  std::string resource;  // the path as sent, for error messages
  std::string bucket;
  std::string key;
  std::map<std::string, std::string> parameters;             // decoded
  std::vector<std::pair<std::string, std::string>> headers;  // lower-case names
  std::string body;
  std::string request_id;
  const auth::Principal* asker = nullptr;  // lives as long as the exchange

  std::string_view Header(std::string_view name) const;  // lower-case name; empty when absent
  bool HasHeader(std::string_view name) const;
  std::string_view Parameter(std::string_view name) const;
  bool HasParameter(std::string_view name) const { return parameters.contains(std::string(name)); }
  // All headers that begin so, without the beginning.
  std::map<std::string, std::string> HeadersFrom(std::string_view prefix) const;
};

// Everything but the body. Says which operation it is, or why it is none that this server has: an unknown sub-resource
// or parameter is refused by its name, never overlooked.
std::variant<Request, S3Error> ReadHead(const http::RequestView& view, std::string_view request_id);

// Operations whose body is the data of an object or part, to be streamed.
bool HasStreamedBody(Operation operation);

}  // namespace argosy::api::s3
