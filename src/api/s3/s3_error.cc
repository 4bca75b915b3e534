#include "api/s3/s3_error.h"

#include "api/s3/xml.h"
#include "base/bytes.h"

namespace argosy::api::s3 {

S3Error NoSuchBucket(std::string_view bucket) {
  return {404, "NoSuchBucket", "The specified bucket does not exist", {{"BucketName", std::string(bucket)}}};
}

S3Error NoSuchKey(std::string_view key) {
  return {404, "NoSuchKey", "The specified key does not exist.", {{"Key", std::string(key)}}};
}

S3Error NoSuchVersion(std::string_view key, std::string_view version) {
  return {404,
          "NoSuchVersion",
          "The specified version does not exist.",
          {{"Key", std::string(key)}, {"VersionId", std::string(version)}}};
}

S3Error NoSuchUpload(std::string_view upload_id) {
  return {404,
          "NoSuchUpload",
          "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
          "completed.",
          {{"UploadId", std::string(upload_id)}}};
}

S3Error InvalidArgument(std::string_view name, std::string_view value, std::string_view message) {
  return {400,
          "InvalidArgument",
          std::string(message),
          {{"ArgumentName", std::string(name)}, {"ArgumentValue", std::string(value)}}};
}

S3Error InvalidRequest(std::string_view message) {
  return {400, "InvalidRequest", std::string(message)};
}

S3Error NotImplemented(std::string_view what) {
  return {501, "NotImplemented", "This server does not implement " + std::string(what) + "."};
}

S3Error MalformedXml() {
  return {400, "MalformedXML",
          "The XML you provided was not well-formed or did not validate against our published schema"};
}

S3Error PreconditionFailed(std::string_view condition) {
  return {412,
          "PreconditionFailed",
          "At least one of the pre-conditions you specified did not hold",
          {{"Condition", std::string(condition)}}};
}

S3Error BadDigest(std::string_view what) {
  return {400, "BadDigest", "The " + std::string(what) + " you specified did not match what we received."};
}

S3Error SlowDown() {
  return {503, "SlowDown", "Please reduce your request rate."};
}

S3Error FromStoreError(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kResourceExhausted:
      return SlowDown();
    case ErrorCode::kNoSpace:
      return {507, "InsufficientStorage", "The server has no room left: " + error.message()};
    case ErrorCode::kPermissionDenied:
      return {403, "AccessDenied", "Access Denied: " + error.message()};
    case ErrorCode::kInvalidArgument:
      return InvalidRequest(error.message());
    case ErrorCode::kConflict:
      return {409, "OperationAborted", error.message()};
    case ErrorCode::kUnavailable:
      return {503, "ServiceUnavailable", error.message()};
    default:
      return {500, "InternalError", "We encountered an internal error. Please try again. (" + error.message() + ")"};
  }
}

http::Response ErrorResponse(const S3Error& error, std::string_view resource, std::string_view request_id,
                             ErrorBody body) {
  http::Response response;
  response.status = error.status;
  SetRequestIds(response, request_id);
  response.Set("Content-Type", "application/xml");
  if (body == ErrorBody::kNone) return response;
  XmlWriter xml("Error", XmlNamespace::kNone);
  xml.Text("Code", error.code);
  xml.Text("Message", error.message);
  for (const auto& [name, value] : error.details) xml.Text(name, value);
  xml.Text("Resource", resource);
  xml.Text("RequestId", request_id);
  response.body = xml.Finish();
  return response;
}

void SetRequestIds(http::Response& response, std::string_view request_id) {
  response.Set("x-amz-request-id", std::string(request_id));
  response.Set("x-amz-id-2", ToBase64(request_id));
}

}  // namespace argosy::api::s3
