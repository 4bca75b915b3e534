// Amazon S3 as its clients know it, path style, over the object store. docs/guides/s3.md lists what it has.
//
// The head decides the operation. Bodies of PutObject and UploadPart go to the store piece by piece (PutSink); all
// others are small and buffered. Work that blocks runs on the pool; a pool that is full answers SlowDown.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/s3/operations.h"
#include "api/service.h"
#include "base/thread_pool.h"
#include "objectstore/object_store.h"

namespace argosy::api::s3 {

class S3Service final : public Service {
 public:
  // Store and pool must outlive the service and all requests that are under way. `region`: what GetBucketLocation says.
  S3Service(objectstore::ObjectStore* store, ThreadPool* pool, std::string region)
      : store_(store), pool_(pool), operations_(store, std::move(region)) {}

  http::BodyPlan OnHead(const http::RequestView& head, SignedHead signed_head, std::string_view request_id) override;
  void OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink,
                 const auth::Principal& principal, std::string_view request_id) override;
  http::Response OnTooLarge(const http::RequestView& head, size_t size_max, std::string_view request_id) override;

  std::optional<bool> MayDo(const auth::Principal& principal, std::string_view action,
                            std::string_view resource) const override;

  // An error in S3's form, for what the front door answers itself (signatures, skew, unknown keys).
  static http::Response ErrorFor(const http::RequestView& head, int status, std::string_view code,
                                 std::string_view message, std::string_view request_id);

 private:
  objectstore::ObjectStore* const store_;
  ThreadPool* const pool_;
  const Operations operations_;
};

}  // namespace argosy::api::s3
