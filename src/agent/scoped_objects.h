// The objects as an agent sees them: what its session reaches, and nothing else of the store.
#pragma once

#include <memory>
#include <vector>

#include "auth/access.h"
#include "base/result.h"
#include "catalog/training_job.h"
#include "objectstore/object_store.h"

namespace argosy::agent {

// kPermissionDenied for whatever lies outside. Thread-safe once its manifests are admitted.
class ScopedObjects final : public objectstore::ObjectReader {
 public:
  ScopedObjects(std::unique_ptr<objectstore::ObjectReader> objects, std::vector<auth::DataGrant> reach);

  // What the manifests of channels name belongs to their job too: the prefix that each begins with. A manifest that
  // cannot be read is left to whoever reads the channel.
  void AdmitManifests(const std::vector<catalog::ChannelSpec>& channels);

  Status HeadBucket(std::string_view bucket) override;
  Result<objectstore::ObjectInfo> Head(std::string_view bucket, std::string_view key) override;
  Result<objectstore::OpenObject> Open(std::string_view bucket, std::string_view key) override;
  Result<objectstore::ListPage> List(const objectstore::ListRequest& request) override;
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override;

 private:
  Status Reach(std::string_view bucket, std::string_view key) const;

  const std::unique_ptr<objectstore::ObjectReader> objects_;
  auth::Principal session_;
};

}  // namespace argosy::agent
