// The HTTP/1.1 server: connections, their limits and time-outs, and the exchanges that a Handler answers.
//
// One Server belongs to one EventLoop, and a connection stays on it. Several servers (on loops of their own) may take
// connections from one listening socket: open it once and give each a duplicate.
//
// Lifecycle: construct, Listen, let the loop run; Stop for a graceful end; destroy on the loop's thread or when the
// loop does not run. All calls on the loop's thread (or before it runs). The loop, handler and clock outlive the
// server; the loop outlives every Exchange still held, since Respond from another thread posts to it.
//
// Answers given while a request is being handled are written as soon as the connection's pipelined requests are worked
// off; answers given later on the loop's thread are written at the end of the loop's turn.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/files.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "http/handler.h"

namespace argosy::http {

struct ServerLimits {
  // An open connection at rest costs about 0.5 KiB here and some in the kernel; one busy up to 16 KiB and its body.
  size_t connections_max = 4096;
  // Ten times what signed requests with much user metadata need.
  size_t head_bytes_max = 64 * 1024;
  // The largest object that one S3 PUT may carry, 5 GiB, with its framing. (A handler bounds bodies more tightly.)
  uint64_t body_bytes_max = uint64_t{6} * 1024 * 1024 * 1024;
  // Bodies held in memory, all connections of this server together; more are refused with 503.
  uint64_t buffered_bytes_max = uint64_t{512} * 1024 * 1024;
  // First byte of a head, or the connection's opening, to the head's end.
  Duration head_time_max = std::chrono::seconds(20);
  // Between two requests. Longer than the pools of the SDKs keep a connection idle.
  Duration idle_time_max = std::chrono::seconds(75);
  // In every window of this length a body must bring so many bytes (500 a second), time that its sink takes not
  // counted.
  Duration body_window = std::chrono::seconds(20);
  uint64_t body_window_bytes_min = 10'000;
  // Likewise for a client that takes an answer.
  Duration write_window = std::chrono::seconds(30);
  uint64_t write_window_bytes_min = 15'000;
  // After an answer that could not wait for the rest of the request: how long the rest is read and dropped, so that the
  // client sees the answer and not a reset.
  Duration linger_time_max = std::chrono::seconds(10);
  // How often the limits above are looked at: they are exact to this.
  Duration sweep_interval = std::chrono::seconds(1);
};

// Since the server was made.
struct ServerCounters {
  uint64_t connections_open = 0;
  uint64_t connections_accepted = 0;
  uint64_t connections_refused = 0;  // over connections_max, or no descriptor left
  uint64_t connections_timed_out = 0;
  uint64_t requests = 0;
  uint64_t requests_malformed = 0;
};

// A listening TCP socket. `address` is an IPv4 or IPv6 address or "localhost"; port 0 takes any free one. The error
// names address, port and reason.
Result<UniqueFd> OpenListener(std::string_view address, uint16_t port);
Result<uint16_t> PortOf(const UniqueFd& listener);
// Another descriptor of the same listening socket, for a further Server.
Result<UniqueFd> DuplicateListener(const UniqueFd& listener);

class ServerCore;

class Server {
 public:
  // `files` sends what is large of a FileRange, or must come from the disk first, so that it does not hold up the
  // loop's other connections. It outlives the server and ends before the loop does. The program ignores SIGPIPE.
  Server(EventLoop* loop, Handler* handler, const ServerLimits& limits, const Clock* clock, ThreadPool* files);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Status Listen(std::string_view address, uint16_t port);
  Status Listen(UniqueFd listener);
  uint16_t port() const;  // the one listened on; 0 before

  // Stops accepting, lets open exchanges end, closes each connection after its answer; after `bound` closes the rest.
  // Then runs `done` on the loop.
  void Stop(Duration bound, Task done);

  // "Date: …\r\n" of this turn, for answers given raw.
  std::string_view date_line();

  // Looks at all time limits by the clock's present time. Runs by itself every sweep_interval while connections are
  // open; for tests that move the clock.
  void CheckTimeouts();

  const ServerCounters& counters() const;

 private:
  std::shared_ptr<ServerCore> core_;
};

}  // namespace argosy::http
