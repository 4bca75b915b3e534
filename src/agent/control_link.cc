#include "agent/control_link.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "protocol/local_socket.h"

namespace argosy::agent {
namespace {

constexpr size_t kLogChunkBytes = 64 << 10;

}  // namespace

ControlLink::ControlLink(EventLoop& loop, std::filesystem::path control_socket, protocol::Hello hello,
                         const LogSpool& spool, std::function<void(protocol::Command)> on_command)
    : loop_(loop),
      control_socket_(std::move(control_socket)),
      hello_(std::move(hello)),
      spool_(spool),
      on_command_(std::move(on_command)) {}

ControlLink::~ControlLink() {
  if (stream_) stream_->Close();
  loop_.Cancel(retry_);
  if (directory_watch_.valid()) loop_.Unwatch(directory_watch_.get());
}

void ControlLink::Start() {
  directory_watch_ = UniqueFd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (directory_watch_.valid() &&
      inotify_add_watch(directory_watch_.get(), control_socket_.parent_path().c_str(), IN_MOVED_TO | IN_ONLYDIR) >= 0) {
    Check(loop_.Watch(directory_watch_.get(), EPOLLIN, this).ok(), "watching inotify");
  } else {
    directory_watch_.reset();  // the timer has to do
  }
  Connect();
}

void ControlLink::OnEvents(uint32_t) {
  alignas(inotify_event) char buffer[4096];
  while (read(directory_watch_.get(), buffer, sizeof buffer) > 0) {
    // Whatever it was: trying to connect is cheaper than telling names apart.
  }
  if (stream_ == nullptr) Connect();
}

void ControlLink::Connect() {
  loop_.Cancel(retry_);
  retry_ = 0;
  Result<UniqueFd> fd = protocol::ConnectLocal(control_socket_);
  if (!fd.ok()) {
    retry_ = loop_.After(kReconnectPeriod, [this] { Connect(); });
    return;
  }
  welcomed_ = false;
  stream_ = protocol::FrameStream::Open(loop_, std::move(*fd), *this);
  protocol::AppendFrame(stream_->out(), protocol::FrameKind::kHello, 0, hello_.ToJson());
  stream_->WriteSoon();
}

Status ControlLink::OnFrame(protocol::FrameStream&, const protocol::FrameView& frame) {
  if (frame.kind == protocol::FrameKind::kWelcome) {
    const Result<protocol::Welcome> welcome = protocol::Welcome::FromJson(frame.payload);
    if (!welcome.ok()) return welcome.error();
    if (welcome->instance_id != hello_.instance_id || welcome->owner_uid != hello_.owner_uid ||
        welcome->attempt != hello_.attempt) {
      return Error(ErrorCode::kConflict, "the server means another attempt");
    }
    if (welcome->log_offset > spool_.size()) {
      return Error(ErrorCode::kConflict, "the server has more of the log than there is");
    }
    welcomed_ = true;
    log_sent_ = welcome->log_offset;
    if (!report_.empty()) protocol::AppendFrame(stream_->out(), protocol::FrameKind::kReport, 0, report_);
    stream_->WriteSoon();
    SendLog();
    return {};
  }
  if (frame.kind == protocol::FrameKind::kCommand && welcomed_) {
    Result<protocol::Command> command = protocol::ParseCommand(frame.payload);
    if (!command.ok()) return command.error();
    on_command_(std::move(*command));
    return {};
  }
  return Error(ErrorCode::kCorrupt, "a frame that a server does not send");
}

void ControlLink::SendReport(const protocol::Report& report) {
  report_ = report.ToJson();
  if (!welcomed_ || report_.size() > protocol::kReportBytesMax) return;
  protocol::AppendFrame(stream_->out(), protocol::FrameKind::kReport, 0, report_);
  stream_->WriteSoon();
}

void ControlLink::SendLog() {
  if (!welcomed_) return;
  while (log_sent_ < spool_.size() && stream_->unwritten() < kUnsentBytesMax) {
    const Result<std::string> lines = spool_.ReadLines(log_sent_, kLogChunkBytes);
    if (!lines.ok() || lines->empty()) break;
    protocol::AppendFrame(stream_->out(), protocol::FrameKind::kLog, log_sent_, *lines);
    log_sent_ += lines->size();
  }
  stream_->WriteSoon();
}

void ControlLink::OnDrained(protocol::FrameStream&) {
  SendLog();
  CheckFlushed();
}

void ControlLink::OnClosed(protocol::FrameStream&, const Error& why) {
  if (why.code() != ErrorCode::kUnavailable) {
    Log(LogLevel::kWarning, "the connection to the server ended", {{"error", why.message()}});
  }
  stream_.reset();
  const bool was_welcomed = std::exchange(welcomed_, false);
  CheckFlushed();
  // A server that took us may have a successor already, whose coming was seen before the end of the old one. One that
  // turned us away is asked again after a while only.
  retry_ = loop_.After(was_welcomed ? Duration::zero() : kReconnectPeriod, [this] { Connect(); });
}

void ControlLink::Flush(Duration patience, std::function<void()> done) {
  flushed_ = std::move(done);
  loop_.After(patience, [this] {
    if (flushed_) std::exchange(flushed_, nullptr)();
  });
  SendLog();
  CheckFlushed();
}

void ControlLink::CheckFlushed() {
  if (!flushed_) return;
  // Connected but not yet welcomed: the welcome is on its way, and with it comes the sending.
  if (stream_ != nullptr && (!welcomed_ || stream_->unwritten() > 0 || log_sent_ < spool_.size())) return;
  std::exchange(flushed_, nullptr)();
}

}  // namespace argosy::agent
