#include "agent/scoped_objects.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/channels.h"
#include "base/json.h"

namespace argosy::agent {

ScopedObjects::ScopedObjects(std::unique_ptr<objectstore::ObjectReader> objects, std::vector<auth::DataGrant> reach)
    : objects_(std::move(objects)),
      session_{.kind = auth::PrincipalKind::kJob, .name = "", .arn = "", .grants = std::move(reach)} {}

void ScopedObjects::AdmitManifests(const std::vector<catalog::ChannelSpec>& channels) {
  for (const catalog::ChannelSpec& channel : channels) {
    if (channel.s3_data_type != "ManifestFile") continue;
    const Result<objectstore::S3Uri> uri = objectstore::ParseS3Uri(channel.s3_uri);
    if (!uri.ok()) continue;
    const Result<std::string> text = objectstore::ReadBytes(*this, uri->bucket, uri->key, kManifestBytesMax);
    const Result<Json> json = text.ok() ? ParseJson(*text) : text.error();
    if (!json.ok() || !json->is_array() || json->empty() || !(*json)[0].is_object()) continue;
    const auto prefix = (*json)[0].find("prefix");
    if (prefix == (*json)[0].end() || !prefix->is_string()) continue;
    const Result<objectstore::S3Uri> place = objectstore::ParseS3Uri(prefix->get<std::string>());
    if (place.ok()) session_.grants.push_back({place->bucket, place->key, auth::DataGrant::Use::kRead});
  }
}

Status ScopedObjects::Reach(std::string_view bucket, std::string_view key) const {
  // Keys are taken as they are here: ".." in one is a part like others.
  if (std::any_of(session_.grants.begin(), session_.grants.end(),
                  [&](const auth::DataGrant& grant) { return IsWithin(grant, auth::DataUse::kRead, bucket, key); })) {
    return {};
  }
  return Error(ErrorCode::kPermissionDenied,
               "s3://" + std::string(bucket) + "/" + std::string(key) + " is not among the data of this job");
}

Status ScopedObjects::HeadBucket(std::string_view bucket) {
  if (MaySee(session_, bucket)) return objects_->HeadBucket(bucket);
  return Error(ErrorCode::kPermissionDenied, "the bucket " + std::string(bucket) + " holds no data of this job");
}

Result<objectstore::ObjectInfo> ScopedObjects::Head(std::string_view bucket, std::string_view key) {
  if (Status within = Reach(bucket, key); !within.ok()) return within.error();
  return objects_->Head(bucket, key);
}

Result<objectstore::OpenObject> ScopedObjects::Open(std::string_view bucket, std::string_view key) {
  if (Status within = Reach(bucket, key); !within.ok()) return within.error();
  return objects_->Open(bucket, key);
}

Result<objectstore::ListPage> ScopedObjects::List(const objectstore::ListRequest& request) {
  if (Status within = Reach(request.bucket, request.prefix); !within.ok()) return within.error();
  return objects_->List(request);
}

Result<std::filesystem::path> ScopedObjects::LocalPath(std::string_view bucket, std::string_view key) {
  if (Status within = Reach(bucket, key); !within.ok()) return within.error();
  return objects_->LocalPath(bucket, key);
}

}  // namespace argosy::agent
