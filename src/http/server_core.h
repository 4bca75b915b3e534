// What the connections of one server share. Internal to http/.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "http/parser.h"
#include "http/server.h"

namespace argosy::http {

class Connection;

// Where a request lies while it is read and answered. Connections at rest hold none; the last one used is the next one
// taken, so that a few blocks that stay in the processor's cache serve all connections.
struct InputBlock {
  HeadParser head;
  std::unique_ptr<char[]> bytes;
  size_t capacity = 0;
};

// Most requests fit whole; what does not grows the block (head) or goes to a buffer of its own (body).
inline constexpr size_t kBlockBytes = 8 * 1024;

class ServerCore final : public FdHandler, public std::enable_shared_from_this<ServerCore> {
 public:
  ServerCore(EventLoop* loop, Handler* handler, const ServerLimits& limits, const Clock* clock, ThreadPool* files);
  virtual ~ServerCore() = default;

  Status Listen(UniqueFd listener);
  void Stop(Duration bound, Task done);
  void CloseAll();
  void CheckTimeouts();
  void OnEvents(uint32_t events) override;  // of the listening socket

  // Brings now() and date_line() up to date; once a turn is enough.
  void BeginTurn();
  Duration now() const { return now_; }
  std::string_view date_line() const { return date_line_; }

  std::unique_ptr<InputBlock> TakeBlock();
  void GiveBlock(std::unique_ptr<InputBlock> block);

  // Advance() will be called on the connection at the end of this turn.
  void MarkReady(Connection* connection);
  // Called by a connection that has closed; it is let go at the end of the turn.
  void Remove(Connection* connection);

  const std::shared_ptr<Connection>& connection(size_t index) const { return connections_[index]; }
  char* scratch();  // kScratchBytes that nobody keeps
  static constexpr size_t kScratchBytes = 64 * 1024;

  EventLoop* loop() const { return loop_; }
  Handler* handler() const { return handler_; }
  ThreadPool* files() const { return files_; }
  const ServerLimits& limits() const { return limits_; }
  bool stopping() const { return stopping_; }
  uint16_t port() const { return port_; }
  ServerCounters& counters() { return counters_; }
  uint64_t& buffered_bytes() { return buffered_bytes_; }

 private:
  void Accept();
  void RefuseOneForLackOfDescriptors();
  void ScheduleEndOfTurn();
  void EndTurn();
  void ScheduleSweep();
  void FinishStop();

  EventLoop* const loop_;
  Handler* const handler_;
  const ServerLimits limits_;
  const Clock* const clock_;
  ThreadPool* const files_;

  UniqueFd listener_;
  UniqueFd spare_;  // given up for a moment when no descriptor is left, to accept and refuse
  uint16_t port_ = 0;

  Duration turn_{-1};
  Duration now_{};
  int64_t date_second_ = -1;
  std::string date_line_;

  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> closed_;  // until the end of the turn
  std::vector<Connection*> ready_;
  bool end_of_turn_scheduled_ = false;
  bool sweep_scheduled_ = false;
  bool stopping_ = false;
  TimerId stop_timer_ = 0;
  Task stopped_;
  std::vector<std::unique_ptr<InputBlock>> blocks_;
  std::unique_ptr<char[]> scratch_;
  ServerCounters counters_;
  uint64_t buffered_bytes_ = 0;
};

}  // namespace argosy::http
