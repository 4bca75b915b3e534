#include "agent/program/http_backend.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"

namespace argosy::agent {
namespace {

constexpr std::string_view kAttributesHeader = "X-Amzn-SageMaker-Custom-Attributes";

// Nothing may end a header line but we.
void AppendLine(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(name).append(": ");
  for (const char c : value) out.push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
  out.append("\r\n");
}

std::string InvocationText(const ProgramRequest& request) {
  std::string out;
  out.reserve(512 + request.body.size());
  out.append("POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  AppendLine(out, "Content-Type", request.content_type);
  AppendLine(out, "Accept", request.accept);
  AppendLine(out, kAttributesHeader, request.custom_attributes);
  AppendLine(out, "X-Amzn-SageMaker-Inference-Id", request.inference_id);
  out.append(fmt::format("Content-Length: {}\r\n\r\n", request.body.size()));
  out.append(request.body);
  return out;
}

constexpr std::string_view kPingText = "GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

// A header's value as far as a frame takes it.
std::string Field(std::string_view value) {
  return std::string(value.substr(0, protocol::kFieldBytesMax));
}

}  // namespace

// One request with the program.
class HttpBackend::Call final : public http::AsyncClient::Answer {
 public:
  Call(HttpBackend& backend, const ProgramRequest& request)
      : backend_(backend), key_(request.key), in_parts_(request.in_parts), deadline_(request.deadline) {
    id_ = backend_.client_.Send(InvocationText(request), *this);
  }
  ~Call() { HangUp(); }

  void HangUp() { backend_.client_.Cancel(id_); }

  uint64_t key() const { return key_; }
  // A streamed answer may take longer than any one request; who asked for it says when it is enough.
  bool expired(Duration now) const { return !streaming_ && now >= deadline_; }

  void Grant(size_t bytes) {
    ungranted_ -= std::min(ungranted_, bytes);
    if (ungranted_ < protocol::kPartCreditBytes) backend_.client_.Resume(id_);
  }

  void OnHead(const http::ResponseHead& head) override {
    status_ = static_cast<uint16_t>(head.status);
    content_type_ = Field(head.Header("Content-Type"));
    custom_attributes_ = Field(head.Header(kAttributesHeader));
    streaming_ = in_parts_ && status_ / 100 == 2;
    backend_.heard_ = backend_.loop_.TurnTime();
  }

  void OnBody(std::string_view piece) override {
    backend_.heard_ = backend_.loop_.TurnTime();
    if (!streaming_) {
      if (body_.size() + piece.size() + 2 * protocol::kFieldBytesMax <= protocol::kAnswerBytesMax) {
        body_.append(piece);
        return;
      }
      // The call ends here: the rest is not wanted.
      const std::string text = fmt::format(
          "the program's answer has more than the {} bytes allowed: send fewer rows, or "
          "take it as a stream",
          protocol::kAnswerBytesMax);
      return backend_.End(*this, {.status = 500, .content_type = "text/plain", .body = text});
    }
    ungranted_ += piece.size();
    if (ungranted_ >= protocol::kPartCreditBytes) backend_.client_.Pause(id_);
    for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), protocol::kPartBytesMax))) {
      backend_.events_.OnPart(key_, View(piece.substr(0, protocol::kPartBytesMax)));
    }
  }

  void OnEnd(const Status& status) override {
    if (status.ok()) return backend_.End(*this, View(body_));
    broken_ = "the program did not answer: " + status.error().message();
    if (streaming_) return AnswerBroken();
    backend_.Doubt();
  }

  bool broken() const { return !broken_.empty(); }
  void AnswerBroken() {
    const std::string text = broken_;
    backend_.End(*this, {.status = 500, .content_type = "text/plain", .body = text});
  }

 private:
  protocol::AnswerView View(std::string_view body) const {
    return {.status = status_, .content_type = content_type_, .custom_attributes = custom_attributes_, .body = body};
  }

  HttpBackend& backend_;
  const uint64_t key_;
  const bool in_parts_;
  const Duration deadline_;
  http::AsyncClient::CallId id_ = 0;
  uint16_t status_ = 500;
  bool streaming_ = false;
  std::string content_type_;
  std::string custom_attributes_;
  std::string body_;
  std::string broken_;    // how its connection ended before the answer did
  size_t ungranted_ = 0;  // of parts handed over, not yet taken
};

