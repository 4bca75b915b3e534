#include "api/front_door.h"

#include <algorithm>
#include <utility>

#include "api/json_service.h"
#include "api/query_service.h"
#include "auth/access.h"
#include "auth/hmac.h"
#include "auth/presigned.h"
#include "base/bytes.h"

namespace argosy::api {
namespace {

constexpr std::string_view kOwnPrefix = "/-/";
constexpr std::string_view kStsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
constexpr std::string_view kSignedChunks = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

// Bodies of services that Argosy does not have are read only to check their signature.
constexpr size_t kUnknownBodyMax = size_t{1} << 20;
constexpr uint64_t kStrangersBodyMax = uint64_t{64} << 10;
constexpr size_t kOwnBodyMax = size_t{4} << 10;

// The service of `Credential=key/date/region/service/aws4_request`; empty when there is none. The whole header is
// checked later: this only finds the door.
std::string_view ScopeService(const http::RequestView& request) {
  constexpr std::string_view kCredential = "Credential=";
  std::string_view text = request.Header("authorization");
  const size_t start = text.find(kCredential);
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + kCredential.size());
  text = text.substr(0, text.find_first_of(", "));
  for (int part = 0; part < 3; ++part) {
    const size_t slash = text.find('/');
    if (slash == std::string_view::npos) return {};
    text.remove_prefix(slash + 1);
  }
  const size_t end = text.find('/');
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end);
}

// A request of S3 that has its signature in its query.
bool IsPresigned(const http::RequestView& request) {
  return !request.query.empty() && auth::PresigningOf(request.query) != auth::Presigning::kNone;
}

bool IsForm(const http::RequestView& request) {
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  return request.method == "POST" && request.path == "/" &&
         EqualsIgnoreCase(request.Header("content-type").substr(0, kForm.size()), kForm);
}

bool IsInvocation(const http::RequestView& request) {
  if (request.method != "POST" || !request.path.starts_with("/endpoints/")) return false;
  return request.path.ends_with("/invocations") || request.path.ends_with("/async-invocations") ||
         request.path.ends_with("/invocations-response-stream");
}

// Adds the request id to whatever is answered. Holds the principal, whose key may be gone before the answer is there.
class TaggedExchange final : public http::Exchange {
 public:
  TaggedExchange(std::shared_ptr<http::Exchange> inner, std::shared_ptr<const auth::Principal> principal,
                 std::string_view request_id)
      : inner_(std::move(inner)), principal_(std::move(principal)), request_id_(request_id) {}

  const http::RequestView& request() const override { return inner_->request(); }
  void Respond(http::Response response) override {
    Tag(response, request_id_);
    inner_->Respond(std::move(response));
  }
  void RespondRaw(std::string_view bytes) override { inner_->RespondRaw(bytes); }
  void RespondInPieces(http::Response&& head) override {
    Tag(head, request_id_);
    inner_->RespondInPieces(std::move(head));
  }
  void WritePiece(std::string_view piece, Task taken) override { inner_->WritePiece(piece, std::move(taken)); }
  void EndPieces() override { inner_->EndPieces(); }
  bool abandoned() const override { return inner_->abandoned(); }
  Scheduler& loop() override { return inner_->loop(); }

  static void Tag(http::Response& response, std::string_view request_id) {
    constexpr std::string_view kName = "x-amzn-RequestId";
    const bool has = std::any_of(response.headers.begin(), response.headers.end(),
                                 [&](const auto& header) { return EqualsIgnoreCase(header.first, kName); });
    if (!has) response.Set(std::string(kName), std::string(request_id));
  }

 private:
  std::shared_ptr<http::Exchange> inner_;
  std::shared_ptr<const auth::Principal> principal_;
  std::string request_id_;
};

// A streamed body of a request whose signature was checked at the head: carries the principal to OnRequest.
class SignedSink final : public http::BodySink {
 public:
  SignedSink(std::shared_ptr<http::BodySink> inner_sink, std::shared_ptr<const auth::Principal> who, std::string id)
      : inner(std::move(inner_sink)), principal(std::move(who)), request_id(std::move(id)) {}

  void Write(std::string_view piece, std::function<void(Status)> done) override {
    inner->Write(piece, std::move(done));
  }
  void Abandon() override { inner->Abandon(); }

  const std::shared_ptr<http::BodySink> inner;
  const std::shared_ptr<const auth::Principal> principal;
  const std::string request_id;
};

