#include "api/s3/access.h"

#include <string>

#include "api/s3/operations.h"

namespace argosy::api::s3 {
namespace {

enum class Needs {
  kAllBuckets,  // to see them all
  kBuckets,     // to make and delete them
  kBucket,      // to know that it is there
  kListing,     // to see the keys below a prefix
  kReading,     // of the key
  kWriting,     // of the key
  kCopying,     // writing of the key, reading of the source
  kKeysOfBody,  // writing of each
};

struct Action {
  const char* name;  // as IAM calls it
  Needs needs;
};

Action ActionOf(const Request& request) {
  switch (request.operation) {
    case Operation::kListBuckets:
      return {"s3:ListAllMyBuckets", Needs::kAllBuckets};
    case Operation::kCreateBucket:
      return {"s3:CreateBucket", Needs::kBuckets};
    case Operation::kDeleteBucket:
      return {"s3:DeleteBucket", Needs::kBuckets};
    case Operation::kHeadBucket:
      return {"s3:ListBucket", Needs::kBucket};
    case Operation::kGetBucketLocation:
      return {"s3:GetBucketLocation", Needs::kBucket};
    case Operation::kGetBucketVersioning:
      return {"s3:GetBucketVersioning", Needs::kBucket};
    case Operation::kGetSetting:
      return request.key.empty() ? Action{"s3:GetBucketAcl", Needs::kBucket}
                                 : Action{"s3:GetObjectAcl", Needs::kReading};
    case Operation::kGetBucketTagging:
      return {"s3:GetBucketTagging", Needs::kBucket};
    case Operation::kPutBucketTagging:
    case Operation::kDeleteBucketTagging:
      return {"s3:PutBucketTagging", Needs::kBuckets};
    case Operation::kListObjectVersions:
      return {"s3:ListBucketVersions", Needs::kListing};
    case Operation::kListObjects:
    case Operation::kListObjectsV2:
      return {"s3:ListBucket", Needs::kListing};
    case Operation::kListMultipartUploads:
      return {"s3:ListBucketMultipartUploads", Needs::kListing};
    case Operation::kGetObject:
    case Operation::kHeadObject:
      return {"s3:GetObject", Needs::kReading};
    case Operation::kGetObjectTagging:
      return {"s3:GetObjectTagging", Needs::kReading};
    case Operation::kGetObjectAttributes:
      return {"s3:GetObjectAttributes", Needs::kReading};
    case Operation::kPutObjectTagging:
      return {"s3:PutObjectTagging", Needs::kWriting};
    case Operation::kDeleteObjectTagging:
      return {"s3:DeleteObjectTagging", Needs::kWriting};
    case Operation::kListParts:
      return {"s3:ListMultipartUploadParts", Needs::kReading};
    case Operation::kPutObject:
    case Operation::kCreateMultipartUpload:
    case Operation::kUploadPart:
    case Operation::kCompleteMultipartUpload:
      return {"s3:PutObject", Needs::kWriting};
    case Operation::kAbortMultipartUpload:
      return {"s3:AbortMultipartUpload", Needs::kWriting};
    case Operation::kDeleteObject:
      return {"s3:DeleteObject", Needs::kWriting};
    case Operation::kCopyObject:
    case Operation::kUploadPartCopy:
      return {"s3:PutObject", Needs::kCopying};
    case Operation::kDeleteObjects:
      return {"s3:DeleteObject", Needs::kKeysOfBody};
  }
  return {"s3:*", Needs::kBuckets};
}

bool MayCopy(const Request& request, const auth::Principal& principal) {
  if (!MayReach(principal, auth::DataUse::kWrite, request.bucket, request.key)) return false;
  const std::variant<CopySource, S3Error> source = ReadCopySource(request);
  const auto* const found = std::get_if<CopySource>(&source);
  // One that cannot be read is refused by its own error.
  return found == nullptr || MayReach(principal, auth::DataUse::kRead, found->bucket, found->key);
}

bool Fulfils(const Request& request, const auth::Principal& principal, Needs needs) {
  switch (needs) {
    case Needs::kAllBuckets:
      return May(principal, auth::Access::kRead);
    case Needs::kBuckets:
      return May(principal, auth::Access::kChange);
    case Needs::kBucket:
    case Needs::kKeysOfBody:
      return MaySee(principal, request.bucket);
    case Needs::kListing:
      return MayReach(principal, auth::DataUse::kRead, request.bucket, request.Parameter("prefix"));
    case Needs::kReading:
      return MayReach(principal, auth::DataUse::kRead, request.bucket, request.key);
    case Needs::kWriting:
      return MayReach(principal, auth::DataUse::kWrite, request.bucket, request.key);
    case Needs::kCopying:
      return MayCopy(request, principal);
  }
  return false;
}

}  // namespace

std::optional<bool> MayDoAction(const auth::Principal& principal, std::string_view action, std::string_view resource) {
  const std::optional<auth::ObjectName> object = auth::ObjectOfArn(resource);
  std::optional<bool> may;
  for (int i = 0; i <= static_cast<int>(kLastOperation); ++i) {
    Request request;
    request.operation = static_cast<Operation>(i);
    if (object) {
      request.bucket = object->bucket;
      request.key = object->key;
    }
    const Action known = ActionOf(request);
    if (known.name != action) continue;
    may = may.value_or(true) && object && Fulfils(request, principal, known.needs);
  }
  return may;
}

S3Error AccessDenied(const auth::Principal& principal, std::string_view action) {
  return {403, "AccessDenied", DenialOf(principal, action)};
}

std::optional<S3Error> CheckAccess(const Request& request, const auth::Principal& principal) {
  const Action action = ActionOf(request);
  if (Fulfils(request, principal, action.needs)) return std::nullopt;
  return AccessDenied(principal, action.name);
}

}  // namespace argosy::api::s3