class HttpBackend::Ping final : public http::AsyncClient::Answer {
 public:
  explicit Ping(HttpBackend& backend) : backend_(backend) {
    id_ = backend_.client_.Send(std::string(kPingText), *this);
    late_ = backend_.loop_.After(kPingTime, [this] {
      late_ = 0;
      Tell("GET /ping was not answered within 2 s");
    });
  }
  ~Ping() {
    backend_.loop_.Cancel(late_);
    backend_.client_.Cancel(id_);
  }
  void OnHead(const http::ResponseHead& head) override { status_ = head.status; }
  void OnBody(std::string_view) override {}
  void OnEnd(const Status& status) override {
    if (!status.ok()) return Tell("GET /ping was not answered: " + status.error().message());
    Tell(status_ == 200 ? "" : fmt::format("GET /ping was answered with status {}", status_));
  }

 private:
  void Tell(const std::string& complaint) {
    HttpBackend& backend = backend_;
    backend.ping_.reset();  // this object; `complaint` is its caller's
    backend.OnPing(complaint);
  }

  HttpBackend& backend_;
  http::AsyncClient::CallId id_ = 0;
  TimerId late_ = 0;
  int status_ = 0;
};

HttpBackend::HttpBackend(EventLoop& loop, const ProgramPlan& plan, ProgramLauncher launch, BackendEvents& events,
                         Duration unready_told_each)
    : loop_(loop),
      concurrent_max_(plan.concurrent_max),
      launch_(std::move(launch)),
      events_(events),
      client_(loop, plan.port),
      unready_told_each_(unready_told_each) {}

HttpBackend::~HttpBackend() {
  *alive_ = false;
  for (const TimerId timer : {ping_timer_, second_timer_, kill_timer_, doubt_timer_}) loop_.Cancel(timer);
  ping_.reset();
  calls_.clear();
  ended_.clear();
}

Status HttpBackend::Start() {
  Result<std::unique_ptr<ChildProcess>> process = launch_(-1, [this](const std::string& how) {
    if (stopped_) return std::exchange(stopped_, nullptr)();
    std::string reason = "the program " + how;
    if (!ready_) reason += " before it answered GET /ping";
    Fail(Error(ErrorCode::kUnavailable, reason));
  });
  if (!process.ok()) return process.error();
  process_ = std::move(*process);
  heard_ = told_unready_ = loop_.TurnTime();
  AskPing();
  return {};
}

void HttpBackend::AskPing() {
  loop_.Cancel(std::exchange(ping_timer_, 0));
  if (!ping_) ping_ = std::make_unique<Ping>(*this);
}

void HttpBackend::PingLater(Duration period) {
  loop_.Cancel(ping_timer_);
  ping_timer_ = loop_.After(period, [this] {
    ping_timer_ = 0;
    // One that has requests shows by answering them that it lives.
    if (ready_ && !calls_.empty()) return PingLater(kPingPeriod);
    AskPing();
  });
}

