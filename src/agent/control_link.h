// The agent's connection to the server: made by the agent, and made again for as long as it lives.
//
// The server listens at <data>/control.sock, whose name appears by rename when it listens; the link watches the
// directory for that (inotify) and so finds a new server at once, without asking around. After hello and welcome it
// sends the newest report, then each further one, and the log from where the server has it on. A welcome for another
// (uid, attempt) ends the connection; the agent goes on with its work. All on the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/instance_directory.h"
#include "agent/log_spool.h"
#include "base/event_loop.h"
#include "protocol/frame_stream.h"

namespace argosy::agent {

// In case no notice of the server's socket comes (inotify's queue overflowed, or there is no room for a watch).
inline constexpr Duration kReconnectPeriod = std::chrono::seconds(1);
inline constexpr size_t kUnsentBytesMax = 256 << 10;  // log waiting in memory; the rest waits in the spool

class ControlLink final : private protocol::FrameStream::Owner, private FdHandler {
 public:
  ControlLink(EventLoop& loop, std::filesystem::path control_socket, protocol::Hello hello, const LogSpool& spool,
              std::function<void(protocol::Command)> on_command);
  ~ControlLink();

  void Start();
  void SendReport(const protocol::Report& report);
  void LogHasGrown() { SendLog(); }

  // `done` once everything is with the kernel, or at once when there is no server to take it, or after `patience`: the
  // files have it all.
  void Flush(Duration patience, std::function<void()> done);

 private:
  Status OnFrame(protocol::FrameStream& stream, const protocol::FrameView& frame) override;
  void OnDrained(protocol::FrameStream& stream) override;
  void OnClosed(protocol::FrameStream& stream, const Error& why) override;
  void OnEvents(uint32_t events) override;  // the directory's

  void Connect();
  void SendLog();
  void CheckFlushed();

  EventLoop& loop_;
  const std::filesystem::path control_socket_;
  const protocol::Hello hello_;
  const LogSpool& spool_;
  const std::function<void(protocol::Command)> on_command_;
  UniqueFd directory_watch_;
  TimerId retry_ = 0;
  std::shared_ptr<protocol::FrameStream> stream_;  // null: no server
  bool welcomed_ = false;
  std::string report_;  // the newest, as JSON; sent at the next welcome
  uint64_t log_sent_ = 0;
  std::function<void()> flushed_;
};

}  // namespace argosy::agent
