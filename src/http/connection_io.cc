// The bytes of a connection: in from its socket to block and body, out from answers and files.
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "http/connection.h"

namespace argosy::http {
namespace {

constexpr uint64_t kFileBytesPerCall = 1024 * 1024;  // likewise for files sent
constexpr uint64_t kFileBytesPerTurn = 4 * kFileBytesPerCall;
// A turn of the loop that copies so much takes as long as handing it to a thread does.
constexpr uint64_t kFileBytesOnLoop = 64 * 1024;
constexpr size_t kOutputMax = 256 * 1024;  // answers to pipelined requests waiting to be taken: more are not computed
constexpr size_t kOutputKept = 4 * 1024;   // memory of a resting connection's output

// Whether reading there takes no disk. What a file system does not tell is taken for granted.
bool IsInMemory(int file, uint64_t offset) {
  char byte;
  iovec one{&byte, 1};
  return preadv2(file, &one, 1, static_cast<off_t>(offset), RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

}  // namespace

void ByteBuffer::Reserve(size_t capacity) {
  if (capacity <= capacity_) return;
  void* data = std::realloc(data_, capacity);
  Check(data != nullptr, "out of memory");
  data_ = static_cast<char*>(data);
  capacity_ = capacity;
}

void ByteBuffer::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  Check(bytes.size() <= room(), "a body outgrows its buffer");
  std::memcpy(data_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void ByteBuffer::Free() {
  std::free(data_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

Connection::Progress Connection::ReadBlock() {
  if (!readable_) return Progress::kWait;
  if (!block_) {
    block_ = core_->TakeBlock();
    begin_ = end_ = 0;
  }
  if (state_ == State::kHead) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ == block_->capacity) {
      if (begin_ > 0) {
        std::memmove(block_->bytes.get(), block_->bytes.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
      } else {
        GrowBlock(std::min(2 * block_->capacity, core_->limits().head_bytes_max));
      }
    }
  } else if (begin_ == end_ && block_->head.request().chunked) {
    begin_ = end_ = body_begin_;
  }
  const size_t room = block_->capacity - end_;
  Check(room > 0, "no room to read a request");
  const ssize_t n = recv(fd_.get(), block_->bytes.get() + end_, room, MSG_DONTWAIT);
  if (n > 0) end_ += static_cast<size_t>(n);
  return AfterRead(n, room);
}

Connection::Progress Connection::ReadBody(size_t bytes_max) {
  if (!readable_) return Progress::kWait;
  const size_t room = std::min(bytes_max, body_.room());
  const ssize_t n = recv(fd_.get(), body_.end(), room, MSG_DONTWAIT);
  if (n > 0) body_.Grew(static_cast<size_t>(n));
  return AfterRead(n, room);
}

Connection::Progress Connection::AfterRead(ssize_t n, size_t room) {
  if (n > 0) {
    // Less than there was room for: the socket is empty, and more to come is a new event. The end of the stream is not
    // when it came together with these bytes: then the events have told of it.
    if (static_cast<size_t>(n) < room && !peer_gone_) readable_ = false;
    turn_bytes_ += static_cast<size_t>(n);
    body_window_bytes_ += static_cast<size_t>(n);
    return Progress::kMore;
  }
  if (n < 0 && errno == EINTR) return Progress::kMore;
  if (n < 0 && errno == EAGAIN) {
    readable_ = false;
    if (begin_ == end_ && state_ == State::kHead) ReleaseBlock();
    return Progress::kWait;
  }
  readable_ = false;
  peer_gone_ = true;
  if (n == 0 && state_ == State::kHead && has_output()) {
    close_after_ = true;  // it may have shut down only its side, and read the answers still
    return Progress::kWait;
  }
  Close();
  return Progress::kWait;
}

void Connection::GrowBlock(size_t capacity) {
  auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
  std::memcpy(bytes.get(), block_->bytes.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  block_->bytes = std::move(bytes);
  block_->capacity = capacity;
}

void Connection::ReleaseBlock() {
  begin_ = end_ = 0;
  if (block_) core_->GiveBlock(std::move(block_));
}

bool Connection::ReserveBody(size_t capacity) {
  if (capacity <= body_.capacity()) return true;
  uint64_t& all = core_->buffered_bytes();
  const size_t more = capacity - body_.capacity();
  if (all + more > core_->limits().buffered_bytes_max) {
    Fail(503, "The server holds as many request bodies as it may; try again later.");
    return false;
  }
  all += more;
  body_.Reserve(capacity);
  return true;
}

void Connection::FreeBody() {
  if (body_.capacity() == 0) return;
  core_->buffered_bytes() -= body_.capacity();
  body_.Free();
}

bool Connection::output_is_full() const {
  return tail_.index() != 0 || out_.size() - out_sent_ > kOutputMax;
}

void Connection::Flush() {
  Sent sent = Sent::kAll;
  if (has_output() && !write_waits_ && !bursting_) {
    sent = SendOut();
    if (sent == Sent::kAll && std::holds_alternative<FileRange>(tail_)) sent = SendFile();
    if (sent == Sent::kFailed) {
      Close();
      return;
    }
    if (sent == Sent::kAll) {
      tail_ = std::monostate();
      tail_sent_ = out_sent_ = 0;
      write_window_open_ = false;
      if (out_.capacity() > kOutputKept) {
        std::string().swap(out_);
      } else {
        out_.clear();
      }
      // Who is told may write the next piece at once.
      if (!pieces_taken_.empty()) {
        loop_->Post([self = shared_from_this(), taken = std::exchange(pieces_taken_, {})] {
          for (const Task& task : taken) {
            if (self->state_ != State::kClosed) task();
          }
        });
      }
    }
  }
  if (close_after_ && state_ == State::kHead && !has_output()) EndConnection();
}

Connection::Sent Connection::AfterSend(ssize_t n) {
  if (n > 0) {
    written_ += static_cast<uint64_t>(n);
    return Sent::kAll;
  }
  if (n < 0 && errno == EINTR) return Sent::kAll;
  if (n < 0 && errno == EAGAIN) {
    WaitForRoom();
    return Sent::kWait;
  }
  return Sent::kFailed;
}

void Connection::WaitForRoom() {
  write_waits_ = true;
  if (write_window_open_) return;
  write_window_open_ = true;
  write_window_start_ = core_->now();
  write_window_mark_ = BytesTakenByClient();
}

// out_, and tail_ when it is text.
Connection::Sent Connection::SendOut() {
  for (;;) {
    iovec parts[2];
    size_t count = 0;
    if (out_sent_ < out_.size()) parts[count++] = {out_.data() + out_sent_, out_.size() - out_sent_};
    auto* text = std::get_if<std::string>(&tail_);
    if (text != nullptr) parts[count++] = {text->data() + tail_sent_, text->size() - static_cast<size_t>(tail_sent_)};
    if (count == 0) return Sent::kAll;
    const int more = std::holds_alternative<FileRange>(tail_) ? MSG_MORE : 0;
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = count;
    const ssize_t n = count == 1
                          ? send(fd_.get(), parts[0].iov_base, parts[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL | more)
                          : sendmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL | more);
    if (const Sent sent = AfterSend(n); sent != Sent::kAll) return sent;
    if (n < 0) continue;
    const size_t of_out = std::min(static_cast<size_t>(n), out_.size() - out_sent_);
    out_sent_ += of_out;
    tail_sent_ += static_cast<size_t>(n) - of_out;
    if (out_sent_ == out_.size() && (text == nullptr || tail_sent_ == text->size())) return Sent::kAll;
  }
}

Connection::Sent Connection::SendFile() {
  const FileRange& file = std::get<FileRange>(tail_);
  uint64_t this_turn = 0;
  while (tail_sent_ < file.length) {
    if (this_turn >= kFileBytesPerTurn) {
      loop_->Post([connection = shared_from_this()] { connection->Advance(); });
      return Sent::kWait;
    }
    off_t offset = static_cast<off_t>(file.offset + tail_sent_);
    uint64_t ready = file.length - tail_sent_;
    if (file.arriving) {
      const Result<uint64_t> there =
          file.arriving->Await(file.offset + tail_sent_, ready, [loop = loop_, connection = weak_from_this()] {
            loop->Post([connection] {
              if (const auto self = connection.lock()) self->Advance();
            });
          });
      if (!there.ok()) return Sent::kFailed;
      if (*there == 0) return Sent::kWait;
      ready = *there;
    }
    if (HandToFileThread(file, ready)) return Sent::kWait;
    const ssize_t n = sendfile(fd_.get(), file.file->get(), &offset, std::min(ready, kFileBytesPerCall));
    if (n == 0) return Sent::kFailed;  // the file has become shorter: the announced length cannot be kept
    if (const Sent sent = AfterSend(n); sent != Sent::kAll) return sent;
    if (n < 0) continue;
    tail_sent_ += static_cast<uint64_t>(n);
    this_turn += static_cast<uint64_t>(n);
  }
  return Sent::kAll;
}

// A burst at a time, so that all else about the connection, its time limits too, stays with the loop.
bool Connection::HandToFileThread(const FileRange& file, uint64_t ready) {
  const uint64_t offset = file.offset + tail_sent_;
  if (ready <= kFileBytesOnLoop && IsInMemory(file.file->get(), offset)) return false;
  room_told_ = false;
  bursting_ = true;
  const Status queued = core_->files()->Submit([self = shared_from_this(), loop = loop_, source = file.file, offset,
                                                length = std::min(ready, kFileBytesPerTurn)] {
    const FileBurst burst = SendBurst(self->fd_.get(), source->get(), offset, length);
    loop->Post([self, burst] { self->OnBurst(burst); });
  });
  if (!queued.ok()) bursting_ = false;  // too much waits: better slowly than not
  return bursting_;
}

Connection::FileBurst Connection::SendBurst(int socket, int file, uint64_t offset, uint64_t length) {
  FileBurst burst;
  while (burst.bytes < length) {
    off_t at = static_cast<off_t>(offset + burst.bytes);
    const ssize_t n = sendfile(socket, file, &at, std::min(length - burst.bytes, kFileBytesPerCall));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      burst.end = n < 0 && errno == EAGAIN ? Sent::kWait : Sent::kFailed;
      break;
    }
    burst.bytes += static_cast<uint64_t>(n);
  }
  return burst;
}

void Connection::OnBurst(const FileBurst& burst) {
  bursting_ = false;
  if (state_ == State::kClosed) {
    fd_.reset();
    return;
  }
  core_->BeginTurn();
  tail_sent_ += burst.bytes;
  written_ += burst.bytes;
  if (burst.end == Sent::kFailed) {
    Close();
    return;
  }
  // Room that was told of meanwhile may have come before the kernel said that there was none: it is tried again.
  if (burst.end == Sent::kWait && !room_told_) WaitForRoom();
  Advance();
}

}  // namespace argosy::http
