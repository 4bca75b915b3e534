// An HTTP/1.1 client on an event loop, for one server on this machine: the agent's way to a user's program.
//
// Keeps connections open and uses the newest idle one first. A request that was sent on a kept connection which turns
// out to be closed, before a byte of an answer, is sent once more on a new one: its server had given the connection up.
// Pieces of the answer are handed over as they come; a sink that pauses holds the server back through the socket.
//
// Lifecycle: calls end with Answer::OnEnd, exactly once, never inside Send; after Cancel no more is told. Destroying
// the client closes all and tells nobody. All on the loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "http/response_parser.h"

namespace argosy::http {

// An idle connection is closed when a request has waited so long for a first byte: a server that takes one connection
// at a time has not seen that request yet.
inline constexpr Duration kIdleYields = std::chrono::seconds(1);

class AsyncClient final {
 public:
  class Answer {
   public:
    virtual void OnHead(const ResponseHead& head) = 0;
    virtual void OnBody(std::string_view piece) = 0;
    // kUnavailable: no connection, or it broke; kCorrupt: what came is no answer. The last call.
    virtual void OnEnd(const Status& status) = 0;

   protected:
    ~Answer() = default;
  };
  using CallId = uint64_t;

  // 127.0.0.1:`port`.
  AsyncClient(EventLoop& loop, uint16_t port);
  ~AsyncClient();
  AsyncClient(const AsyncClient&) = delete;
  AsyncClient& operator=(const AsyncClient&) = delete;

  // `request` is all of it, head and body; its head asks to keep the connection. `answer` outlives the call.
  CallId Send(std::string request, Answer& answer);
  void Cancel(CallId call);
  void Pause(CallId call);
  void Resume(CallId call);

  size_t connections() const { return connections_.size(); }

 private:
  class Connection;
  Result<Connection*> Open();
  void Start(CallId call, std::string request, Answer& answer, bool fresh_only);
  void FailSoon(CallId call, Answer& answer, Error why);
  Connection* Find(CallId call) const;
  void Remove(Connection& connection);
  void WatchIdle();

  EventLoop& loop_;
  const uint16_t port_;
  CallId next_call_ = 1;
  std::vector<std::shared_ptr<Connection>> connections_;  // busy and idle
  std::map<CallId, Answer*> failing_;                     // whose end is posted
  TimerId idle_timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace argosy::http
