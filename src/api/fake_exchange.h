// An Exchange for tests: owns its request, keeps its answer.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/principal.h"
#include "base/bytes.h"
#include "base/result.h"
#include "http/handler.h"

namespace argosy::api {

// Who asks.
inline const auth::Principal kPrincipal{auth::PrincipalKind::kOwner, "owner", "arn:aws:iam::000000000000:user/owner"};

// A Scheduler whose tasks run at once; no timers.
class ImmediateScheduler final : public Scheduler {
 public:
  void Post(Task task) override { task(); }
  TimerId After(Duration /*delay*/, Task /*task*/) override { return 0; }
  void Cancel(TimerId /*timer*/) override {}
};

class FakeExchange final : public http::Exchange {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  FakeExchange(std::string method, std::string target, Headers headers, std::string body)
      : method_(std::move(method)), target_(std::move(target)), headers_(std::move(headers)), body_(std::move(body)) {
    for (const auto& [name, value] : headers_) views_.push_back({name, value});
    request_.method = method_;
    request_.target = target_;
    const size_t mark = target_.find('?');
    request_.path = std::string_view(target_).substr(0, mark);
    if (mark != std::string::npos) request_.query = std::string_view(target_).substr(mark + 1);
    request_.headers = views_;
    request_.body = body_;
    request_.content_length = body_.size();
    for (const auto& [name, value] : headers_) {  // announced otherwise
      if (EqualsIgnoreCase(name, "Content-Length")) request_.content_length = std::stoull(value);
      if (EqualsIgnoreCase(name, "Transfer-Encoding")) request_.chunked = true;
    }
  }

  const http::RequestView& request() const override { return request_; }

  void Respond(http::Response response) override {
    std::lock_guard lock(mutex_);
    Check(!response_.has_value(), "an exchange was answered twice");
    response_ = std::move(response);
    answered_.notify_all();
  }
  void RespondRaw(std::string_view bytes) override {
    http::Response response;
    response.status = 0;
    response.body = std::string(bytes);
    Respond(std::move(response));
  }
  // What is written in pieces is answered as a whole at the end.
  void RespondInPieces(http::Response&& head) override { pieces_ = std::move(head); }
  void WritePiece(std::string_view piece, Task taken) override {
    std::get<std::string>(pieces_.body).append(piece);
    if (taken) taken();
  }
  void EndPieces() override { Respond(std::move(pieces_)); }
  bool abandoned() const override { return false; }
  Scheduler& loop() override { return scheduler_; }

  // Blocks until the answer is there.
  const http::Response& Wait() {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return response_.has_value(); });
    return *response_;
  }
  bool answered() {
    std::lock_guard lock(mutex_);
    return response_.has_value();
  }

  // The head alone, as OnHead sees it.
  http::RequestView Head() const {
    http::RequestView head = request_;
    head.body = {};
    return head;
  }

 private:
  http::Response pieces_;
  std::string method_, target_;
  Headers headers_;
  std::string body_;
  std::vector<http::HeaderView> views_;
  http::RequestView request_;
  ImmediateScheduler scheduler_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::optional<http::Response> response_;
};

inline std::string HeaderOf(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

inline const std::string& BodyOf(const http::Response& response) {
  return std::get<std::string>(response.body);
}

}  // namespace argosy::api
