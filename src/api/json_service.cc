#include "api/json_service.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/validation.h"
#include "base/log.h"

namespace argosy::api {
namespace {

// The largest request any operation may rightly send is below 500 kB (100 hyperparameters of 2,756 characters, 100
// environment variables of 1,024).
constexpr size_t kBodyMax = size_t{1} << 20;

// Parsing costs about 10 ns a byte: this much holds the loop for 300 µs at most, and no request of the SDKs is larger.
constexpr size_t kBodyOnLoopMax = size_t{32} << 10;

constexpr std::string_view kContentType = "application/x-amz-json-1.1";

http::Response ToResponse(Answer answer) {
  if (const auto* error = std::get_if<ServiceError>(&answer)) return JsonErrorResponse(*error);
  http::Response response;
  response.Set("Content-Type", std::string(kContentType));
  response.body = std::move(std::get<std::string>(answer));
  return response;
}

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

http::Response JsonErrorResponse(const ServiceError& error) {
  http::Response response;
  response.status = error.status;
  response.Set("Content-Type", std::string(kContentType));
  response.body = DumpJson(Json{{"__type", error.code}, {"message", error.message}});
  return response;
}

JsonService::JsonService(JsonServiceOptions options, std::vector<Operation> operations, ThreadPool* pool)
    : options_(std::move(options)), operations_(std::move(operations)), pool_(pool) {
  for (const Operation& operation : operations_) {
    Check(by_name_.emplace(operation.name, &operation).second, "an operation is declared twice");
  }
}

http::BodyPlan JsonService::OnHead(const http::RequestView& /*head*/, const auth::Principal* /*principal*/,
                                   std::string_view /*request_id*/) {
  return http::BufferBody{kBodyMax};
}

http::Response JsonService::OnTooLarge(const http::RequestView& /*head*/, size_t size_max,
                                       std::string_view /*request_id*/) {
  return JsonErrorResponse({413, "RequestEntityTooLargeException",
                            "The request body is larger than " + std::to_string(size_max) + " bytes."});
}

Answer JsonService::Unknown(std::string_view target) const {
  if (target.empty()) {
    return ServiceError{400, "UnknownOperationException",
                        "The header X-Amz-Target is missing: it names the operation."};
  }
  return ServiceError{400, "UnknownOperationException",
                      "Argosy does not have the operation '" + std::string(target) + "' of " + options_.name + "."};
}

void JsonService::OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> /*sink*/,
                            const auth::Principal& principal, std::string_view request_id) {
  std::string_view name = exchange->request().Header("x-amz-target");
  if (name.starts_with(options_.target_prefix) && name.substr(options_.target_prefix.size()).starts_with('.')) {
    name.remove_prefix(options_.target_prefix.size() + 1);
  }
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return exchange->Respond(ToResponse(Unknown(name)));
  const Operation& operation = *found->second;
  if (operation.run_on == RunOn::kLoop && exchange->request().body.size() <= kBodyOnLoopMax) {
    return Run(operation, exchange, principal, request_id);
  }
  const Status queued = pool_->Submit([this, &operation, exchange, &principal, id = std::string(request_id)] {
    Run(operation, exchange, principal, id);
  });
  if (!queued.ok()) exchange->Respond(ToResponse(FromError(queued.error())));
}

void JsonService::Run(const Operation& operation, const std::shared_ptr<http::Exchange>& exchange,
                      const auth::Principal& principal, std::string_view request_id) const {
  std::string_view body = exchange->request().body;
  if (body.empty()) body = "{}";  // clients may send nothing for an operation without members
  const Result<Json> input = ParseJson(body);
  if (!input.ok()) {
    return exchange->Respond(ToResponse(ServiceError{400, "SerializationException", input.error().message()}));
  }
  if (std::optional<ServiceError> error = Validate(operation.input, *input, operation.name)) {
    if (error->code == "ValidationException") error->code = options_.invalid_code;
    return exchange->Respond(ToResponse(std::move(*error)));
  }
  operation.handle(Call{*input, body, principal, request_id},
                   [exchange](Answer answer) { exchange->Respond(ToResponse(std::move(answer))); });
}

}  // namespace argosy::api
