#include "api/s3/headers.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"

namespace argosy::api::s3 {
namespace {

// Lists of lower-case names are divided by blanks; a name that ends in '-' is the beginning of several.
bool Names(std::string_view list, std::string_view header) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(' '), list.size());
    const std::string_view name = list.substr(0, end);
    if (name.ends_with('-') ? header.starts_with(name) : header == name) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

struct OperationHeaders {
  Operation operation;
  std::string_view names;
};
// tests/conformance/test_overview.py compares it with the members of botocore's model.
constexpr OperationHeaders kTaken[] = {
    {Operation::kPutObject,
     "cache-control content-disposition content-encoding content-language content-length content-md5 content-type "
     "expires if-match if-none-match x-amz-checksum- x-amz-meta- x-amz-sdk-checksum-algorithm x-amz-tagging"},
    {Operation::kCopyObject,
     "cache-control content-disposition content-encoding content-language content-type expires if-match if-none-match "
     "x-amz-checksum-algorithm x-amz-copy-source x-amz-copy-source-if-match x-amz-copy-source-if-modified-since "
     "x-amz-copy-source-if-none-match x-amz-copy-source-if-unmodified-since x-amz-meta- x-amz-metadata-directive "
     "x-amz-tagging x-amz-tagging-directive"},
    {Operation::kGetObject,
     "if-match if-modified-since if-none-match if-range if-unmodified-since range x-amz-checksum-mode"},
    {Operation::kHeadObject,
     "if-match if-modified-since if-none-match if-range if-unmodified-since range x-amz-checksum-mode"},
    {Operation::kGetObjectAttributes, "x-amz-object-attributes"},
    {Operation::kDeleteObject, "if-match x-amz-if-match-last-modified-time x-amz-if-match-size"},
    {Operation::kDeleteObjects, "content-md5 x-amz-checksum- x-amz-sdk-checksum-algorithm"},
    {Operation::kPutObjectTagging, "content-md5 x-amz-checksum- x-amz-sdk-checksum-algorithm"},
    {Operation::kPutBucketTagging, "content-md5 x-amz-checksum- x-amz-sdk-checksum-algorithm"},
    {Operation::kCreateMultipartUpload,
     "cache-control content-disposition content-encoding content-language content-type expires "
     "x-amz-checksum-algorithm x-amz-checksum-type x-amz-meta- x-amz-tagging"},
    {Operation::kUploadPart, "content-length content-md5 x-amz-checksum- x-amz-sdk-checksum-algorithm"},
    {Operation::kUploadPartCopy,
     "x-amz-copy-source x-amz-copy-source-if-match x-amz-copy-source-if-modified-since "
     "x-amz-copy-source-if-none-match x-amz-copy-source-if-unmodified-since x-amz-copy-source-range"},
    {Operation::kCompleteMultipartUpload, "if-match if-none-match x-amz-checksum- x-amz-mp-object-size"},
    {Operation::kAbortMultipartUpload, "x-amz-if-match-initiated-time"},
};

// Nobody pays here, deletes nothing with a second factor, holds nothing back under a lock that could be passed by, and
// restores nothing from an archive: S3 too overlooks these where there is none of that.
constexpr std::string_view kWithoutEffect =
    "x-amz-request-payer x-amz-mfa x-amz-bypass-governance-retention x-amz-optional-object-attributes";

// Whose the buckets of request and source are said to be; of every operation.
constexpr std::string_view kOwners = "x-amz-expected-bucket-owner x-amz-source-expected-bucket-owner";

// A canned ACL, or one said out grant by grant. The owner has all rights in any case.
constexpr std::string_view kAclHeaders = "x-amz-acl x-amz-grant-";
constexpr std::string_view kHarmlessAcls = "private bucket-owner-full-control";

// Headers whose neglect would change what the client gets. Values that are what the server does anyway may pass.
struct RefusedHeader {
  std::string_view name;
  std::string_view harmless;
};
constexpr RefusedHeader kRefused[] = {
    // Without a key of their own clients ask for what S3 does with every object; SDK v2 does so for each script it
    // uploads. Whether the disk is encrypted is its owner's matter. A key named is refused by the next line.
    {"x-amz-server-side-encryption", "AES256 aws:kms"},
    {"x-amz-server-side-encryption-", ""},
    {"x-amz-copy-source-server-side-encryption-", ""},
    {"x-amz-object-lock-", ""},
    {"x-amz-bucket-object-lock-enabled", "false False"},
    {"x-amz-object-ownership", "BucketOwnerEnforced"},
    {"x-amz-bucket-namespace", "global"},
    {"x-amz-website-redirect-location", ""},
    {"x-amz-write-offset-bytes", ""},
    {"x-amz-storage-class", "STANDARD"},
    {"x-amz-max-parts", ""},  // of an object's parts the number alone is remembered
    {"x-amz-part-number-marker", ""},
};

bool IsTakenBySome(std::string_view header) {
  return std::ranges::any_of(kTaken, [&](const OperationHeaders& row) { return Names(row.names, header); });
}

}  // namespace

std::optional<S3Error> CheckHeaders(const Request& request) {
  for (const auto& [name, value] : request.headers) {
    if (Names(kOwners, name) && value != auth::kAccountId) {
      return S3Error{403, "AccessDenied",
                     "Access Denied: " + name + " is " + value + ", and all buckets are of the account " +
                         std::string(auth::kAccountId)};
    }
    if (Names(kAclHeaders, name) && !(name == "x-amz-acl" && Names(kHarmlessAcls, value))) {
      return S3Error{400, "AccessControlListNotSupported", "The bucket does not allow ACLs"};
    }
    for (const RefusedHeader& refused : kRefused) {
      if (Names(refused.name, name) && !Names(refused.harmless, value)) {
        return NotImplemented("the header " + name + ": " + value);
      }
    }
  }
  return std::nullopt;
}

void KeepHeadersOf(Operation operation, Request& request) {
  const auto* const own = std::ranges::find(kTaken, operation, &OperationHeaders::operation);
  const std::string_view taken = own == std::end(kTaken) ? std::string_view() : own->names;
  std::erase_if(request.headers, [&](const auto& header) {
    return !Names(taken, header.first) && (IsTakenBySome(header.first) || Names(kWithoutEffect, header.first));
  });
}

}  // namespace argosy::api::s3