http::Response S3ErrorResponse(const ServiceError& error, const http::RequestView& request,
                               std::string_view request_id) {
  http::Response response;
  response.status = error.status;
  response.Set("Content-Type", "application/xml");
  response.Set("x-amz-request-id", std::string(request_id));
  response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + EscapeXml(error.code) +
                  "</Code><Message>" + EscapeXml(error.message) + "</Message><Resource>" + EscapeXml(request.path) +
                  "</Resource><RequestId>" + std::string(request_id) + "</RequestId></Error>";
  return response;
}

// The version that the client speaks.
std::string_view JsonVersionOf(const http::RequestView& request) {
  return request.Header("content-type").starts_with(kJson10) ? kJson10 : kJson11;
}

http::Response RestErrorResponse(const ServiceError& error) {
  http::Response response = JsonErrorResponse(error);
  response.headers.clear();
  response.Set("Content-Type", "application/json");
  response.Set("x-amzn-ErrorType", error.code);
  return response;
}

constexpr std::string_view kSignatureMismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and "
    "signing method. Consult the service documentation for details.";

ServiceError WordForJson(const auth::AuthError& error) {
  switch (error.failure) {
    case auth::AuthFailure::kMissing:
      return {403, "MissingAuthenticationTokenException", "Missing Authentication Token"};
    case auth::AuthFailure::kMalformed:
    case auth::AuthFailure::kMalformedQuery:
      return {403, "IncompleteSignatureException", error.message};
    case auth::AuthFailure::kUnknownKey:
    case auth::AuthFailure::kBadToken:
      return {403, "UnrecognizedClientException", "The security token included in the request is invalid."};
    case auth::AuthFailure::kExpiredToken:
      return {403, "ExpiredTokenException", error.message};
    case auth::AuthFailure::kBadSignature:
      return {403, "InvalidSignatureException", std::string(kSignatureMismatch)};
    case auth::AuthFailure::kExpired:
    case auth::AuthFailure::kSkewed:
      return {403, "InvalidSignatureException", error.message};
  }
  return {403, "AccessDeniedException", error.message};
}

ServiceError WordForQuery(const auth::AuthError& error) {
  switch (error.failure) {
    case auth::AuthFailure::kMissing:
      return {403, "MissingAuthenticationToken", "Request is missing Authentication Token"};
    case auth::AuthFailure::kMalformed:
    case auth::AuthFailure::kMalformedQuery:
      return {400, "IncompleteSignature", error.message};
    case auth::AuthFailure::kUnknownKey:
    case auth::AuthFailure::kBadToken:
      return {403, "InvalidClientTokenId", "The security token included in the request is invalid."};
    case auth::AuthFailure::kExpiredToken:
      return {403, "ExpiredToken", error.message};
    case auth::AuthFailure::kBadSignature:
      return {403, "SignatureDoesNotMatch", std::string(kSignatureMismatch)};
    case auth::AuthFailure::kExpired:
    case auth::AuthFailure::kSkewed:
      return {403, "SignatureDoesNotMatch", error.message};
  }
  return {403, "AccessDenied", error.message};
}

ServiceError WordForS3(const auth::AuthError& error) {
  switch (error.failure) {
    case auth::AuthFailure::kMissing:
      return {403, "AccessDenied", "Access Denied"};
    case auth::AuthFailure::kMalformed:
      return {400, "AuthorizationHeaderMalformed", error.message};
    case auth::AuthFailure::kMalformedQuery:
      return {400, "AuthorizationQueryParametersError", error.message};
    case auth::AuthFailure::kExpired:
      return {403, "AccessDenied", error.message};
    case auth::AuthFailure::kUnknownKey:
      return {403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."};
    case auth::AuthFailure::kBadToken:
      return {400, "InvalidToken", "The provided token is malformed or otherwise invalid."};
    case auth::AuthFailure::kExpiredToken:
      return {400, "ExpiredToken", "The provided token has expired."};
    case auth::AuthFailure::kBadSignature:
      return {
          403, "SignatureDoesNotMatch",
          "The request signature we calculated does not match the signature you provided. Check your key and signing "
          "method."};
    case auth::AuthFailure::kSkewed:
      return {403, "RequestTimeTooSkewed",
              "The difference between the request time and the current time is too large."};
  }
  return {403, "AccessDenied", error.message};
}

// The name of what was asked for, for a service that is not there.
std::string_view AskedFor(const http::RequestView& request) {
  const std::string_view target = request.Header("x-amz-target");
  return target.empty() ? request.path : target;
}

}  // namespace

