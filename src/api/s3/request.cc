#include "api/s3/request.h"

#include <algorithm>
#include <span>

#include "api/s3/headers.h"
#include "api/s3/settings.h"
#include "auth/presigned.h"
#include "base/bytes.h"
#include "objectstore/object_store.h"

namespace argosy::api::s3 {
namespace {

enum class Level { kService, kBucket, kObject };

// An operation is told by method, level, the parameters that must be there (the first is the sub-resource), and for
// copies a header. The first row that fits counts.
struct Route {
  std::string_view method;
  Level level;
  std::vector<std::string_view> required;
  bool copy;
  Operation operation;
  std::vector<std::string_view> optional;
};

const std::vector<Route>& Routes() {
  static const std::vector<std::string_view> kOfReads = {
      "response-content-type",        "response-content-language", "response-expires", "response-cache-control",
      "response-content-disposition", "response-content-encoding", "partNumber"};
  static const std::vector<Route> routes = {
      {"GET",
       Level::kService,
       {},
       false,
       Operation::kListBuckets,
       {"max-buckets", "continuation-token", "prefix", "bucket-region"}},

      {"PUT", Level::kBucket, {"tagging"}, false, Operation::kPutBucketTagging, {}},
      {"DELETE", Level::kBucket, {"tagging"}, false, Operation::kDeleteBucketTagging, {}},
      {"PUT", Level::kBucket, {}, false, Operation::kCreateBucket, {}},
      {"HEAD", Level::kBucket, {}, false, Operation::kHeadBucket, {}},
      {"DELETE", Level::kBucket, {}, false, Operation::kDeleteBucket, {}},
      {"GET", Level::kBucket, {"location"}, false, Operation::kGetBucketLocation, {}},
      {"GET", Level::kBucket, {"versioning"}, false, Operation::kGetBucketVersioning, {}},
      {"GET", Level::kBucket, {"tagging"}, false, Operation::kGetBucketTagging, {}},
      {"GET",
       Level::kBucket,
       {"versions"},
       false,
       Operation::kListObjectVersions,
       {"prefix", "delimiter", "max-keys", "key-marker", "version-id-marker", "encoding-type"}},
      {"GET",
       Level::kBucket,
       {"uploads"},
       false,
       Operation::kListMultipartUploads,
       {"prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"}},
      {"GET",
       Level::kBucket,
       {"list-type"},
       false,
       Operation::kListObjectsV2,
       {"prefix", "delimiter", "max-keys", "start-after", "continuation-token", "encoding-type", "fetch-owner"}},
      {"GET",
       Level::kBucket,
       {},
       false,
       Operation::kListObjects,
       {"prefix", "delimiter", "max-keys", "marker", "encoding-type"}},
      {"POST", Level::kBucket, {"delete"}, false, Operation::kDeleteObjects, {}},

      {"PUT", Level::kObject, {"uploadId", "partNumber"}, true, Operation::kUploadPartCopy, {}},
      {"PUT", Level::kObject, {"uploadId", "partNumber"}, false, Operation::kUploadPart, {}},
      {"PUT", Level::kObject, {"tagging"}, false, Operation::kPutObjectTagging, {}},
      {"PUT", Level::kObject, {}, true, Operation::kCopyObject, {}},
      {"PUT", Level::kObject, {}, false, Operation::kPutObject, {}},
      {"GET",
       Level::kObject,
       {"uploadId"},
       false,
       Operation::kListParts,
       {"max-parts", "part-number-marker", "encoding-type"}},
      {"GET", Level::kObject, {"tagging"}, false, Operation::kGetObjectTagging, {}},
      {"DELETE", Level::kObject, {"tagging"}, false, Operation::kDeleteObjectTagging, {}},
      {"GET", Level::kObject, {"attributes"}, false, Operation::kGetObjectAttributes, {}},
      {"GET", Level::kObject, {}, false, Operation::kGetObject, kOfReads},
      {"HEAD", Level::kObject, {}, false, Operation::kHeadObject, kOfReads},
      {"DELETE", Level::kObject, {"uploadId"}, false, Operation::kAbortMultipartUpload, {}},
      {"DELETE", Level::kObject, {}, false, Operation::kDeleteObject, {}},
      {"POST", Level::kObject, {"uploads"}, false, Operation::kCreateMultipartUpload, {}},
      {"POST", Level::kObject, {"uploadId"}, false, Operation::kCompleteMultipartUpload, {}},
  };
  return routes;
}

// Parameters that say nothing about the operation: the name that some clients add, and those of a presigned signature.
bool IsIgnored(std::string_view name) {
  static constexpr std::string_view kIgnored[] = {"x-id",
                                                  "X-Amz-Algorithm",
                                                  "X-Amz-Credential",
                                                  "X-Amz-Date",
                                                  "X-Amz-Expires",
                                                  "X-Amz-Security-Token",
                                                  "X-Amz-Signature",
                                                  "X-Amz-SignedHeaders",
                                                  "AWSAccessKeyId",
                                                  "Expires",
                                                  "Signature",
                                                  "x-amz-security-token"};
  return std::ranges::find(kIgnored, name) != std::end(kIgnored);
}

bool Contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kService:
      return "the service";
    case Level::kBucket:
      return "a bucket";
    case Level::kObject:
      return "an object";
  }
  return {};
}

}  // namespace

