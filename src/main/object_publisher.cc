#include "main/object_publisher.h"

#include <memory>

namespace argosy::main {
namespace {

Status PublishAll(objectstore::ObjectStore& store, const std::vector<control::PublishedFile>& files) {
  for (const control::PublishedFile& file : files) {
    const Result<objectstore::S3Uri> uri = objectstore::ParseS3Uri(file.uri);
    if (!uri.ok()) return uri.error();
    if (Status there = store.HeadBucket(uri->bucket); !there.ok()) return there.error().Wrap(file.uri);
    const objectstore::Attributes attributes{.content_type = "application/x-gzip"};
    const Result<objectstore::ObjectInfo> object = store.PublishFile(file.staged, uri->bucket, uri->key, attributes);
    if (!object.ok()) {
      // A staged file that is missing is a fault here, not a bucket that the user forgot.
      const ErrorCode code = object.error().code() == ErrorCode::kNotFound ? ErrorCode::kIo : object.error().code();
      return Error(code, file.uri + ": " + object.error().message());
    }
  }
  return {};
}

}  // namespace

void ObjectPublisher::Publish(control::PublishRequest request, Callback<void> done) {
  auto shared = std::make_shared<Callback<void>>(std::move(done));
  const Status taken = pool_->Submit([this, request = std::move(request), shared] {
    control_->Post([shared, outcome = PublishAll(*store_, request.files)] { (*shared)(outcome); });
  });
  if (!taken.ok()) control_->Post([shared, taken] { (*shared)(taken); });
}

}  // namespace argosy::main