FrontDoor::FrontDoor(const FrontDoorTable* table, const auth::CredentialStore* credentials, const Clock* clock,
                     uint64_t seed)
    : table_(table), credentials_(credentials), verifier_(credentials, clock), random_(seed) {}

FrontDoor::~FrontDoor() = default;

FrontDoor::Route FrontDoor::Find(const http::RequestView& request) const {
  if (request.path.starts_with(kOwnPrefix)) return {Protocol::kOwn, nullptr};
  const std::string_view scope = ScopeService(request);
  if (IsPresigned(request)) return {Protocol::kS3, table_->s3};
  const std::string_view target = request.Header("x-amz-target");
  if (scope == "s3") return {Protocol::kS3, table_->s3};
  if (scope == "sagemaker") {
    if (!target.empty()) return {Protocol::kJson, table_->sagemaker};
    return {Protocol::kRest, request.path.starts_with("/endpoints/") ? table_->runtime : nullptr};
  }
  if (scope == "logs") return {Protocol::kJson, table_->logs};
  if (scope == "monitoring") {
    if (!target.empty()) return {Protocol::kJson, table_->cloudwatch};
    return {request.path.starts_with("/service/") ? Protocol::kRest : Protocol::kQuery, table_->cloudwatch};
  }
  if (scope == "application-autoscaling") return {Protocol::kJson, table_->autoscaling};
  if (scope == "sts") return {Protocol::kQuery, table_->sts};
  if (scope == "iam") return {Protocol::kQuery, table_->iam};
  if (!target.empty()) {
    if (!scope.empty()) return {Protocol::kJson, nullptr};
    return {Protocol::kJson, target.starts_with("Logs_") ? table_->logs : table_->sagemaker};
  }
  if (IsForm(request)) return {Protocol::kQuery, scope.empty() ? table_->sts : nullptr};
  if (!scope.empty()) return {Protocol::kRest, nullptr};
  if (IsInvocation(request)) return {Protocol::kRest, table_->runtime};
  return {Protocol::kS3, table_->s3};
}

http::Response FrontDoor::AuthErrorResponse(const auth::AuthError& error, Protocol protocol,
                                            const http::RequestView& request, std::string_view request_id) {
  http::Response response;
  switch (protocol) {
    case Protocol::kJson:
      response = JsonErrorResponse(WordForJson(error), JsonVersionOf(request));
      break;
    case Protocol::kRest:
      response = RestErrorResponse(WordForJson(error));
      break;
    case Protocol::kQuery:
      response = QueryErrorResponse(WordForQuery(error), kStsNamespace, request_id);
      break;
    case Protocol::kS3:
    case Protocol::kOwn:
      response = S3ErrorResponse(WordForS3(error), request, request_id);
      break;
  }
  TaggedExchange::Tag(response, request_id);
  return response;
}

http::Response FrontDoor::UnknownService(const http::RequestView& request, Protocol protocol,
                                         std::string_view request_id) {
  const std::string message = "Argosy does not have '" + std::string(AskedFor(request).substr(0, 256)) + "'.";
  http::Response response;
  switch (protocol) {
    case Protocol::kJson:
      response = JsonErrorResponse({400, "UnknownOperationException", message}, JsonVersionOf(request));
      break;
    case Protocol::kRest:
      response = RestErrorResponse({404, "UnknownOperationException", message});
      break;
    case Protocol::kQuery:
      response =
          QueryErrorResponse({400, "InvalidAction", "Argosy does not have this service."}, kStsNamespace, request_id);
      break;
    case Protocol::kS3:
    case Protocol::kOwn:
      response = S3ErrorResponse({501, "NotImplemented", message}, request, request_id);
      break;
  }
  TaggedExchange::Tag(response, request_id);
  return response;
}

std::variant<std::shared_ptr<const auth::Principal>, http::Response> FrontDoor::Authenticate(
    const http::RequestView& request, Protocol protocol, std::string_view payload_hash, std::string_view request_id) {
  const bool presigned = protocol == Protocol::kS3 && IsPresigned(request);
  const std::variant<auth::AuthorizationView, auth::AuthError> parsed =
      presigned ? auth::AuthorizationView() : auth::ParseAuthorization(request);
  if (const auto* error = std::get_if<auth::AuthError>(&parsed)) {
    return AuthErrorResponse(*error, protocol, request, request_id);
  }
  const auth::Verdict verdict =
      presigned ? verifier_.VerifyPresigned(request)
                : verifier_.Verify(request, std::get<auth::AuthorizationView>(parsed), payload_hash);
  if (const auto* error = std::get_if<auth::AuthError>(&verdict)) {
    return AuthErrorResponse(*error, protocol, request, request_id);
  }
  return std::get<std::shared_ptr<const auth::Principal>>(verdict);
}

