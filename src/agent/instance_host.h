// The side of an endpoint instance that routers see: its socket, their connections, the first words, and how it ends.
// What answers their requests is derived from it. All on the loop's thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <unordered_map>

#include "base/event_loop.h"
#include "protocol/frame_stream.h"

namespace argosy::agent {

class InstanceHost : protected protocol::FrameStream::Owner, private FdHandler {
 public:
  Status Listen(const std::filesystem::path& socket);

  // Takes a connection that is open already.
  void Adopt(UniqueFd connection);

  // No new connections or requests; `done` when those at work are answered and written, or after `patience`.
  void Stop(Duration patience, std::function<void()> done);

 protected:
  using Stream = protocol::FrameStream;

  InstanceHost(EventLoop& loop, protocol::Hello identity);
  ~InstanceHost();

  // How many requests are worked on side by side; 0 for a built-in model.
  virtual uint32_t concurrency() const = 0;
  virtual void OnInvoke(Stream& stream, uint64_t id, const protocol::InvokeView& invoke, bool in_parts) = 0;
  // Of answers in parts: so many bytes have been taken, and nobody waits for the rest.
  virtual void OnGrant(Stream& stream, uint64_t id, size_t bytes) = 0;
  virtual void OnCancel(Stream& stream, uint64_t id) = 0;
  // The connection has gone, and is forgotten after this.
  virtual void OnGone(Stream& stream) = 0;
  // No request is at work.
  virtual bool Idle() const = 0;

  // Called whenever one has been answered.
  void CheckStopped();

  EventLoop& loop_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // tasks that outlive this object do nothing

 private:
  Status OnFrame(Stream& stream, const protocol::FrameView& frame) final;
  void OnDrained(Stream& stream) final;
  void OnClosed(Stream& stream, const Error& why) final;
  void OnEvents(uint32_t events) final;  // the listener's
  Status AnswerHello(Stream& stream, const protocol::FrameView& frame);

  const protocol::Hello identity_;
  UniqueFd listener_;
  std::unordered_map<Stream*, std::shared_ptr<Stream>> streams_;
  std::function<void()> stopped_;
};

}  // namespace argosy::agent
