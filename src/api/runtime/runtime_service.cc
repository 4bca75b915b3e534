#include "api/runtime/runtime_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "api/runtime/event_stream.h"
#include "auth/access.h"
#include "base/bytes.h"
#include "base/json.h"
#include "protocol/frames.h"

namespace argosy::api {
namespace {

constexpr std::string_view kPrefix = "/endpoints/";
constexpr std::string_view kRetryAfterSeconds = "1";
constexpr size_t kRequestIdBytesMax = 64;
constexpr size_t kShownBytesMax = 128;  // of what the caller sent, in a message
constexpr size_t kTextKept = 64 * 1024;

enum class Form { kInvoke, kAsync, kStream, kUnknown };

struct Target {
  Form form = Form::kUnknown;
  std::string_view endpoint;
};

Target ParseTarget(const http::RequestView& request) {
  if (request.method != "POST" || !request.path.starts_with(kPrefix)) return {};
  const std::string_view rest = request.path.substr(kPrefix.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash == 0) return {};
  const std::string_view form = rest.substr(slash + 1);
  const std::string_view endpoint = rest.substr(0, slash);
  if (form == "invocations") return {Form::kInvoke, endpoint};
  if (form == "async-invocations") return {Form::kAsync, endpoint};
  if (form == "invocations-response-stream") return {Form::kStream, endpoint};
  return {};
}

// Headers that ask for what is not there: to leave them out would give another answer than was asked for.
constexpr std::string_view kRefusedHeaders[] = {
    "X-Amzn-SageMaker-Target-Model",        "X-Amzn-SageMaker-Target-Container-Hostname",
    "X-Amzn-SageMaker-Enable-Explanations", "X-Amzn-SageMaker-Inference-Component",
    "X-Amzn-SageMaker-Session-Id",
};

std::string Shown(std::string_view text) {
  return std::string(text.substr(0, kShownBytesMax));
}

// A value that may stand in a header line.
bool IsHeaderValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

http::Response ErrorResponse(int status, std::string_view code, const Json& body, std::string_view request_id) {
  http::Response response;
  response.status = status;
  response.Set("Content-Type", "application/json");
  response.Set("x-amzn-ErrorType", std::string(code));
  if (!request_id.empty()) response.Set("x-amzn-RequestId", std::string(request_id));
  response.body = DumpJson(body);
  return response;
}

http::Response ErrorResponse(int status, std::string_view code, std::string message, std::string_view request_id) {
  return ErrorResponse(status, code, Json{{"Message", std::move(message)}, {"Code", code}}, request_id);
}

// "Date: …\r\n", made once a second. One for each loop.
class DateLine {
 public:
  std::string_view At(Time now) {
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    if (second != second_ || line_.empty()) {
      second_ = second;
      line_ = "Date: " + FormatHttpDate(now) + "\r\n";
    }
    return line_;
  }

