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
#include "serving/pending.h"
#include "serving/queue_control.h"

namespace argosy::serving {

inline constexpr size_t kWindowBytesMax = 8 << 20;   // and their bodies; one request of any size always fits
inline constexpr size_t kQueuedBytesMax = 64 << 20;  // and their bodies, which lie in their connections' buffers
inline constexpr Duration kReconnectPause = std::chrono::milliseconds(100);
// An instance that has requests and sends nothing is pinged. One that does not answer that either gets no more of them,
// and is stuck after the longer time: a built-in model answers a ping within milliseconds, and so does the agent of a
// program, whatever the program does.
inline constexpr Duration kSuspectAfter = std::chrono::seconds(2);
inline constexpr Duration kStuckAfter = std::chrono::seconds(10);

class InstanceChannel final : private protocol::FrameStream::Owner {
 public:
  class Owner {
   public:
    // The connection died with these requests unanswered.
    virtual void OnLost(InstanceChannel& channel, std::vector<Pending> requests) = 0;
    // No request is with or waits for the instance any more.
    virtual void OnIdle(InstanceChannel& channel) = 0;
    // It answers nothing; those of its requests that were not sent yet come back.
    virtual void OnSuspect(InstanceChannel& channel, std::vector<Pending> unsent) = 0;
    virtual void OnStuck(InstanceChannel& channel) = 0;

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
  bool suspect() const { return suspect_; }

  enum class Submission { kTaken, kBusy, kUnreachable };
  // Takes `pending` only when it says so.
  Submission Submit(Pending& pending);

  void Ping(Callback<void> done);

  // Tells those whose time is up.
  void Expire(Duration now);

  // Looks whether the instance still answers. To be called about once a second.
  void CheckHealth(Duration now);

  // In place of connecting: tests.
  void UseConnection(UniqueFd connection);

 private:
  struct Slot {
    Pending pending;  // no invocation: free
    uint32_t generation = 0;
    size_t bytes = 0;
  };

  void PassPart(Slot& slot, uint64_t id, const protocol::AnswerView& part);
  void SendCancel(const Slot& slot, uint32_t index);
  // The slot that a frame is about; null when its request had ended before.
  Result<Slot*> SlotOf(uint64_t frame_id);
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
  QueueControl control_;
  bool answered_ = false;  // in this batch
  size_t answers_ = 0;     // likewise: how many
  Duration heard_{};       // when it last sent anything
  Duration asked_{};       // when it was last asked for a sign of life that has not come; 0 = it was not
  bool suspect_ = false;
  bool parts_ = true;  // it knows answers in parts, as far as is known
};

}  // namespace argosy::serving
