#include "api/s3/operations.h"
#include "api/s3/payload.h"
#include "api/s3/tags.h"
#include "api/s3/xml.h"

namespace argosy::api::s3 {
namespace {

using objectstore::Tags;

http::Response TagAnswer(const Tags& tags) {
  XmlWriter xml("Tagging", XmlNamespace::kS3);
  xml.Open("TagSet");
  for (const auto& [name, value] : tags) {
    xml.Open("Tag");
    xml.Text("Key", name);
    xml.Text("Value", value);
    xml.Close();
  }
  xml.Close();
  return XmlResponse(xml.Finish());
}

http::Response Empty(int status) {
  http::Response response;
  response.status = status;
  return response;
}

// The document, whose MD5 and checksum were sent along.
std::variant<Tags, S3Error> ReadTags(const Request& request, size_t count_max) {
  if (std::optional<S3Error> wrong = CheckDocument(request)) return std::move(*wrong);
  return ReadTagDocument(request.body, count_max);
}

}  // namespace

Answer Operations::GetObjectTagging(const Request& request) const {
  const Result<objectstore::ObjectInfo> object = store_->Head(request.bucket, request.key);
  if (!object.ok()) return ToS3Error(*store_, request, object.error(), Missing::kKey);
  return TagAnswer(object->tags);
}

Answer Operations::PutObjectTagging(const Request& request) const {
  std::variant<Tags, S3Error> tags = ReadTags(request, kObjectTagsMax);
  if (auto* error = std::get_if<S3Error>(&tags)) return std::move(*error);
  const Status set = store_->SetTags(request.bucket, request.key, std::get<Tags>(std::move(tags)));
  if (!set.ok()) return ToS3Error(*store_, request, set.error(), Missing::kKey);
  return Empty(200);
}

Answer Operations::DeleteObjectTagging(const Request& request) const {
  const Status set = store_->SetTags(request.bucket, request.key, {});
  if (!set.ok()) return ToS3Error(*store_, request, set.error(), Missing::kKey);
  return Empty(204);
}

Answer Operations::GetBucketTagging(const Request& request) const {
  const Result<Tags> tags = store_->BucketTags(request.bucket);
  if (!tags.ok()) return ToS3Error(*store_, request, tags.error(), Missing::kKey);
  if (tags->empty()) {
    return S3Error{404, "NoSuchTagSet", "The TagSet does not exist", {{"BucketName", request.bucket}}};
  }
  return TagAnswer(*tags);
}

Answer Operations::PutBucketTagging(const Request& request) const {
  std::variant<Tags, S3Error> tags = ReadTags(request, kBucketTagsMax);
  if (auto* error = std::get_if<S3Error>(&tags)) return std::move(*error);
  const Status set = store_->SetBucketTags(request.bucket, std::get<Tags>(std::move(tags)));
  if (!set.ok()) return ToS3Error(*store_, request, set.error(), Missing::kKey);
  return Empty(204);
}

Answer Operations::DeleteBucketTagging(const Request& request) const {
  const Status set = store_->SetBucketTags(request.bucket, {});
  if (!set.ok()) return ToS3Error(*store_, request, set.error(), Missing::kKey);
  return Empty(204);
}

}  // namespace argosy::api::s3
