#include "api/json_service.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/request_body.h"
#include "api/validation.h"
#include "base/log.h"

namespace argosy::api {
namespace {

// The largest request any operation may rightly send is below 500 kB (100 hyperparameters of 2,756 characters, 100
// environment variables of 1,024).
constexpr size_t kBodyMax = size_t{1} << 20;

// Parsing costs about 10 ns a byte: this much holds the loop for 300 µs at most, and no request of the SDKs is larger.
constexpr size_t kBodyOnLoopMax = size_t{32} << 10;

}  // namespace

ServiceError FromError(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
      return ValidationError(error.message());
    case ErrorCode::kResourceExhausted:
      return {400, "ThrottlingException", "Rate exceeded: " + error.message()};
    case ErrorCode::kNoSpace:
      return {400, "ResourceLimitExceeded",
              "The disk of the data directory is full; make room and try again: " + error.message()};
    case ErrorCode::kConflict:
      return {400, "ConflictException", error.message()};
    case ErrorCode::kUnavailable:
    case ErrorCode::kDeadlineExceeded:
      return {503, "ServiceUnavailable", error.message()};
    default:
      break;
  }
  Log(LogLevel::kError, "request failed inside",
      {{"error", error.message()}, {"code", std::string(ErrorCodeName(error.code()))}});
  return {500, "InternalFailure", "The request could not be carried out: " + error.message()};
}

http::Response JsonErrorResponse(const ServiceError& error, std::string_view content_type) {
  http::Response response;
  response.status = error.status;
  response.Set("Content-Type", std::string(content_type));
  response.body = DumpJson(Json{{"__type", error.code}, {"message", error.message}});
  return response;
}

JsonService::JsonService(JsonServiceOptions options, std::vector<Operation> operations, ThreadPool* pool)
    : options_(std::move(options)), operations_(std::move(operations)), pool_(pool) {
  for (const Operation& operation : operations_) {
    Check(by_name_.emplace(operation.name, &operation).second, "an operation is declared twice");
  }
}

http::Response JsonService::ToResponse(Answer answer) const {
  if (const auto* error = std::get_if<ServiceError>(&answer)) {
    const auto shape = options_.query_error_shapes.find(error->code);
    if (shape == options_.query_error_shapes.end()) return JsonErrorResponse(*error, options_.content_type);
    http::Response response = JsonErrorResponse({error->status, shape->second, error->message}, options_.content_type);
    response.Set("x-amzn-query-error", error->code + (error->status >= 500 ? ";Receiver" : ";Sender"));
    return response;
  }
  http::Response response;
  response.Set("Content-Type", options_.content_type);
  response.body = std::move(std::get<std::string>(answer));
  return response;
}

const Operation* JsonService::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

http::BodyPlan JsonService::OnHead(const http::RequestView& /*head*/, SignedHead /*signed_head*/,
                                   std::string_view /*request_id*/) {
  return http::BufferBody{kBodyMax};
}

http::Response JsonService::OnTooLarge(const http::RequestView& /*head*/, size_t size_max,
                                       std::string_view /*request_id*/) {
  return JsonErrorResponse({413, "RequestEntityTooLargeException",
                            "The request body is larger than " + std::to_string(size_max) + " bytes."},
                           options_.content_type);
}

std::optional<bool> JsonService::MayDo(const auth::Principal& principal, std::string_view action,
                                       std::string_view /*resource*/) const {
  const size_t colon = action.find(':');
  if (colon == std::string_view::npos || action.substr(0, colon) != options_.action_prefix) return std::nullopt;
  const Operation* const operation = Find(action.substr(colon + 1));
  if (operation == nullptr) return std::nullopt;
  return auth::May(principal, operation->access);
}

Answer JsonService::Unknown(std::string_view target) const {
  if (target.starts_with(options_.target_prefix + ".")) target.remove_prefix(options_.target_prefix.size() + 1);
  if (target.empty()) {
    return ServiceError{400, "UnknownOperationException",
                        "The header X-Amz-Target is missing: it names the operation."};
  }
  return ServiceError{400, "UnknownOperationException",
                      "Argosy does not have the operation '" + std::string(target) + "' of " + options_.name + "."};
}

const Operation* JsonService::FindTarget(std::string_view target) const {
  if (target.starts_with(options_.target_prefix) && target.substr(options_.target_prefix.size()).starts_with('.')) {
    target.remove_prefix(options_.target_prefix.size() + 1);
  }
  return Find(target);
}

void JsonService::OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> /*sink*/,
                            const auth::Principal& principal, std::string_view request_id) {
  const http::RequestView& request = exchange->request();
  const std::string_view target = request.Header("x-amz-target");
  const Operation* const operation = FindTarget(target);
  if (operation == nullptr) return exchange->Respond(ToResponse(Unknown(target)));
  const Reply reply = [this, exchange](Answer answer) { exchange->Respond(ToResponse(std::move(answer))); };
  if (request.HasHeader("content-encoding")) {
    Result<std::string> body = DecodedBody(request);
    if (!body.ok()) return reply(ServiceError{400, "SerializationException", body.error().message()});
    return RunDecoded(*operation, std::move(*body), principal, request_id, reply);
  }
  if (operation->run_on == RunOn::kLoop && request.body.size() <= kBodyOnLoopMax) {
    return Run(*operation, request.body, principal, request_id, reply);
  }
  // `reply` holds the exchange, and so the body.
  const Status queued = pool_->Submit([this, operation, body = request.body, &principal, id = std::string(request_id),
                                       reply] { Run(*operation, body, principal, id, reply); });
  if (!queued.ok()) reply(FromError(queued.error()));
}

void JsonService::RunDecoded(const Operation& operation, std::string body, const auth::Principal& principal,
                             std::string_view request_id, Reply reply) const {
  const Status queued =
      pool_->Submit([this, &operation, body = std::move(body), &principal, id = std::string(request_id), reply] {
        Run(operation, body, principal, id, reply);
      });
  if (!queued.ok()) reply(FromError(queued.error()));
}

void JsonService::Run(const Operation& operation, std::string_view body, const auth::Principal& principal,
                      std::string_view request_id, Reply reply) const {
  if (!auth::May(principal, operation.access)) {
    return reply(ServiceError{options_.denied_status, options_.denied_code,
                              auth::DenialOf(principal, options_.action_prefix + ":" + operation.name)});
  }
  if (body.empty()) body = "{}";  // clients may send nothing for an operation without members
  const Result<Json> input = ParseJson(body);
  if (!input.ok()) return reply(ServiceError{400, "SerializationException", input.error().message()});
  if (std::optional<ServiceError> error = Validate(operation.input, *input, operation.name)) {
    if (error->code == "ValidationException") error->code = options_.invalid_code;
    return reply(std::move(*error));
  }
  operation.handle(Call{*input, body, principal, request_id}, std::move(reply));
}

}  // namespace argosy::api
