// The body of PutObject or UploadPart on its way to the store: each piece is hashed and written on the pool, and the
// next is taken only then, so that a connection holds one piece whatever is sent.
//
// Lifecycle: made by OnHead; Write on the loop, one at a time; then Finish on a pool thread, or Abandon on the loop.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>

#include "api/s3/aws_chunked.h"
#include "api/s3/payload.h"
#include "api/s3/request.h"
#include "base/thread_pool.h"
#include "http/handler.h"
#include "objectstore/object_store.h"

namespace argosy::api::s3 {

class PutSink final : public http::BodySink, public std::enable_shared_from_this<PutSink> {
 public:
  // `head` is a PutObject or UploadPart. Store and pool must outlive the sink.
  PutSink(objectstore::ObjectStore* store, ThreadPool* pool, Request head, Expectation expectation,
          std::unique_ptr<auth::ChunkSignatures> chunks);

  void Write(std::string_view piece, std::function<void(Status)> done) override;
  void Abandon() override;

  const Request& head() const { return head_; }
  // Commits what has been written, or says why not. Blocks; once.
  std::variant<objectstore::ObjectInfo, S3Error> Finish();

 private:
  // One piece while it is on the pool.
  struct Piece {
    std::string_view bytes;
    std::function<void(Status)> done;
    Status status;
    std::atomic<int> tasks{1};  // that work on it; the last ends it
  };
  void Take(const std::shared_ptr<Piece>& piece);
  void End(const std::shared_ptr<Piece>& piece);
  Status Decode(std::string_view bytes);
  Status Append(std::string_view data);
  bool Start();  // the store's writer; false leaves error_
  Status Fail(S3Error error);

  objectstore::ObjectStore* const store_;
  ThreadPool* const pool_;
  const Request head_;
  Expectation expectation_;
  AwsChunkedDecoder decoder_;
  std::optional<PayloadHasher> hasher_;
  std::unique_ptr<objectstore::ObjectWriter> writer_;
  std::optional<S3Error> error_;

  std::mutex mutex_;
  bool busy_ = false;       // guarded by mutex_: a piece is on the pool
  bool abandoned_ = false;  // guarded by mutex_
};

}  // namespace argosy::api::s3
