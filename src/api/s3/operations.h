// The operations of S3 on a store: a request in, an answer out. All block and run on pool threads.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "api/s3/request.h"
#include "api/s3/s3_error.h"
#include "api/s3/xml.h"
#include "http/message.h"
#include "objectstore/object_store.h"

namespace argosy::api::s3 {

using Answer = std::variant<http::Response, S3Error>;

class Operations {
 public:
  // The store must outlive it. Thread-safe.
  Operations(objectstore::ObjectStore* store, std::string region) : store_(store), region_(std::move(region)) {}

  // All but PutObject and UploadPart, whose bodies are streamed (PutSink). The body, when there is one, is whole.
  Answer Run(const Request& request) const;

 private:
  // buckets
  Answer ListBuckets(const Request& request) const;
  Answer CreateBucket(const Request& request) const;
  Answer HeadBucket(const Request& request) const;
  Answer DeleteBucket(const Request& request) const;
  Answer GetBucketLocation(const Request& request) const;
  Answer GetBucketVersioning(const Request& request) const;
  Answer GetSetting(const Request& request) const;
  // listings
  Answer ListObjects(const Request& request) const;
  Answer ListObjectsV2(const Request& request) const;
  Answer ListObjectVersions(const Request& request) const;
  // objects
  Answer GetObject(const Request& request) const;  // and HeadObject
  Answer GetObjectAttributes(const Request& request) const;
  Answer CopyObject(const Request& request) const;
  Answer DeleteObject(const Request& request) const;
  Answer DeleteObjects(const Request& request) const;
  std::optional<S3Error> DeleteOne(const Request& request, const DeleteEntry& entry) const;
  // tags
  Answer GetObjectTagging(const Request& request) const;
  Answer PutObjectTagging(const Request& request) const;
  Answer DeleteObjectTagging(const Request& request) const;
  Answer GetBucketTagging(const Request& request) const;
  Answer PutBucketTagging(const Request& request) const;
  Answer DeleteBucketTagging(const Request& request) const;
  // uploads in parts
  Answer CreateMultipartUpload(const Request& request) const;
  Answer UploadPartCopy(const Request& request) const;
  Answer CompleteMultipartUpload(const Request& request) const;
  Answer AbortMultipartUpload(const Request& request) const;
  Answer ListParts(const Request& request) const;
  Answer ListMultipartUploads(const Request& request) const;

  objectstore::ObjectStore* const store_;
  const std::string region_;
};

// The answer to PutObject or UploadPart, whichever `operation` is.
http::Response PutAnswer(Operation operation, const objectstore::ObjectInfo& object);

// What a kNotFound of the store means in an operation, when the bucket is there.
enum class Missing { kKey, kUpload };
S3Error ToS3Error(objectstore::ObjectStore& store, const Request& request, const Error& error, Missing missing);

// If-None-Match: * and If-Match of a write.
std::variant<objectstore::Precondition, S3Error> ReadPrecondition(const Request& request);
// Of a delete: ETag (without quotes, or "*"), size and time of the object as they were sent; empty: not sent.
std::variant<objectstore::Precondition, S3Error> ReadDeletePrecondition(std::string_view etag, std::string_view size,
                                                                        std::string_view last_modified);
std::variant<int, S3Error> ReadPartNumber(const Request& request);

// x-amz-copy-source.
struct CopySource {
  std::string bucket;
  std::string key;
};
std::variant<CopySource, S3Error> ReadCopySource(const Request& request);
// The source, once its x-amz-copy-source-if-… conditions have been found to hold.
std::variant<objectstore::OpenObject, S3Error> OpenCopySource(objectstore::ObjectStore& store, const Request& request,
                                                              const CopySource& source);

// A number between 0 and `max`, larger ones cut to it; absent: max.
std::variant<size_t, S3Error> ReadCount(const Request& request, std::string_view name, size_t max);

// Names in a listing, percent-encoded when the client asks for encoding-type=url.
enum class NameEncoding { kNone, kUrl };
std::variant<NameEncoding, S3Error> ReadNameEncoding(const Request& request);
std::string EncodeName(std::string_view name, NameEncoding encoding);

std::string Quoted(std::string_view etag);
http::Response XmlResponse(std::string body);

}  // namespace argosy::api::s3
