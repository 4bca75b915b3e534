// Only for tests: an instance at the other end of a socket, and requests that remember what became of them.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "protocol/frame_stream.h"
#include "serving/invocation.h"

namespace argosy::serving {

// What became of one request.
struct Fate {
  std::optional<std::string> answer;
  std::optional<InvocationFailure> failure;
  std::string variant;
  bool abandoned = false;
  bool in_parts = false;
  std::string parts;
  std::vector<std::function<void()>> taken;  // of each part
  bool over() const { return answer || failure; }
};

class TestInvocation final : public Invocation {
 public:
  TestInvocation(std::shared_ptr<Fate> fate, std::string endpoint, std::string body, std::string target)
      : fate_(std::move(fate)), endpoint_(std::move(endpoint)), body_(std::move(body)), target_(std::move(target)) {
    view_.endpoint = endpoint_;
    view_.body = body_;
    view_.target_variant = target_;
  }
  const InvocationView& view() const override { return view_; }
  bool abandoned() const override { return fate_->abandoned; }
  void OnAnswer(const protocol::AnswerView& answer, std::string_view variant) override {
    Check(!fate_->over(), "told twice");
    fate_->answer = std::string(answer.body);
    fate_->variant = variant;
  }
  void OnFailure(InvocationFailure failure) override {
    Check(!fate_->over(), "told twice");
    fate_->failure = failure;
  }
  bool in_parts() const override { return fate_->in_parts; }
  void OnPart(const protocol::AnswerView& part, std::string_view, std::function<void()> taken) override {
    Check(!fate_->over(), "a part after the end");
    fate_->parts.append(part.body);
    fate_->taken.push_back(std::move(taken));
  }

 private:
  const std::shared_ptr<Fate> fate_;
  const std::string endpoint_, body_, target_;
  InvocationView view_;
};

// Two ends of a connection.
inline std::pair<UniqueFd, UniqueFd> SocketPair() {
  int fds[2];
  Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// The far end of a channel: answers at once, or holds what it got.
class FakeInstance final : public protocol::FrameStream::Owner {
 public:
  protocol::FrameStream& stream() { return *stream_; }
  FakeInstance(EventLoop& loop, UniqueFd fd, std::string id) : id_(std::move(id)) {
    stream_ = protocol::FrameStream::Open(loop, std::move(fd), *this);
  }
  ~FakeInstance() { Die(); }

  void Die() { stream_->Close(); }
  void Answer(uint64_t frame_id, std::string_view body) {
    protocol::AppendAnswer(stream_->out(), frame_id, {.status = 200, .body = body});
    stream_->WriteSoon();
  }
  void Part(uint64_t frame_id, std::string_view body) {
    protocol::AppendAnswer(stream_->out(), frame_id, {.status = 200, .body = body}, protocol::FrameKind::kPart);
    stream_->WriteSoon();
  }
  void AnswerAll() {
    for (const auto& [frame_id, body] : std::exchange(held, {})) Answer(frame_id, id_ + ":" + body);
  }

  Status OnFrame(protocol::FrameStream& stream, const protocol::FrameView& frame) override {
    if (frame.kind == protocol::FrameKind::kPing && answers_pings) {
      protocol::AppendFrame(stream.out(), protocol::FrameKind::kPong, frame.id, "");
      stream.WriteSoon();
    }
    if (frame.kind == protocol::FrameKind::kHello) {
      EXPECT_EQ(protocol::Hello::FromJson(frame.payload)->instance_id, id_);
      const protocol::Welcome welcome{.instance_id = welcomes_as.empty() ? id_ : welcomes_as, .parts = knows_parts};
      protocol::AppendFrame(stream.out(), protocol::FrameKind::kWelcome, 0, welcome.ToJson());
      stream.WriteSoon();
    }
    if (frame.kind == protocol::FrameKind::kGrant) granted += *protocol::ParseGrant(frame.payload);
    if (frame.kind == protocol::FrameKind::kCancel) cancelled.push_back(frame.id);
    if (frame.kind == protocol::FrameKind::kInvokeInParts) in_parts.push_back(frame.id);
    if (frame.kind == protocol::FrameKind::kInvoke || frame.kind == protocol::FrameKind::kInvokeInParts) {
      ++got;
      held.emplace_back(frame.id, std::string(protocol::ParseInvoke(frame.payload)->body));
      if (answers_at_once) AnswerAll();
    }
    return {};
  }
  void OnClosed(protocol::FrameStream&, const Error&) override { closed = true; }

  bool answers_at_once = true;
  bool answers_pings = true;
  bool closed = false;
  std::string welcomes_as;
  bool knows_parts = true;
  size_t granted = 0;
  std::vector<uint64_t> in_parts, cancelled;
  size_t got = 0;
  std::vector<std::pair<uint64_t, std::string>> held;

 private:
  const std::string id_;
  std::shared_ptr<protocol::FrameStream> stream_;
};

}  // namespace argosy::serving
