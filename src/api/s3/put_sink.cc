#include "api/s3/put_sink.h"

#include "api/s3/operations.h"
#include "api/s3/tags.h"
#include "base/bytes.h"

namespace argosy::api::s3 {
namespace {

// Handing work to a second thread costs some ten microseconds; hashing this much takes longer.
constexpr size_t kSplitBytesMin = 64 * 1024;

}  // namespace

PutSink::PutSink(objectstore::ObjectStore* store, ThreadPool* pool, Request head, Expectation expectation,
                 std::unique_ptr<auth::ChunkSignatures> chunks)
    : store_(store),
      pool_(pool),
      head_(std::move(head)),
      expectation_(std::move(expectation)),
      decoder_(std::move(chunks), expectation_.signed_trailers,
               expectation_.checksum_in_trailer ? ChecksumHeader(*expectation_.algorithm) : std::string()) {}

void PutSink::Write(std::string_view piece, std::function<void(Status)> done) {
  {
    const std::lock_guard lock(mutex_);
    busy_ = true;
  }
  auto work = std::make_shared<Piece>();
  work->bytes = piece;
  work->done = std::move(done);
  const Status queued = pool_->Submit([self = shared_from_this(), work] {
    self->Take(work);
    self->End(work);
  });
  if (queued.ok()) return;
  {
    const std::lock_guard lock(mutex_);
    busy_ = false;
  }
  work->done(Fail(SlowDown()));
}

void PutSink::End(const std::shared_ptr<Piece>& piece) {
  if (piece->tasks.fetch_sub(1) > 1) return;
  {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    if (abandoned_) writer_.reset();
  }
  piece->done(std::move(piece->status));
}

void PutSink::Abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  if (busy_) return;  // the pool's thread sees it
  // Removing a large staging file takes time that the loop does not have.
  std::shared_ptr<objectstore::ObjectWriter> writer = std::move(writer_);
  if (writer != nullptr) (void)pool_->Submit([writer] {});
}

Status PutSink::Fail(S3Error error) {
  Error reason(ErrorCode::kInvalidArgument, error.code + ": " + error.message);
  error_ = std::move(error);
  return reason;
}

bool PutSink::Start() {
  if (writer_ != nullptr) return true;
  auto started = [&](Result<std::unique_ptr<objectstore::ObjectWriter>> writer, Missing missing) {
    if (!writer.ok()) {
      error_ = ToS3Error(*store_, head_, writer.error(), missing);
      return false;
    }
    writer_ = std::move(*writer);
    hasher_.emplace(expectation_);
    return true;
  };
  if (head_.operation == Operation::kPutObject) {
    objectstore::PutOptions options;
    std::variant<objectstore::Attributes, S3Error> attributes = ReadAttributes(head_);
    if (auto* error = std::get_if<S3Error>(&attributes)) {
      error_ = std::move(*error);
      return false;
    }
    std::variant<objectstore::Precondition, S3Error> precondition = ReadPrecondition(head_);
    if (auto* error = std::get_if<S3Error>(&precondition)) {
      error_ = std::move(*error);
      return false;
    }
    std::variant<objectstore::Tags, S3Error> tags = ReadTagHeader(head_.Header("x-amz-tagging"));
    if (auto* error = std::get_if<S3Error>(&tags)) {
      error_ = std::move(*error);
      return false;
    }
    options.attributes = std::get<objectstore::Attributes>(std::move(attributes));
    options.tags = std::get<objectstore::Tags>(std::move(tags));
    options.precondition = std::get<objectstore::Precondition>(std::move(precondition));
    options.checksum_algorithm = expectation_.algorithm;
    options.md5_asked = expectation_.md5.has_value();
    return started(store_->StartPut(head_.bucket, head_.key, std::move(options)), Missing::kKey);
  }
  std::variant<int, S3Error> number = ReadPartNumber(head_);
  if (auto* error = std::get_if<S3Error>(&number)) {
    error_ = std::move(*error);
    return false;
  }
  const std::string_view upload_id = head_.Parameter("uploadId");
  Result<objectstore::UploadInfo> upload = store_->FindUpload(head_.bucket, head_.key, upload_id);
  if (!upload.ok()) {
    error_ = ToS3Error(*store_, head_, upload.error(), Missing::kUpload);
    return false;
  }
  // The upload's checksum is made of its parts', so one that the client has not sent is computed.
  const std::optional<objectstore::ChecksumAlgorithm> wanted = upload->options.checksum_algorithm;
  if (wanted && expectation_.algorithm && *wanted != *expectation_.algorithm) {
    error_ = InvalidRequest(
        "Checksum Type mismatch occurred, expected checksum Type: " + ToLower(objectstore::ChecksumName(*wanted)) +
        ", actual checksum Type: " + ToLower(objectstore::ChecksumName(*expectation_.algorithm)));
    return false;
  }
  if (wanted) expectation_.algorithm = wanted;
  return started(store_->StartPart(head_.bucket, head_.key, upload_id, std::get<int>(number)), Missing::kUpload);
}

