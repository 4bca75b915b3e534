// One loop's way to one instance: a connection, the requests that are with it, and those that wait.
//
// Requests travel as frames and are answered in any order. So many may be with the instance at a time (a window: enough
// to keep it busy, not so many that work is done for clients who have gone); further ones wait here, where a request
// whose client has gone or whose time is up is dropped before it costs anything; beyond the queue's bound they are
// refused. When the connection dies all requests go back to the owner. On the loop's thread only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "protocol/frame_stream.h"
#include "serving/front.h"
#include "serving/invocation.h"

namespace argosy::serving {

inline constexpr size_t kWindowRequestsMax = 1024;   // with the instance at a time: what one turn of it can answer
inline constexpr size_t kWindowBytesMax = 8 << 20;   // and their bodies; one request of any size always fits
inline constexpr size_t kQueuedRequestsMax = 4096;   // waiting: at a microsecond a request, some milliseconds
inline constexpr size_t kQueuedBytesMax = 64 << 20;  // and their bodies, which lie in their connections' buffers
inline constexpr Duration kInvocationTimeout = std::chrono::seconds(60);  // SageMaker's for real-time endpoints
inline constexpr Duration kReconnectPause = std::chrono::milliseconds(100);

// A request that waits or is with an instance.
struct Pending {
  std::unique_ptr<Invocation> invocation;
  std::string_view variant;  // lives as long as the channel's owner
  Duration deadline{};       // on the loop's monotonic clock
  bool tried = false;        // was lost with one instance already
};

class InstanceChannel final : private protocol::FrameStream::Owner {
 public:
  class Owner {
   public:
    // The connection died with these requests unanswered.
    virtual void OnLost(InstanceChannel& channel, std::vector<Pending> requests) = 0;
    // No request is with or waits for the instance any more.
    virtual void OnIdle(InstanceChannel& channel) = 0;

   protected:
    ~Owner() = default;
  };

  InstanceChannel(EventLoop& loop, RouteInstance instance, Owner& owner);
  ~InstanceChannel();
  InstanceChannel(const InstanceChannel&) = delete;
  InstanceChannel& operator=(const InstanceChannel&) = delete;

  const RouteInstance& instance() const { return instance_; }
  size_t load() const { return in_flight_ + queue_.size(); }
  bool idle() const { return load() == 0 && pings_.empty(); }
  // Worth a try now: connected, or not known to be unreachable.
  bool reachable() const { return stream_ != nullptr || loop_.TurnTime() >= retry_at_; }

  enum class Submission { kTaken, kBusy, kUnreachable };
  // Takes `pending` only when it says so.
  Submission Submit(Pending& pending);

  void Ping(Callback<void> done);

  // Tells those whose time is up.
  void Expire(Duration now);

  // In place of connecting: tests.
  void UseConnection(UniqueFd connection);

 private:
  struct Slot {
    Pending pending;  // no invocation: free
    uint32_t generation = 0;
    size_t bytes = 0;
  };

  Status OnFrame(protocol::FrameStream& stream, const protocol::FrameView& frame) override;
  void OnBatchEnd(protocol::FrameStream& stream) override;
  void OnClosed(protocol::FrameStream& stream, const Error& why) override;

  bool Connect();
  void Attach(UniqueFd connection);
  bool WindowOpenFor(size_t bytes) const;
  void Send(Pending pending);
  Pending Take(Slot& slot, uint32_t index);
  void Pump();
  void CheckIdle();

  EventLoop& loop_;
  const RouteInstance instance_;
  Owner& owner_;
  std::shared_ptr<protocol::FrameStream> stream_;
  Duration retry_at_{};

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  size_t in_flight_ = 0;
  size_t in_flight_bytes_ = 0;
  std::deque<Pending> queue_;
  size_t queued_bytes_ = 0;
  std::vector<Callback<void>> pings_;
  bool answered_ = false;  // in this batch
};

}  // namespace argosy::serving
