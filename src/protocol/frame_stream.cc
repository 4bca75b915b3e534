#include "protocol/frame_stream.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

namespace argosy::protocol {
namespace {

constexpr int kReadsPerEvent = 4;  // so that one busy peer leaves the turn to others

// A peer that has gone is no fault of anybody's: its own code tells it from what is.
Error SocketError(std::string_view what, int error) {
  if (error == EPIPE || error == ECONNRESET) {
    return Error(ErrorCode::kUnavailable, "the peer closed the connection");
  }
  return ErrnoError(what, error);
}

}  // namespace

std::shared_ptr<FrameStream> FrameStream::Open(EventLoop& loop, UniqueFd fd, Owner& owner) {
  std::shared_ptr<FrameStream> stream(new FrameStream(loop, std::move(fd), owner));
  stream->watched_ = EPOLLIN;
  const Status watched = loop.Watch(stream->fd_.get(), EPOLLIN, stream.get());
  Check(watched.ok(), "watching a new connection");
  return stream;
}

FrameStream::~FrameStream() {
  Close();
}

void FrameStream::Close() {
  owner_ = nullptr;
  if (!fd_.valid()) return;
  loop_.Unwatch(fd_.get());
  fd_.reset();
}

void FrameStream::Fail(const Error& why) {
  Owner* const owner = owner_;
  Close();
  if (owner != nullptr) owner->OnClosed(*this, why);
}

void FrameStream::WriteSoon() {
  if (write_due_ || unwritten() == 0 || closed() || (watched_ & EPOLLOUT) != 0) return;
  write_due_ = true;
  loop_.AtEndOfTurn([self = shared_from_this()] {
    self->write_due_ = false;
    if (!self->closed()) self->Write();
  });
}

void FrameStream::Write() {
  while (written_ < out_.size()) {
    const ssize_t n = send(fd_.get(), out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) break;
      return Fail(SocketError("writing to a peer", errno));
    }
    written_ += static_cast<size_t>(n);
  }
  const bool drained = written_ == out_.size();
  if (drained) {
    written_ = 0;
    out_.clear();
    if (out_.capacity() > kKeepBytesMax) out_ = std::string();
  } else if (written_ > kKeepBytesMax) {
    out_.erase(0, written_);
    written_ = 0;
  }
  UpdateWatch();
  if (drained) owner_->OnDrained(*this);
}

void FrameStream::UpdateWatch() {
  const uint32_t wanted = (reading_ ? EPOLLIN : 0U) | (unwritten() > 0 ? EPOLLOUT : 0U);
  if (wanted == watched_ || closed()) return;
  watched_ = wanted;
  Check(loop_.Rewatch(fd_.get(), wanted, this).ok(), "watching a connection");
}

void FrameStream::PauseReading() {
  reading_ = false;
  // The watch may hold EPOLLOUT off until the end of the turn: take it from what is registered, not from what is due.
  const uint32_t wanted = watched_ & ~static_cast<uint32_t>(EPOLLIN);
  if (closed() || wanted == watched_) return;
  watched_ = wanted;
  Check(loop_.Rewatch(fd_.get(), wanted, this).ok(), "watching a connection");
}

void FrameStream::ResumeReading() {
  if (reading_ || closed()) return;
  reading_ = true;
  watched_ |= EPOLLIN;
  Check(loop_.Rewatch(fd_.get(), watched_, this).ok(), "watching a connection");
  if (reader_.buffered() >= kFrameHeaderBytes && !reread_due_) {
    reread_due_ = true;
    loop_.Post([weak = weak_from_this()] {
      const std::shared_ptr<FrameStream> self = weak.lock();
      if (self == nullptr) return;
      self->reread_due_ = false;
      if (!self->closed() && self->reading_) (void)self->HandleFrames();
    });
  }
}

bool FrameStream::HandleFrames() {
  while (reading_) {
    const Result<std::optional<FrameView>> frame = reader_.Next();
    if (!frame.ok()) return Fail(frame.error()), false;
    if (!frame->has_value()) break;
    const Status handled = owner_->OnFrame(*this, **frame);
    if (closed()) return false;
    if (!handled.ok()) return Fail(handled.error()), false;
  }
  owner_->OnBatchEnd(*this);
  return !closed();
}

void FrameStream::OnEvents(uint32_t events) {
  const std::shared_ptr<FrameStream> self = shared_from_this();
  if ((events & EPOLLOUT) != 0) {
    Write();
    if (closed()) return;
  }
  // With reading paused a hang-up would spin the loop; what can still be read is read first, then the end is seen.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 && !reading_) {
    return Fail(Error(ErrorCode::kUnavailable, "the peer closed the connection"));
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  for (int i = 0; i < kReadsPerEvent && reading_; ++i) {
    const FrameReader::Room room = reader_.Space();
    const ssize_t n = recv(fd_.get(), room.data, room.size, 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return;
      return Fail(SocketError("reading from a peer", errno));
    }
    if (n == 0) return Fail(Error(ErrorCode::kUnavailable, "the peer closed the connection"));
    reader_.Filled(static_cast<size_t>(n));
    if (!HandleFrames()) return;
    if (static_cast<size_t>(n) < room.size) return;
  }
}

}  // namespace argosy::protocol
