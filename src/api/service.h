// What the front door asks of each service behind it: S3, the JSON services, the runtime, the query services.
//
// Order for one request, all on the connection's loop: OnHead, then the body (as for http::Handler), then OnRequest,
// which comes only with a principal: the front door has checked the signature by then and has answered itself when it
// was wrong. The answer may be given from any thread.
//
// When the signature is checked depends on the protocol:
//   S3               at the head, against x-amz-content-sha256. A streamed body is the service's to check against that
//                    header, or against the signatures of its chunks; a buffered one the front door checks.
//   all others       once the body is there, against its SHA-256. They must ask for a buffered body.
//
// Every answer gets x-amzn-RequestId from the front door; only the runtime, which writes whole responses, adds it
// itself.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "auth/chunk_signatures.h"
#include "auth/principal.h"
#include "http/handler.h"

namespace argosy::api {

// What is known of a request at its head where the signature is checked there (S3); nothing of it elsewhere.
struct SignedHead {
  const auth::Principal* principal = nullptr;  // as of OnRequest
  // Checks the chunks of a body that has signatures of its own (x-amz-content-sha256 STREAMING-AWS4-…), null for
  // others.
  std::unique_ptr<auth::ChunkSignatures> chunks = nullptr;
};

class Service {
 public:
  virtual ~Service() = default;

  // `request_id` is good during the call (here and below), and empty here for all but S3. Refuse{…} ends the request
  // with the service's own error.
  virtual http::BodyPlan OnHead(const http::RequestView& head, SignedHead signed_head, std::string_view request_id) = 0;

  // `sink` is the one OnHead gave, null when the body was buffered. The principal lives as long as
  // the exchange.
  virtual void OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink,
                         const auth::Principal& principal, std::string_view request_id) = 0;

  // A buffered body was larger than OnHead allowed.
  virtual http::Response OnTooLarge(const http::RequestView& head, size_t size_max, std::string_view request_id) = 0;

  // For who asks beforehand: whether the principal may do what IAM calls `action` ("s3:PutObject") with what the ARN
  // `resource` names ("*": with all of it). Nothing where the service has no such action. From any thread.
  virtual std::optional<bool> MayDo(const auth::Principal& /*principal*/, std::string_view /*action*/,
                                    std::string_view /*resource*/) const {
    return std::nullopt;
  }
};

}  // namespace argosy::api
