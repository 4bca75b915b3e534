#include "api/s3/s3_service.h"

#include "api/s3/access.h"
#include "api/s3/payload.h"
#include "api/s3/put_sink.h"
#include "api/s3/request.h"
#include "api/s3/s3_error.h"
#include "api/s3/tags.h"

namespace argosy::api::s3 {
namespace {

// Of buffered bodies. A thousand keys of 1,024 bytes, or ten thousand parts with their checksums, fit; S3 itself takes
// no more than this for either.
constexpr size_t kDocumentBytesMax = 4 << 20;
constexpr size_t kOtherBytesMax = 64 * 1024;

size_t BufferMax(Operation operation) {
  const bool document = operation == Operation::kDeleteObjects || operation == Operation::kCompleteMultipartUpload;
  return document ? kDocumentBytesMax : kOtherBytesMax;
}

ErrorBody BodyFor(std::string_view method) {
  return method == "HEAD" ? ErrorBody::kNone : ErrorBody::kXml;
}

http::Response ToResponse(Answer answer, const Request& request) {
  if (const auto* error = std::get_if<S3Error>(&answer)) {
    return ErrorResponse(*error, request.resource, request.request_id, BodyFor(request.method));
  }
  http::Response response = std::get<http::Response>(std::move(answer));
  SetRequestIds(response, request.request_id);
  return response;
}

S3Error TooLarge(uint64_t proposed) {
  return {400,
          "EntityTooLarge",
          "Your proposed upload exceeds the maximum allowed size",
          {{"ProposedSize", std::to_string(proposed)}, {"MaxSizeAllowed", std::to_string(kPutBytesMax)}}};
}

std::optional<S3Error> CheckStreamedHead(const Request& request, const http::RequestView& head) {
  if (!head.chunked && !request.HasHeader("content-length")) {
    return S3Error{411, "MissingContentLength", "You must provide the Content-Length HTTP header."};
  }
  if (head.content_length > kPutBytesMax + kPutBytesMax / 64) {  // aws-chunked framing adds a little
    return TooLarge(head.content_length);
  }
  if (request.operation == Operation::kPutObject) {
    const std::variant<objectstore::Attributes, S3Error> attributes = ReadAttributes(request);
    if (const auto* error = std::get_if<S3Error>(&attributes)) return *error;
    const std::variant<objectstore::Tags, S3Error> tags = ReadTagHeader(request.Header("x-amz-tagging"));
    if (const auto* error = std::get_if<S3Error>(&tags)) return *error;
  } else {
    const std::variant<int, S3Error> number = ReadPartNumber(request);
    if (const auto* error = std::get_if<S3Error>(&number)) return *error;
  }
  return std::nullopt;
}

}  // namespace

http::BodyPlan S3Service::OnHead(const http::RequestView& head, SignedHead signed_head, std::string_view request_id) {
  auto refuse = [&](const S3Error& error) {
    return http::Refuse{ErrorResponse(error, head.path, request_id, BodyFor(head.method))};
  };
  std::variant<Request, S3Error> read = ReadHead(head, request_id);
  if (const auto* error = std::get_if<S3Error>(&read)) return refuse(*error);
  auto& request = std::get<Request>(read);
  if (!HasStreamedBody(request.operation)) return http::BufferBody{BufferMax(request.operation)};
  Check(signed_head.principal != nullptr, "S3's signatures are checked at the head");
  if (const std::optional<S3Error> error = CheckAccess(request, *signed_head.principal)) return refuse(*error);
  if (const std::optional<S3Error> error = CheckStreamedHead(request, head)) return refuse(*error);
  std::variant<Expectation, S3Error> expectation = ReadExpectation(request);
  if (const auto* error = std::get_if<S3Error>(&expectation)) return refuse(*error);
  Expectation& expected = std::get<Expectation>(expectation);
  if (expected.signed_chunks !=
      (signed_head.chunks != nullptr)) {  // a presigned URL has no signature that chunks could go on from
    return refuse(InvalidRequest("Chunks can be signed only where the Authorization header is."));
  }
  return http::StreamBody{
      std::make_shared<PutSink>(store_, pool_, std::move(request), std::move(expected), std::move(signed_head.chunks))};
}

void S3Service::OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink,
                          const auth::Principal& principal, std::string_view request_id) {
  if (sink != nullptr) {
    auto put = std::static_pointer_cast<PutSink>(std::move(sink));  // OnHead made it
    const Status queued = pool_->Submit([exchange, put] {
      std::variant<objectstore::ObjectInfo, S3Error> done = put->Finish();
      const auto* object = std::get_if<objectstore::ObjectInfo>(&done);
      exchange->Respond(object != nullptr ? ToResponse(PutAnswer(put->head().operation, *object), put->head())
                                          : ToResponse(std::get<S3Error>(std::move(done)), put->head()));
    });
    if (!queued.ok()) exchange->Respond(ToResponse(SlowDown(), put->head()));
    return;
  }
  std::variant<Request, S3Error> read = ReadHead(exchange->request(), request_id);
  if (const auto* error = std::get_if<S3Error>(&read)) {
    const http::RequestView& view = exchange->request();
    exchange->Respond(ErrorResponse(*error, view.path, request_id, BodyFor(view.method)));
    return;
  }
  auto request = std::make_shared<Request>(std::get<Request>(std::move(read)));
  if (const std::optional<S3Error> error = CheckAccess(*request, principal)) {
    return exchange->Respond(ToResponse(*error, *request));
  }
  request->asker = &principal;
  request->body = std::string(exchange->request().body);
  const Status queued =
      pool_->Submit([this, exchange, request] { exchange->Respond(ToResponse(operations_.Run(*request), *request)); });
  if (!queued.ok()) exchange->Respond(ToResponse(SlowDown(), *request));
}

http::Response S3Service::OnTooLarge(const http::RequestView& head, size_t size_max, std::string_view request_id) {
  if (size_max >= kPutBytesMax) {
    return ErrorResponse(TooLarge(head.content_length), head.path, request_id, BodyFor(head.method));
  }
  return ErrorFor(head, 400, "MaxMessageLengthExceeded",
                  "Your request was too big. At most " + std::to_string(size_max) + " bytes are allowed here.",
                  request_id);
}

http::Response S3Service::ErrorFor(const http::RequestView& head, int status, std::string_view code,
                                   std::string_view message, std::string_view request_id) {
  return ErrorResponse({status, std::string(code), std::string(message)}, head.path, request_id, BodyFor(head.method));
}

std::optional<bool> S3Service::MayDo(const auth::Principal& principal, std::string_view action,
                                     std::string_view resource) const {
  return MayDoAction(principal, action, resource);
}

}  // namespace argosy::api::s3