std::string_view Request::Header(std::string_view name) const {
  for (const auto& [header, value] : headers) {
    if (header == name) return value;
  }
  return {};
}

bool Request::HasHeader(std::string_view name) const {
  return std::ranges::any_of(headers, [&](const auto& header) { return header.first == name; });
}

std::string_view Request::Parameter(std::string_view name) const {
  const auto at = parameters.find(std::string(name));
  return at == parameters.end() ? std::string_view() : std::string_view(at->second);
}

std::map<std::string, std::string> Request::HeadersFrom(std::string_view prefix) const {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : headers) {
    if (!name.starts_with(prefix)) continue;
    std::string& held = out[name.substr(prefix.size())];
    held = held.empty() ? value : held + "," + value;  // as HTTP joins repeated headers
  }
  return out;
}

std::variant<Request, S3Error> ReadHead(const http::RequestView& view, std::string_view request_id) {
  Request request;
  request.method = std::string(view.method);
  request.resource = std::string(view.path);
  request.request_id = std::string(request_id);
  for (const http::HeaderView& header : view.headers) {
    request.headers.emplace_back(ToLower(header.name), std::string(header.value));
  }
  S3Error bad_uri{400, "InvalidURI", "Couldn't parse the specified URI."};
  std::string_view query = view.query;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    std::optional<std::string> name = FormDecode(pair.substr(0, equals));
    std::optional<std::string> value = FormDecode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value || !IsValidUtf8(*name) || !IsValidUtf8(*value)) return bad_uri;
    if (IsIgnored(*name)) continue;
    // One that the request has counts more.
    if (std::string header = ToLower(*name); auth::IsHeaderInQuery(header)) {
      if (!request.HasHeader(header)) request.headers.emplace_back(std::move(header), std::move(*value));
      continue;
    }
    if (*name == "versionId" && *value == kOnlyVersion) continue;
    request.parameters.try_emplace(std::move(*name), std::move(*value));
  }
  std::string_view path = view.path;
  if (!path.starts_with('/')) return bad_uri;
  path.remove_prefix(1);
  Level level = Level::kService;
  if (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    std::optional<std::string> bucket = PercentDecode(path.substr(0, slash));
    std::optional<std::string> key = PercentDecode(path.substr(std::min(slash + 1, path.size())));
    if (!bucket || !key) return bad_uri;
    level = key->empty() ? Level::kBucket : Level::kObject;
    if (!objectstore::IsValidBucketName(*bucket)) {
      return S3Error{400,
                     "InvalidBucketName",
                     "The specified bucket is not valid: " + std::string(objectstore::kBucketNameRule) + ".",
                     {{"BucketName", IsValidUtf8(*bucket) ? *bucket : std::string()}}};
    }
    if (key->size() > objectstore::kKeyBytesMax) {
      return S3Error{
          400,
          "KeyTooLongError",
          "Your key is too long",
          {{"Size", std::to_string(key->size())}, {"MaxSizeAllowed", std::to_string(objectstore::kKeyBytesMax)}}};
    }
    if (level == Level::kObject && !objectstore::ValidateKey(*key).ok()) return bad_uri;
    request.bucket = std::move(*bucket);
    request.key = std::move(*key);
  }
  if (std::optional<S3Error> refused = CheckHeaders(request)) return std::move(*refused);

  if (level == Level::kObject && request.HasParameter("versionId")) {
    return NoSuchVersion(request.key, request.Parameter("versionId"));
  }
  if (request.method == "GET" && FindSetting(level == Level::kBucket, request.parameters) != nullptr) {
    request.operation = Operation::kGetSetting;
    return request;
  }
  const bool copy = request.HasHeader("x-amz-copy-source");
  bool method_known = false;
  for (const Route& route : Routes()) {
    if (route.level != level || route.method != request.method) continue;
    method_known = true;
    if (route.copy != copy) continue;
    if (!std::ranges::all_of(route.required, [&](std::string_view name) { return request.HasParameter(name); }))
      continue;
    for (const auto& [name, value] : request.parameters) {
      if (Contains(route.required, name) || Contains(route.optional, name)) continue;
      return NotImplemented("'?" + name + "' (" + request.method + " on " + std::string(LevelName(level)) + ")");
    }
    request.operation = route.operation;
    KeepHeadersOf(route.operation, request);
    return request;
  }
  if (!method_known) {
    return S3Error{405,
                   "MethodNotAllowed",
                   "The specified method is not allowed against this resource.",
                   {{"Method", request.method}}};
  }
  std::string names;
  for (const auto& [name, value] : request.parameters) names += (names.empty() ? "?" : "&") + name;
  return NotImplemented(request.method + " " + names + " on " + std::string(LevelName(level)));
}

bool HasStreamedBody(Operation operation) {
  return operation == Operation::kPutObject || operation == Operation::kUploadPart;
}

}  // namespace argosy::api::s3