 private:
  std::chrono::sys_seconds second_{};
  std::string line_;
};

struct LoopState {
  const Scheduler* loop = nullptr;
  DateLine date;
  std::string text;  // of an answer while it is written
};

void AppendNumber(std::string& out, size_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

class PendingInvocation : public serving::Invocation {
 public:
  PendingInvocation(std::shared_ptr<http::Exchange> exchange, std::string_view endpoint, std::string_view request_id,
                    LoopState& state, const Clock& clock, const RuntimeOptions& options)
      : exchange_(std::move(exchange)), state_(state), clock_(clock), options_(options) {
    request_id_size_ = std::min(request_id.size(), kRequestIdBytesMax);
    std::memcpy(request_id_.data(), request_id.data(), request_id_size_);
    const http::RequestView& request = exchange_->request();
    view_.endpoint = endpoint;
    view_.body = request.body;
    for (const http::HeaderView& header : request.headers) TakeHeader(header);
  }

  // For the form that is answered in parts, whose Accept has a header of its own.
  void UseStreamAccept() { view_.accept = exchange_->request().Header("X-Amzn-SageMaker-Accept"); }

  const serving::InvocationView& view() const override { return view_; }
  bool abandoned() const override { return exchange_->abandoned(); }

  // What forbids to send it on.
  std::optional<std::string> Refusal() const {
    if (!refused_.empty()) return fmt::format("The header {} is not supported.", refused_);
    for (const std::string_view field :
         {view_.content_type, view_.accept, view_.custom_attributes, view_.inference_id}) {
      if (field.size() > protocol::kFieldBytesMax) {
        return fmt::format("A header is longer than {} bytes.", protocol::kFieldBytesMax);
      }
    }
    return std::nullopt;
  }

  void Refuse(std::string message) {
    exchange_->Respond(ErrorResponse(400, "ValidationError", std::move(message), request_id()));
  }

  void OnAnswer(const protocol::AnswerView& answer, std::string_view variant) override {
    if (answer.status / 100 != 2) return RespondModelError(answer.status, answer.body);
    std::string& out = state_.text;
    out.assign("HTTP/1.1 200 OK\r\n");
    out.append(state_.date.At(clock_.Now()));
    out.append("x-amzn-RequestId: ").append(request_id());
    out.append("\r\nx-amzn-Invoked-Production-Variant: ").append(variant);
    if (!answer.content_type.empty() && IsHeaderValue(answer.content_type)) {
      out.append("\r\nContent-Type: ").append(answer.content_type);
    }
    if (!answer.custom_attributes.empty() && IsHeaderValue(answer.custom_attributes)) {
      out.append("\r\nX-Amzn-SageMaker-Custom-Attributes: ").append(answer.custom_attributes);
    }
    out.append("\r\nContent-Length: ");
    AppendNumber(out, answer.body.size());
    out.append("\r\n\r\n").append(answer.body);
    exchange_->RespondRaw(out);
    if (out.capacity() > kTextKept) std::string().swap(out);
  }

  void OnFailure(serving::InvocationFailure failure) override {
    using enum serving::InvocationFailure;
    switch (failure) {
      case kUnknownEndpoint:
        return Refuse(fmt::format("Endpoint {} of account {} not found.", Shown(view_.endpoint), options_.account));
      case kUnknownVariant:
        return Refuse(
            fmt::format("Variant {} of endpoint {} not found.", Shown(view_.target_variant), Shown(view_.endpoint)));
      case kBusy:
        return RespondUnavailable(fmt::format("The endpoint {} has as many requests waiting as it may have: try again.",
                                              Shown(view_.endpoint)));
      case kNoInstance:
        return RespondUnavailable(
            fmt::format("No instance of the endpoint {} answers at present: they are being started, or it has none "
                        "and nothing scales it (DescribeEndpoint shows how many there are to be).",
                        Shown(view_.endpoint)));
      case kTimedOut:
        return RespondModelError(0, "the model did not answer within the 60 seconds that an invocation has");
      case kInstanceLost:
        return exchange_->Respond(
            ErrorResponse(500, "InternalFailure",
                          fmt::format("The instance of endpoint {} that had the request ended before it answered.",
                                      Shown(view_.endpoint)),
                          request_id()));
    }
  }

 protected:
  std::string_view request_id() const { return {request_id_.data(), request_id_size_}; }
  http::Exchange& exchange() { return *exchange_; }

 private:
  void TakeHeader(const http::HeaderView& header) {
    constexpr std::string_view kContentType = "Content-Type";
    constexpr std::string_view kAccept = "Accept";
    constexpr std::string_view kOwn = "X-Amzn-SageMaker-";
    const std::string_view name = header.name;
    if (name.size() == kContentType.size() && EqualsIgnoreCase(name, kContentType)) {
      view_.content_type = header.value;
    } else if (name.size() == kAccept.size() && EqualsIgnoreCase(name, kAccept)) {
      view_.accept = header.value;
    } else if (name.size() > kOwn.size() && EqualsIgnoreCase(name.substr(0, kOwn.size()), kOwn)) {
      const std::string_view rest = name.substr(kOwn.size());
      if (EqualsIgnoreCase(rest, "Target-Variant")) view_.target_variant = header.value;
      if (EqualsIgnoreCase(rest, "Custom-Attributes")) view_.custom_attributes = header.value;
      if (EqualsIgnoreCase(rest, "Inference-Id")) view_.inference_id = header.value;
      for (const std::string_view refused : kRefusedHeaders) {
        if (EqualsIgnoreCase(name, refused)) refused_ = refused;
      }
    }
  }

  void RespondUnavailable(std::string message) {
    http::Response response = ErrorResponse(503, "ServiceUnavailable", std::move(message), request_id());
    response.Set("Retry-After", std::string(kRetryAfterSeconds));
    exchange_->Respond(std::move(response));
  }

  void RespondModelError(int original_status, std::string_view message) {
    const std::string group = "/aws/sagemaker/Endpoints/" + std::string(view_.endpoint);
    const bool client = original_status >= 400 && original_status < 500;
    const Json body{
        {"ErrorCode", client ? "CLIENT_ERROR_FROM_MODEL" : "INTERNAL_FAILURE_FROM_MODEL"},
        {"LogStreamArn", fmt::format("arn:aws:logs:{}:{}:log-group:{}", options_.region, options_.account, group)},
        {"Message",
         fmt::format("Received {} error ({}) from primary with message \"{}\". See the log group {} in account "
                     "{} for more information.",
                     client ? "client" : "server", original_status, message, group, options_.account)},
        {"OriginalMessage", message},
        {"OriginalStatusCode", original_status}};
    exchange_->Respond(ErrorResponse(424, "ModelError", body, request_id()));
  }

  const std::shared_ptr<http::Exchange> exchange_;
  LoopState& state_;
  const Clock& clock_;
  const RuntimeOptions& options_;
  serving::InvocationView view_;
  std::string_view refused_;
  std::array<char, kRequestIdBytesMax> request_id_;
  size_t request_id_size_ = 0;
};

// Answered by events as the model's answer comes.
class StreamInvocation final : public PendingInvocation {
 public:
  using PendingInvocation::PendingInvocation;

  bool in_parts() const override { return true; }

  void OnPart(const protocol::AnswerView& part, std::string_view variant, std::function<void()> taken) override {
    Begin(part, variant);
    std::string event;
    AppendPayloadPart(event, part.body);
    exchange().WritePiece(event, std::move(taken));
  }

  void OnAnswer(const protocol::AnswerView& answer, std::string_view variant) override {
    const bool good = answer.status / 100 == 2;
    if (!begun_ && !good) return PendingInvocation::OnAnswer(answer, variant);
    Begin(answer, variant);
    if (!good) return EndBy("ModelStreamError", {{"ErrorCode", "StreamBroken"}, {"Message", answer.body}});
    for (std::string_view rest = answer.body; !rest.empty(); rest.remove_prefix(std::min(rest.size(), kEventBytes))) {
      std::string event;
      AppendPayloadPart(event, rest.substr(0, kEventBytes));
      exchange().WritePiece(event, nullptr);
    }
    exchange().EndPieces();
  }

  void OnFailure(serving::InvocationFailure failure) override {
    if (!begun_) return PendingInvocation::OnFailure(failure);
    if (failure == serving::InvocationFailure::kTimedOut) {
      return EndBy("ModelStreamError",
                   {{"ErrorCode", "ModelInvocationTimeExceeded"},
                    {"Message", "the model sent nothing for 60 seconds, or more than 8 minutes had passed"}});
    }
    EndBy("InternalStreamFailure", {{"Message", "the instance that answered ended in the middle of its answer"}});
  }

 private:
  static constexpr size_t kEventBytes = 1 << 20;

  void Begin(const protocol::AnswerView& answer, std::string_view variant) {
    if (std::exchange(begun_, true)) return;
    http::Response head;
    head.Set("Content-Type", std::string(kEventStreamType));
    head.Set("x-amzn-RequestId", std::string(request_id()));
    head.Set("x-Amzn-Invoked-Production-Variant", std::string(variant));
    const auto set = [&](const char* name, std::string_view value) {
      if (!value.empty() && IsHeaderValue(value)) head.Set(name, std::string(value));
    };
    set("X-Amzn-SageMaker-Content-Type", answer.content_type);
    set("X-Amzn-SageMaker-Custom-Attributes", answer.custom_attributes);
    exchange().RespondInPieces(std::move(head));
  }

  void EndBy(std::string_view type, const Json& why) {
    std::string event;
    AppendStreamException(event, type, DumpJson(why));
    exchange().WritePiece(event, nullptr);
    exchange().EndPieces();
  }

  bool begun_ = false;
};

class RuntimeService final : public Service {
 public:
  RuntimeService(serving::Router* router, const Clock* clock, RuntimeOptions options)
      : router_(router), clock_(clock), options_(std::move(options)) {
    for (const EventLoop* loop : router->loops()) {
      states_.emplace_back();
      states_.back().loop = loop;
    }
  }

  http::BodyPlan OnHead(const http::RequestView&, SignedHead, std::string_view) override {
    return http::BufferBody{protocol::kInvokeBodyBytesMax};
  }

  void OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink>, const auth::Principal&,
                 std::string_view request_id) override {
    const http::RequestView& request = exchange->request();
    const Target target = ParseTarget(request);
    if (target.form == Form::kStream) return Stream(std::move(exchange), target.endpoint, request_id);
    if (target.form != Form::kInvoke) return Respond(*exchange, OtherForm(target, request, request_id));
    const Scheduler& loop = exchange->loop();
    auto invocation = std::make_unique<PendingInvocation>(std::move(exchange), target.endpoint, request_id,
                                                          StateOf(loop), *clock_, options_);
    if (std::optional<std::string> refusal = invocation->Refusal()) return invocation->Refuse(std::move(*refusal));
    router_->Invoke(loop, std::move(invocation));
  }

  http::Response OnTooLarge(const http::RequestView& head, size_t size_max, std::string_view request_id) override {
    const std::string size =
        head.chunked ? std::string("A request") : fmt::format("Request of {} bytes", head.content_length);
    return ErrorResponse(413, "ValidationError", fmt::format("{} has exceeded max allowed of {} bytes", size, size_max),
                         request_id);
  }

  std::optional<bool> MayDo(const auth::Principal& principal, std::string_view action,
                            std::string_view /*resource*/) const override {
    if (action != "sagemaker:InvokeEndpoint" && action != "sagemaker:InvokeEndpointWithResponseStream") return {};
    return auth::May(principal, auth::Access::kInvoke);
  }

 private:
  LoopState& StateOf(const Scheduler& loop) {
    for (LoopState& state : states_) {
      if (state.loop == &loop) return state;
    }
    Check(false, "an invocation on a loop that is not the router's");
    return states_.front();
  }

  void Stream(std::shared_ptr<http::Exchange> exchange, std::string_view endpoint, std::string_view request_id) {
    const Scheduler& loop = exchange->loop();
    auto invocation =
        std::make_unique<StreamInvocation>(std::move(exchange), endpoint, request_id, StateOf(loop), *clock_, options_);
    invocation->UseStreamAccept();
    if (std::optional<std::string> refusal = invocation->Refusal()) return invocation->Refuse(std::move(*refusal));
    router_->Invoke(loop, std::move(invocation));
  }

  static void Respond(http::Exchange& exchange, http::Response response) { exchange.Respond(std::move(response)); }

  http::Response OtherForm(const Target& target, const http::RequestView& request, std::string_view request_id) const {
    switch (target.form) {
      case Form::kAsync:
        return ErrorResponse(400, "ValidationError",
                             std::string("InvokeEndpointAsync is not supported: use InvokeEndpoint."), request_id);
      default:
        return ErrorResponse(404, "UnknownOperationException",
                             fmt::format("Argosy does not have '{} {}'.", Shown(request.method), Shown(request.path)),
                             request_id);
    }
  }

  serving::Router* const router_;
  const Clock* const clock_;
  const RuntimeOptions options_;
  std::vector<LoopState> states_;  // one a loop, each touched by its loop alone
};

}  // namespace

std::unique_ptr<Service> MakeRuntimeService(serving::Router* router, const Clock* clock, RuntimeOptions options) {
  return std::make_unique<RuntimeService>(router, clock, std::move(options));
}

}  // namespace argosy::api
