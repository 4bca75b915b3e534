#include "api/s3/settings.h"

#include <algorithm>
#include <span>

#include "api/s3/operations.h"
#include "api/s3/xml.h"

namespace argosy::api::s3 {
namespace {

// Source of codes and sentences: Amazon S3 API Reference, each operation's own errors.
constexpr Setting kOfBuckets[] = {
    {"accelerate", 200, "AccelerateConfiguration", ""},
    {"acl", 200, "AccessControlPolicy", ""},
    {"cors", 404, "NoSuchCORSConfiguration", "The CORS configuration does not exist"},
    {"encryption", 404, "ServerSideEncryptionConfigurationNotFoundError",
     "The server side encryption configuration was not found"},
    {"lifecycle", 404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"},
    {"logging", 200, "BucketLoggingStatus", ""},
    {"notification", 200, "NotificationConfiguration", ""},
    {"object-lock", 404, "ObjectLockConfigurationNotFoundError",
     "Object Lock configuration does not exist for this bucket"},
    {"ownershipControls", 200, "OwnershipControls", ""},
    {"policy", 404, "NoSuchBucketPolicy", "The bucket policy does not exist"},
    {"policyStatus", 404, "NoSuchBucketPolicy", "The bucket policy does not exist"},
    {"publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration",
     "The public access block configuration was not found"},
    {"replication", 404, "ReplicationConfigurationNotFoundError", "The replication configuration was not found"},
    {"requestPayment", 200, "RequestPaymentConfiguration", ""},
    {"website", 404, "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"},
};
constexpr Setting kOfObjects[] = {
    {"acl", 200, "AccessControlPolicy", ""},
    {"legal-hold", 404, "NoSuchObjectLockConfiguration",
     "The specified object does not have a ObjectLock configuration"},
    {"retention", 404, "NoSuchObjectLockConfiguration",
     "The specified object does not have a ObjectLock configuration"},
};

// The owner may do everything, and nobody else is named.
void WriteAccessList(XmlWriter& xml) {
  xml.Open("Owner");
  xml.Text("ID", "owner");
  xml.Text("DisplayName", "owner");
  xml.Close();
  xml.Open("AccessControlList");
  xml.Open("Grant");
  xml.Open("Grantee", {{"xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"}, {"xsi:type", "CanonicalUser"}});
  xml.Text("ID", "owner");
  xml.Text("DisplayName", "owner");
  xml.Close();
  xml.Text("Permission", "FULL_CONTROL");
  xml.Close();
  xml.Close();
}

}  // namespace

const Setting* FindSetting(bool of_bucket, const std::map<std::string, std::string>& parameters) {
  if (parameters.size() != 1) return nullptr;
  const std::span<const Setting> settings =
      of_bucket ? std::span<const Setting>(kOfBuckets) : std::span<const Setting>(kOfObjects);
  const auto at = std::ranges::find(settings, parameters.begin()->first, &Setting::sub_resource);
  return at == settings.end() ? nullptr : &*at;
}

Answer Operations::GetSetting(const Request& request) const {
  if (request.key.empty()) {
    const Status there = store_->HeadBucket(request.bucket);
    if (!there.ok()) return ToS3Error(*store_, request, there.error(), Missing::kKey);
  } else {
    const Result<objectstore::ObjectInfo> object = store_->Head(request.bucket, request.key);
    if (!object.ok()) return ToS3Error(*store_, request, object.error(), Missing::kKey);
  }
  const Setting& setting = *FindSetting(request.key.empty(), request.parameters);  // ReadHead found it
  if (setting.status != 200) {
    return S3Error{setting.status,
                   std::string(setting.root_or_code),
                   std::string(setting.message),
                   {{"BucketName", request.bucket}}};
  }
  XmlWriter xml(setting.root_or_code, XmlNamespace::kS3);
  if (setting.sub_resource == "acl") WriteAccessList(xml);
  if (setting.sub_resource == "requestPayment") xml.Text("Payer", "BucketOwner");
  if (setting.sub_resource == "ownershipControls") {
    xml.Open("Rule");
    xml.Text("ObjectOwnership", "BucketOwnerEnforced");
    xml.Close();
  }
  return XmlResponse(xml.Finish());
}

}  // namespace argosy::api::s3
