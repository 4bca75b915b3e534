#include "agent/instance_host.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "protocol/local_socket.h"

namespace argosy::agent {

InstanceHost::InstanceHost(EventLoop& loop, protocol::Hello identity) : loop_(loop), identity_(std::move(identity)) {}

InstanceHost::~InstanceHost() {
  *alive_ = false;
  for (auto& [key, stream] : streams_) stream->Close();
  if (listener_.valid()) loop_.Unwatch(listener_.get());
}

Status InstanceHost::Listen(const std::filesystem::path& socket) {
  Result<UniqueFd> listener = protocol::ListenLocal(socket);
  if (!listener.ok()) return listener.error();
  listener_ = std::move(*listener);
  return loop_.Watch(listener_.get(), EPOLLIN, this);
}

void InstanceHost::OnEvents(uint32_t) {
  while (std::optional<UniqueFd> fd = protocol::AcceptLocal(listener_.get())) Adopt(std::move(*fd));
}

void InstanceHost::Adopt(UniqueFd connection) {
  std::shared_ptr<Stream> stream = Stream::Open(loop_, std::move(connection), *this);
  streams_.emplace(stream.get(), std::move(stream));
}

Status InstanceHost::OnFrame(Stream& stream, const protocol::FrameView& frame) {
  switch (frame.kind) {
    case protocol::FrameKind::kInvoke:
    case protocol::FrameKind::kInvokeInParts: {
      if (stopped_) return Error(ErrorCode::kUnavailable, "the instance is stopping");
      const Result<protocol::InvokeView> invoke = protocol::ParseInvoke(frame.payload);
      if (!invoke.ok()) return invoke.error();
      OnInvoke(stream, frame.id, *invoke, frame.kind == protocol::FrameKind::kInvokeInParts);
      return {};
    }
    case protocol::FrameKind::kGrant: {
      const Result<uint32_t> bytes = protocol::ParseGrant(frame.payload);
      if (!bytes.ok()) return bytes.error();
      OnGrant(stream, frame.id, *bytes);
      return {};
    }
    case protocol::FrameKind::kCancel:
      OnCancel(stream, frame.id);
      return {};
    case protocol::FrameKind::kPing:
      protocol::AppendFrame(stream.out(), protocol::FrameKind::kPong, frame.id, "");
      return {};
    case protocol::FrameKind::kHello:
      return AnswerHello(stream, frame);
    default:
      return Error(ErrorCode::kCorrupt, "a frame that a router does not send");
  }
}

Status InstanceHost::AnswerHello(Stream& stream, const protocol::FrameView& frame) {
  const Result<protocol::Hello> hello = protocol::Hello::FromJson(frame.payload);
  if (!hello.ok()) return hello.error();
  if (hello->instance_id != identity_.instance_id ||
      (!hello->owner_uid.empty() && (hello->owner_uid != identity_.owner_uid || hello->attempt != identity_.attempt))) {
    return Error(ErrorCode::kConflict, "the caller means another instance");
  }
  const protocol::Welcome welcome{.instance_id = identity_.instance_id,
                                  .owner_uid = identity_.owner_uid,
                                  .attempt = identity_.attempt,
                                  .concurrency = concurrency(),
                                  .parts = true};
  protocol::AppendFrame(stream.out(), protocol::FrameKind::kWelcome, frame.id, welcome.ToJson());
  return {};
}

void InstanceHost::OnDrained(Stream& stream) {
  stream.ResumeReading();
  CheckStopped();
}

void InstanceHost::OnClosed(Stream& stream, const Error&) {
  OnGone(stream);
  streams_.erase(&stream);
  CheckStopped();
}

void InstanceHost::Stop(Duration patience, std::function<void()> done) {
  if (listener_.valid()) {
    loop_.Unwatch(listener_.get());
    listener_.reset();
  }
  stopped_ = std::move(done);
  loop_.After(patience, [this, alive = alive_] {
    if (*alive && stopped_) std::exchange(stopped_, nullptr)();
  });
  loop_.Post([this, alive = alive_] {
    if (*alive) CheckStopped();
  });
}

void InstanceHost::CheckStopped() {
  if (!stopped_ || !Idle()) return;
  const bool written =
      std::all_of(streams_.begin(), streams_.end(), [](const auto& entry) { return entry.second->unwritten() == 0; });
  if (written) std::exchange(stopped_, nullptr)();
}

}  // namespace argosy::agent