void HttpBackend::OnPing(const std::string& complaint) {
  if (failed_ || stopped_) return;
  if (complaint.empty()) {
    ping_failures_ = 0;
    heard_ = loop_.TurnTime();
    PingLater(kPingPeriod);
    if (doubt_timer_ != 0) {
      loop_.Cancel(std::exchange(doubt_timer_, 0));
      AnswerBroken();
    }
    if (!std::exchange(ready_, true)) {
      WatchTime();
      events_.OnReady();
    }
    return;
  }
  if (!ready_) {
    // Control ends it when it takes too long; until then its log says what is waited for.
    if (loop_.TurnTime() >= told_unready_ + unready_told_each_) {
      told_unready_ = loop_.TurnTime();
      events_.OnStillStarting(complaint);
    }
    return PingLater(kPingPeriodStarting);
  }
  if (calls_.empty() && ++ping_failures_ >= kPingFailuresMax) {
    return Fail(Error(ErrorCode::kUnavailable,
                      fmt::format("the program is not healthy: {}, {} times in a row", complaint, kPingFailuresMax)));
  }
  PingLater(kPingPeriod);
}

void HttpBackend::Submit(ProgramRequest request) {
  const uint64_t key = request.key;
  calls_.emplace(key, std::make_unique<Call>(*this, request));
}

void HttpBackend::Grant(uint64_t key, size_t bytes) {
  if (const auto it = calls_.find(key); it != calls_.end()) it->second->Grant(bytes);
}

void HttpBackend::Cancel(uint64_t key) {
  if (calls_.erase(key) > 0) events_.OnRoom();
}

void HttpBackend::End(Call& call, const protocol::AnswerView& answer) {
  heard_ = loop_.TurnTime();
  const uint64_t key = call.key();
  call.HangUp();
  // The call's own function may still be on the stack, and `answer` lie in it.
  const auto it = calls_.find(key);
  Check(it != calls_.end(), "a call ends once");
  ended_.push_back(std::move(it->second));
  calls_.erase(it);
  if (ended_.size() == 1) {
    loop_.AtEndOfTurn([this, alive = alive_] {
      if (*alive) ended_.clear();
    });
  }
  events_.OnAnswer(key, answer);
  events_.OnRoom();
}

// One that answers /ping meanwhile lives.
void HttpBackend::Doubt() {
  if (doubt_timer_ != 0) return;
  AskPing();
  doubt_timer_ = loop_.After(kEndTold, [this] {
    doubt_timer_ = 0;
    if (!failed_) AnswerBroken();
  });
}

void HttpBackend::AnswerBroken() {
  std::vector<uint64_t> broken;
  for (const auto& [key, call] : calls_) {
    if (call->broken()) broken.push_back(key);
  }
  for (const uint64_t key : broken) {
    if (const auto it = calls_.find(key); it != calls_.end()) it->second->AnswerBroken();
  }
  events_.OnRoom();
}

// Once a second: what has taken too long.
void HttpBackend::WatchTime() {
  second_timer_ = loop_.After(std::chrono::seconds(1), [this] {
    const Duration now = loop_.TurnTime();
    std::vector<uint64_t> late;
    for (const auto& [key, call] : calls_) {
      if (call->expired(now)) late.push_back(key);
    }
    const std::string text = fmt::format("the program did not answer within {} s",
                                         std::chrono::floor<std::chrono::seconds>(kProgramAnswerTime).count());
    for (const uint64_t key : late) {
      End(*calls_.at(key), {.status = 504, .content_type = "text/plain", .body = text});
    }
    if (!calls_.empty() && now - heard_ >= kProgramStuckAfter) {
      return Fail(Error(ErrorCode::kUnavailable, "the program answers nothing any more"));
    }
    WatchTime();
  });
}

void HttpBackend::Fail(const Error& why) {
  if (std::exchange(failed_, true)) return;
  events_.OnFailed(why);
}

void HttpBackend::Stop(std::function<void()> done) {
  loop_.Cancel(ping_timer_);
  loop_.Cancel(second_timer_);
  ping_timer_ = second_timer_ = 0;
  ping_.reset();
  if (!process_ || process_->ended()) return loop_.Post(std::move(done));
  stopped_ = std::move(done);
  process_->Signal(SIGTERM);
  kill_timer_ = loop_.After(kProgramStopGrace, [this] {
    kill_timer_ = 0;
    process_->Signal(SIGKILL);
  });
}

}  // namespace argosy::agent
