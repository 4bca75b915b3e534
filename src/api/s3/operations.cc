#include "api/s3/operations.h"

#include <algorithm>

#include "api/s3/conditions.h"
#include "api/s3/payload.h"
#include "api/s3/xml.h"
#include "base/bytes.h"
#include "objectstore/checksum.h"

namespace argosy::api::s3 {

Answer Operations::Run(const Request& request) const {
  switch (request.operation) {
    case Operation::kListBuckets:
      return ListBuckets(request);
    case Operation::kCreateBucket:
      return CreateBucket(request);
    case Operation::kHeadBucket:
      return HeadBucket(request);
    case Operation::kDeleteBucket:
      return DeleteBucket(request);
    case Operation::kGetBucketLocation:
      return GetBucketLocation(request);
    case Operation::kGetBucketVersioning:
      return GetBucketVersioning(request);
    case Operation::kGetSetting:
      return GetSetting(request);
    case Operation::kGetBucketTagging:
      return GetBucketTagging(request);
    case Operation::kPutBucketTagging:
      return PutBucketTagging(request);
    case Operation::kDeleteBucketTagging:
      return DeleteBucketTagging(request);
    case Operation::kListObjectVersions:
      return ListObjectVersions(request);
    case Operation::kListObjects:
      return ListObjects(request);
    case Operation::kListObjectsV2:
      return ListObjectsV2(request);
    case Operation::kListMultipartUploads:
      return ListMultipartUploads(request);
    case Operation::kDeleteObjects:
      return DeleteObjects(request);
    case Operation::kCopyObject:
      return CopyObject(request);
    case Operation::kGetObject:
    case Operation::kHeadObject:
      return GetObject(request);
    case Operation::kGetObjectTagging:
      return GetObjectTagging(request);
    case Operation::kPutObjectTagging:
      return PutObjectTagging(request);
    case Operation::kDeleteObjectTagging:
      return DeleteObjectTagging(request);
    case Operation::kGetObjectAttributes:
      return GetObjectAttributes(request);
    case Operation::kDeleteObject:
      return DeleteObject(request);
    case Operation::kCreateMultipartUpload:
      return CreateMultipartUpload(request);
    case Operation::kUploadPartCopy:
      return UploadPartCopy(request);
    case Operation::kCompleteMultipartUpload:
      return CompleteMultipartUpload(request);
    case Operation::kAbortMultipartUpload:
      return AbortMultipartUpload(request);
    case Operation::kListParts:
      return ListParts(request);
    case Operation::kPutObject:
    case Operation::kUploadPart:
      break;  // streamed
  }
  return S3Error{500, "InternalError", "A streamed operation came as a whole."};
}

S3Error ToS3Error(objectstore::ObjectStore& store, const Request& request, const Error& error, Missing missing) {
  if (error.code() == ErrorCode::kNotFound) {
    if (!store.HeadBucket(request.bucket).ok()) return NoSuchBucket(request.bucket);
    return missing == Missing::kKey ? NoSuchKey(request.key) : NoSuchUpload(request.Parameter("uploadId"));
  }
  if (error.code() == ErrorCode::kConflict) {
    return PreconditionFailed(request.HasHeader("if-none-match") ? "If-None-Match" : "If-Match");
  }
  return FromStoreError(error);
}

std::string Quoted(std::string_view etag) {
  return "\"" + std::string(etag) + "\"";
}

http::Response XmlResponse(std::string body) {
  http::Response response;
  response.Set("Content-Type", "application/xml");
  response.body = std::move(body);
  return response;
}

std::variant<size_t, S3Error> ReadCount(const Request& request, std::string_view name, size_t max) {
  if (request.Parameter(name).empty()) return max;
  const std::optional<int64_t> count = ParseInt(request.Parameter(name));
  if (!count || *count < 0 || *count > INT32_MAX) {
    return InvalidArgument(name, request.Parameter(name),
                           "Argument " + std::string(name) + " must be an integer between 0 and 2147483647");
  }
  return std::min(static_cast<size_t>(*count), max);
}

std::variant<NameEncoding, S3Error> ReadNameEncoding(const Request& request) {
  const std::string_view encoding = request.Parameter("encoding-type");
  if (encoding.empty()) return NameEncoding::kNone;
  if (encoding == "url") return NameEncoding::kUrl;
  return InvalidArgument("encoding-type", encoding, "Invalid Encoding Method specified in Request");
}

std::string EncodeName(std::string_view name, NameEncoding encoding) {
  return encoding == NameEncoding::kUrl ? PercentEncode(name, "/") : std::string(name);
}

Answer Operations::ListBuckets(const Request& request) const {
  constexpr size_t kBucketsMax = 10'000;  // on one page, as S3
  const std::variant<size_t, S3Error> max = ReadCount(request, "max-buckets", kBucketsMax);
  if (const auto* error = std::get_if<S3Error>(&max)) return *error;
  Result<std::vector<objectstore::BucketInfo>> buckets = store_->ListBuckets();
  if (!buckets.ok()) return FromStoreError(buckets.error());
  const std::string_view prefix = request.Parameter("prefix");
  const std::string_view token = request.Parameter("continuation-token");
  const std::string after = FromBase64(token).value_or("");
  if (request.HasParameter("continuation-token") && !objectstore::IsValidBucketName(after)) {
    return InvalidArgument("continuation-token", token, "The continuation token provided is incorrect");
  }
  // All buckets are in the one region that the server answers for.
  const std::string_view region = request.Parameter("bucket-region");
  if (!region.empty() && region != region_) buckets->clear();
  XmlWriter xml("ListAllMyBucketsResult", XmlNamespace::kS3);
  xml.Open("Owner");
  xml.Text("ID", "owner");
  xml.Text("DisplayName", "owner");
  xml.Close();
  xml.Open("Buckets");
  size_t count = 0;
  std::string last;
  std::string next;
  for (const objectstore::BucketInfo& bucket : *buckets) {
    if (!bucket.name.starts_with(prefix) || bucket.name <= after) continue;
    if (count == std::get<size_t>(max)) {
      next = last;
      break;
    }
    ++count;
    last = bucket.name;
    xml.Open("Bucket");
    xml.Text("Name", bucket.name);
    xml.Text("CreationDate", FormatIso8601(bucket.created));
    if (!region.empty()) xml.Text("BucketRegion", region_);
    xml.Close();
  }
  xml.Close();
  if (!next.empty()) xml.Text("ContinuationToken", ToBase64(next));
  if (!prefix.empty()) xml.Text("Prefix", prefix);
  return XmlResponse(xml.Finish());
}

Answer Operations::CreateBucket(const Request& request) const {
  const std::optional<std::vector<std::string>> asked = ParseCreateBucketConfiguration(request.body);
  if (!asked) return MalformedXml();
  for (const std::string& name : *asked) {
    if (name != "LocationConstraint") return NotImplemented("<" + name + "> of a bucket to be made");
  }
  const Status created = store_->CreateBucket(request.bucket);
  if (!created.ok()) {
    if (created.error().code() == ErrorCode::kAlreadyExists) {
      return S3Error{409,
                     "BucketAlreadyOwnedByYou",
                     "Your previous request to create the named bucket succeeded and you already own it.",
                     {{"BucketName", request.bucket}}};
    }
    return FromStoreError(created.error());
  }
  http::Response response;
  response.Set("Location", "/" + request.bucket);
  return response;
}

Answer Operations::HeadBucket(const Request& request) const {
  const Status there = store_->HeadBucket(request.bucket);
  if (!there.ok()) return ToS3Error(*store_, request, there.error(), Missing::kKey);
  http::Response response;
  response.Set("x-amz-bucket-region", region_);
  response.Set("Content-Type", "application/xml");
  return response;
}

Answer Operations::DeleteBucket(const Request& request) const {
  const Status deleted = store_->DeleteBucket(request.bucket);
  if (!deleted.ok()) {
    if (deleted.error().code() == ErrorCode::kConflict) {
      return S3Error{
          409, "BucketNotEmpty", "The bucket you tried to delete is not empty", {{"BucketName", request.bucket}}};
    }
    return ToS3Error(*store_, request, deleted.error(), Missing::kKey);
  }
  http::Response response;
  response.status = 204;
  return response;
}

Answer Operations::GetBucketLocation(const Request& request) const {
  const Status there = store_->HeadBucket(request.bucket);
  if (!there.ok()) return ToS3Error(*store_, request, there.error(), Missing::kKey);
  // The oldest region has no name here.
  XmlWriter xml("LocationConstraint", XmlNamespace::kS3);
  if (region_ != "us-east-1") xml.Content(region_);
  return XmlResponse(xml.Finish());
}

Answer Operations::GetBucketVersioning(const Request& request) const {
  const Status there = store_->HeadBucket(request.bucket);
  if (!there.ok()) return ToS3Error(*store_, request, there.error(), Missing::kKey);
  return XmlResponse(XmlWriter("VersioningConfiguration", XmlNamespace::kS3).Finish());  // never enabled
}

}  // namespace argosy::api::s3