// A signature that covers the body can only be checked after it. But who names no key that is known gets no room for a
// large one.
std::optional<http::Response> FrontDoor::RefuseStranger(const http::RequestView& head, Protocol protocol) {
  if (!head.chunked && head.content_length <= kStrangersBodyMax) return std::nullopt;
  const std::variant<auth::AuthorizationView, auth::AuthError> parsed = auth::ParseAuthorization(head);
  if (const auto* error = std::get_if<auth::AuthError>(&parsed)) {
    return AuthErrorResponse(*error, protocol, head, NewUuid(random_));
  }
  const auth::KeyLookup found =
      credentials_->Find(std::get<auth::AuthorizationView>(parsed).access_key_id, head.Header("x-amz-security-token"));
  if (found.credential != nullptr) return std::nullopt;
  return AuthErrorResponse({found.failure, "this access key is not known"}, protocol, head, NewUuid(random_));
}

http::BodyPlan FrontDoor::OnHead(const http::RequestView& head) {
  const Route route = Find(head);
  found_ = route;
  found_for_ = head.headers.data();
  if (route.protocol == Protocol::kOwn) return http::BufferBody{kOwnBodyMax};
  if (route.service == nullptr) return http::BufferBody{kUnknownBodyMax};
  if (route.protocol != Protocol::kS3) {
    if (std::optional<http::Response> refusal = RefuseStranger(head, route.protocol)) {
      return http::Refuse{std::move(*refusal)};
    }
    return route.service->OnHead(head, {}, {});
  }

  const std::string request_id = NewUuid(random_);
  if (head.HasHeader("authorization") && IsPresigned(head)) {
    return http::Refuse{S3ErrorResponse({400, "InvalidArgument",
                                         "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                                         "Signature query string parameter or the Authorization header should be "
                                         "specified"},
                                        head, request_id)};
  }
  const std::string_view payload_hash = head.Header("x-amz-content-sha256");
  if (payload_hash.empty() && head.HasHeader("authorization")) {
    // One of another kind is told so, not what a signature of this kind would need.
    const std::variant<auth::AuthorizationView, auth::AuthError> parsed = auth::ParseAuthorization(head);
    if (const auto* error = std::get_if<auth::AuthError>(&parsed)) {
      return http::Refuse{AuthErrorResponse(*error, route.protocol, head, request_id)};
    }
    return http::Refuse{S3ErrorResponse(
        {400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"}, head, request_id)};
  }
  // What signs a form is one of its fields, in a body that nobody reads.
  const bool form = head.method == "POST" && ToLower(head.Header("content-type")).starts_with("multipart/form-data");
  if (form && !head.HasHeader("authorization") && !IsPresigned(head)) {
    return http::Refuse{
        S3ErrorResponse({501, "NotImplemented",
                         "This server does not implement uploads by a form (presigned POST): sign a PUT instead."},
                        head, request_id)};
  }
  const auto verdict = Authenticate(head, route.protocol, payload_hash, request_id);
  if (const auto* response = std::get_if<http::Response>(&verdict)) return http::Refuse{*response};
  const auto& principal = std::get<std::shared_ptr<const auth::Principal>>(verdict);
  SignedHead signed_head{.principal = principal.get()};
  if (payload_hash.starts_with(kSignedChunks) && head.HasHeader("authorization")) {
    signed_head.chunks = verifier_.ChunksOf(head, std::get<auth::AuthorizationView>(auth::ParseAuthorization(head)));
    if (signed_head.chunks == nullptr) {
      return http::Refuse{AuthErrorResponse({auth::AuthFailure::kUnknownKey, "this access key is not known any more"},
                                            route.protocol, head, request_id)};
    }
  }
  http::BodyPlan plan = route.service->OnHead(head, std::move(signed_head), request_id);
  if (auto* refuse = std::get_if<http::Refuse>(&plan)) {
    TaggedExchange::Tag(refuse->response, request_id);
  } else if (auto* stream = std::get_if<http::StreamBody>(&plan)) {
    stream->sink = std::make_shared<SignedSink>(std::move(stream->sink), principal, request_id);
  }
  return plan;
}

void FrontDoor::OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink) {
  const http::RequestView& request = exchange->request();
  const Route route = found_for_ == request.headers.data() ? found_ : Find(request);
  if (sink != nullptr) {  // made by OnHead, which has checked the signature
    const auto& signed_sink = static_cast<const SignedSink&>(*sink);
    return Dispatch(route, std::move(exchange), signed_sink.inner, signed_sink.principal, signed_sink.request_id);
  }

  const UuidText id = NewUuidText(random_);
  const std::string_view request_id = AsText(id);
  if (route.protocol == Protocol::kOwn) {
    const auto page = table_->pages.find(request.path);
    http::Response response;
    const auto refuse = [&response](int status, std::string_view message) {
      response.status = status;
      response.Set("Content-Type", "application/json");
      response.body = "{\"message\":\"" + std::string(message) + "\"}\n";
    };
    if (page == table_->pages.end()) {
      refuse(404, "There is no such page.");
    } else if (request.method != "GET" && request.method != "HEAD") {
      refuse(405, "This page can only be read.");
      response.Set("Allow", "GET, HEAD");
    } else {
      response = page->second(request);
    }
    TaggedExchange::Tag(response, request_id);
    return exchange->Respond(std::move(response));
  }

  const auth::HexDigest digest = auth::ToHexDigest(auth::FastSha256(request.body));
  const std::string_view body_hash = auth::AsText(digest);
  std::string_view payload_hash = body_hash;
  if (route.protocol == Protocol::kS3) {
    payload_hash = request.Header("x-amz-content-sha256");
    const bool open = payload_hash.empty() && IsPresigned(request);  // the URL leaves the bytes open
    if (!open && payload_hash != kUnsignedPayload && !payload_hash.starts_with("STREAMING-") &&
        payload_hash != body_hash) {
      http::Response response =
          S3ErrorResponse({400, "XAmzContentSHA256Mismatch",
                           "The provided 'x-amz-content-sha256' header does not match what was computed."},
                          request, request_id);
      TaggedExchange::Tag(response, request_id);
      return exchange->Respond(std::move(response));
    }
  }
  auto verdict = Authenticate(request, route.protocol, payload_hash, request_id);
  if (auto* response = std::get_if<http::Response>(&verdict)) return exchange->Respond(std::move(*response));
  if (route.service == nullptr) return exchange->Respond(UnknownService(request, route.protocol, request_id));
  Dispatch(route, std::move(exchange), nullptr, std::get<std::shared_ptr<const auth::Principal>>(verdict), request_id);
}

void FrontDoor::Dispatch(const Route& route, std::shared_ptr<http::Exchange> exchange,
                         std::shared_ptr<http::BodySink> sink, std::shared_ptr<const auth::Principal> principal,
                         std::string_view request_id) const {
  // The runtime writes whole responses, the id among them; a wrapper would only cost it. It asks for nothing of the
  // principal.
  if (route.service == table_->runtime) {
    if (auth::May(*principal, auth::Access::kInvoke)) {
      return route.service->OnRequest(std::move(exchange), std::move(sink), *principal, request_id);
    }
    http::Response response =
        RestErrorResponse({403, "AccessDeniedException", auth::DenialOf(*principal, "sagemaker:InvokeEndpoint")});
    TaggedExchange::Tag(response, request_id);
    return exchange->Respond(std::move(response));
  }
  const auth::Principal& asker = *principal;
  exchange = std::make_shared<TaggedExchange>(std::move(exchange), std::move(principal), request_id);
  route.service->OnRequest(std::move(exchange), std::move(sink), asker, request_id);
}

http::Response FrontDoor::OnTooLarge(const http::RequestView& head, size_t size_max) {
  const std::string request_id = NewUuid(random_);
  const Route route = Find(head);
  http::Response response;
  if (route.service != nullptr) {
    response = route.service->OnTooLarge(head, size_max, request_id);
  } else {
    response.status = 413;
  }
  TaggedExchange::Tag(response, request_id);
  return response;
}

http::Response FrontDoor::OnMalformed(int status, std::string_view text) {
  http::Response response = http::Handler::OnMalformed(status, text);
  TaggedExchange::Tag(response, NewUuid(random_));
  return response;
}

http::Response HealthPage(const http::RequestView& /*request*/) {
  http::Response response;
  response.Set("Content-Type", "application/json");
  response.body = "{\"status\":\"ready\"}\n";
  return response;
}

}  // namespace argosy::api