void PutSink::Take(const std::shared_ptr<Piece>& piece) {
  if (error_ || !Start()) {
    piece->status = Error(ErrorCode::kInvalidArgument, error_->message);
    return;
  }
  if (expectation_.framing == Framing::kAwsChunked) {
    piece->status = Decode(piece->bytes);
    return;
  }
  bool beside = false;
  if (piece->bytes.size() >= kSplitBytesMin && hasher_->HasWork()) {
    piece->tasks.fetch_add(1);
    beside = pool_
                 ->Submit([self = shared_from_this(), piece] {
                   self->hasher_->Update(piece->bytes);
                   self->End(piece);
                 })
                 .ok();
    if (!beside) piece->tasks.fetch_sub(1);
  }
  if (!beside) hasher_->Update(piece->bytes);
  piece->status = Append(piece->bytes);
}

Status PutSink::Decode(std::string_view bytes) {
  const Status taken = decoder_.Feed(bytes, [this](std::string_view data) {
    hasher_->Update(data);
    return Append(data);
  });
  if (!taken.ok() && !error_) {
    error_ = taken.error().code() == ErrorCode::kPermissionDenied
                 ? S3Error{403, "SignatureDoesNotMatch",
                           "The request signature we calculated does not match the signature you provided: " +
                               taken.error().message() + "."}
                 : InvalidRequest(taken.error().message());
  }
  return taken;
}

Status PutSink::Append(std::string_view data) {
  if (writer_->size() + data.size() > kPutBytesMax) {
    return Fail({400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"});
  }
  Status written = writer_->Append(data);
  if (!written.ok()) error_ = FromStoreError(written.error());
  return written;
}

std::variant<objectstore::ObjectInfo, S3Error> PutSink::Finish() {
  if (error_ || !Start()) return std::move(*error_);
  // What the writer has staged goes with it when the bytes are not those announced.
  const std::unique_ptr<objectstore::ObjectWriter> writer = std::move(writer_);
  if (expectation_.framing == Framing::kAwsChunked) {
    if (!decoder_.finished()) {
      return S3Error{400, "IncompleteBody", "The request body terminated unexpectedly"};
    }
    if (expectation_.decoded_length && *expectation_.decoded_length != writer->size()) {
      return S3Error{
          400, "IncompleteBody",
          "You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header"};
    }
    if (expectation_.checksum_in_trailer) {
      const std::optional<std::string>& trailer = decoder_.trailer();
      if (!trailer || trailer->empty()) {
        return S3Error{400, "MalformedTrailerError", "The request contained trailing data that was not well-formed."};
      }
      expectation_.checksum = *trailer;
    }
  }
  const PayloadHasher::Digests digests = hasher_->Finish();
  const std::string md5 = expectation_.md5 ? writer->Md5() : std::string();
  if (std::optional<S3Error> wrong = Compare(expectation_, digests, md5)) return std::move(*wrong);
  if (expectation_.algorithm) {
    writer->SetChecksum({*expectation_.algorithm, objectstore::ChecksumType::kFullObject, digests.checksum});
  }
  Result<objectstore::ObjectInfo> object = writer->Commit();
  if (!object.ok()) {
    return ToS3Error(*store_, head_, object.error(),
                     head_.operation == Operation::kPutObject ? Missing::kKey : Missing::kUpload);
  }
  return std::move(*object);
}

}  // namespace argosy::api::s3
