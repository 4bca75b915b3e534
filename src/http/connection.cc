#include "http/connection.h"

#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "http/response_writer.h"

namespace argosy::http {
namespace {

constexpr size_t kTurnBytesMax = 1024 * 1024;  // read for one connection before the others get their turn
constexpr size_t kJoinedBodyMax = 16 * 1024;  // a body up to this is copied behind its head, a larger one is kept apart
constexpr size_t kStreamPieceBytes = 256 * 1024;
constexpr size_t kBodyStartBytes = 64 * 1024;  // first room for a body that does not fit in the block
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

void AppendPiece(std::string& out, std::string_view piece, bool chunked) {
  if (!chunked) {
    out.append(piece);
    return;
  }
  char size[16];
  out.append(size, std::to_chars(size, size + sizeof size, piece.size(), 16).ptr);
  out.append("\r\n").append(piece).append("\r\n");
}

}  // namespace

Connection::Connection(ServerCore* core, UniqueFd fd, ClientPlace from, size_t index)
    : core_(core),
      loop_(core->loop()),
      loop_thread_(std::this_thread::get_id()),
      fd_(std::move(fd)),
      from_(from),
      index_(index),
      since_(core->now()) {}

const RequestView& Connection::request() const {
  return block_->head.request();
}

void Connection::OnEvents(uint32_t events) {
  if (state_ == State::kClosed) return;
  core_->BeginTurn();
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    Close();
    return;
  }
  if ((events & EPOLLRDHUP) != 0) peer_gone_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) readable_ = true;
  if ((events & EPOLLOUT) != 0) {
    write_waits_ = false;
    room_told_ = true;
  }
  Advance();
}

void Connection::Advance() {
  if (working_ || state_ == State::kClosed) return;
  working_ = true;
  turn_bytes_ = 0;
  for (;;) {
    while (Step() == Progress::kMore) {
    }
    if (state_ == State::kClosed) break;
    const bool was_full = output_is_full();
    const State before = state_;
    Flush();
    if (state_ == State::kClosed) break;
    if (state_ == before && (!was_full || output_is_full())) break;
  }
  working_ = false;
}

Connection::Progress Connection::Step() {
  if (turn_bytes_ >= kTurnBytesMax) {
    turn_bytes_ = 0;
    loop_->Post([connection = shared_from_this()] { connection->Advance(); });
    return Progress::kWait;
  }
  switch (state_) {
    case State::kHead:
      return StepHead();
    case State::kBuffer:
      return StepBuffer();
    case State::kStream:
      return StepStream();
    case State::kLinger:
      return StepLinger();
    case State::kAnswer:
    case State::kClosed:
      return Progress::kWait;
  }
  return Progress::kWait;
}

Connection::Progress Connection::StepHead() {
  if (close_after_ || output_is_full()) return Progress::kWait;
  const size_t available = end_ - begin_;
  if (available > head_seen_) {
    const size_t size_max = core_->limits().head_bytes_max;
    HeadParser& head = block_->head;
    HeadOutcome outcome = head.Parse({block_->bytes.get() + begin_, available}, head_seen_);
    if (outcome == HeadOutcome::kComplete && head.size() > size_max) outcome = HeadOutcome::kIncomplete;
    if (outcome == HeadOutcome::kComplete) return StartRequest();
    if (outcome == HeadOutcome::kRefused) {
      ++core_->counters().requests_malformed;
      head_only_ = false;  // the last request's
      return Fail(head.refusal().status, head.refusal().reason);
    }
    if (available >= size_max) {
      ++core_->counters().requests_malformed;
      head_only_ = false;
      return Fail(431, "The request's head is larger than this server takes.");
    }
    if (head_seen_ == 0) since_ = core_->now();
    head_seen_ = available;
  }
  return ReadBlock();
}

Connection::Progress Connection::StartRequest() {
  HeadParser& head = block_->head;
  // A chunked body is taken apart in the block: make room before the handler sees where the head lies.
  if (head.request().chunked && block_->capacity - begin_ - head.size() < kBlockBytes / 2) {
    GrowBlock(end_ - begin_ + kBlockBytes);
    Check(head.Parse({block_->bytes.get() + begin_, end_ - begin_}) == HeadOutcome::kComplete);
  }
  ++core_->counters().requests;
  first_request_ = false;
  head_seen_ = 0;
  begin_ += head.size();
  body_begin_ = begin_;
  head.request().from = from_;
  const RequestView& request = head.request();
  head_only_ = request.method == "HEAD";
  if (head.persistence() == Persistence::kClose) close_after_ = true;

  if (request.content_length > core_->limits().body_bytes_max) {
    AnswerTooLarge(core_->limits().body_bytes_max);
    return Progress::kMore;
  }
  BodyPlan plan = core_->handler()->OnHead(request);
  if (auto* refuse = std::get_if<Refuse>(&plan)) {
    if (head.has_body()) {
      close_after_ = linger_ = true;
    } else {
      SendContinue();
    }
    Answer(std::move(refuse->response));
    return Progress::kMore;
  }
  body_window_start_ = core_->now();
  body_window_bytes_ = end_ - begin_;
  body_taken_ = 0;
  decoder_ = {};
  if (auto* stream = std::get_if<StreamBody>(&plan)) {
    StartStream(std::move(stream->sink));
  } else {
    StartBuffer(std::get<BufferBody>(plan).size_max);
  }
  return Progress::kMore;
}

void Connection::StartBuffer(size_t size_max) {
  RequestView& request = block_->head.request();
  body_size_max_ = size_max;
  if (request.chunked) {
    source_ = Source::kBody;
    state_ = State::kBuffer;
    SendContinue();
    return;
  }
  if (request.content_length == 0) {
    SendContinue();
    Dispatch();
    return;
  }
  if (request.content_length > size_max) {
    AnswerTooLarge(body_size_max_);
    return;
  }
  const size_t length = static_cast<size_t>(request.content_length);
  const size_t available = end_ - begin_;
  state_ = State::kBuffer;
  if (length <= block_->capacity - begin_) {
    source_ = Source::kBlock;
    if (available < length || length == 0) SendContinue();
    return;
  }
  source_ = Source::kBody;
  if (!ReserveBody(std::min(length, std::max(2 * available, kBodyStartBytes)))) return;
  body_.Append({block_->bytes.get() + begin_, available});
  begin_ = end_;
  SendContinue();
}

void Connection::StartStream(std::shared_ptr<BodySink> sink) {
  Check(sink != nullptr, "a streamed body needs a sink");
  sink_ = std::move(sink);
  sink_busy_ = sink_failed_ = false;
  body_left_ = block_->head.request().content_length;
  state_ = State::kStream;
  SendContinue();
}

void Connection::SendContinue() {
  // A client that has begun with its body does not wait; one that announces an empty body does: botocore's connection
  // is of no more use for a minute when it gets the final answer instead.
  if (!block_->head.expects_continue() || begin_ != end_) return;
  out_.append(kContinue);
  Flush();
}

Connection::Progress Connection::StepBuffer() {
  RequestView& request = block_->head.request();
  if (request.chunked) {
    const ChunkedDecoder::Step step = decoder_.Next({block_->bytes.get() + begin_, end_ - begin_});
    begin_ += step.consumed;
    switch (step.state) {
      case ChunkedDecoder::State::kMore:
        return ReadBlock();
      case ChunkedDecoder::State::kData:
        if (step.data.size() > body_size_max_ - body_.size()) {
          AnswerTooLarge(body_size_max_);
        } else if (step.data.size() <= body_.room() ||
                   ReserveBody(std::min(body_size_max_, std::max({2 * body_.capacity(), kBodyStartBytes,
                                                                  body_.size() + step.data.size()})))) {
          body_.Append(step.data);
        }
        return Progress::kMore;
      case ChunkedDecoder::State::kDone:
        request.body = body_.view();
        Dispatch();
        return Progress::kMore;
      case ChunkedDecoder::State::kMalformed:
        ++core_->counters().requests_malformed;
        return Fail(400, "The body is not in chunks as announced.");
    }
  }
  const size_t length = static_cast<size_t>(request.content_length);
  if (source_ == Source::kBlock) {
    if (end_ - begin_ < length) return ReadBlock();
    request.body = {block_->bytes.get() + begin_, length};
    begin_ += length;
    Dispatch();
    return Progress::kMore;
  }
  if (body_.size() < length) {
    if (body_.room() == 0 && !ReserveBody(std::min(length, 2 * body_.capacity()))) return Progress::kMore;
    return ReadBody(length - body_.size());
  }
  request.body = body_.view();
  Dispatch();
  return Progress::kMore;
}

Connection::Progress Connection::StepStream() {
  if (sink_busy_) return Progress::kWait;
  if (sink_failed_) {
    // The rest of the body is of no use: answer, and read no further.
    close_after_ = linger_ = true;
    Dispatch();
    return Progress::kMore;
  }
  char* const bytes = block_->bytes.get();
  if (block_->head.request().chunked) {
    const ChunkedDecoder::Step step = decoder_.Next({bytes + begin_, end_ - begin_});
    begin_ += step.consumed;
    switch (step.state) {
      case ChunkedDecoder::State::kMore:
        return ReadBlock();
      case ChunkedDecoder::State::kData:
        body_taken_ += step.data.size();
        if (body_taken_ > core_->limits().body_bytes_max) {
          DropSink();
          AnswerTooLarge(core_->limits().body_bytes_max);
          return Progress::kMore;
        }
        WriteToSink(step.data);
        return Progress::kMore;
      case ChunkedDecoder::State::kDone:
        Dispatch();
        return Progress::kMore;
      case ChunkedDecoder::State::kMalformed:
        ++core_->counters().requests_malformed;
        return Fail(400, "The body is not in chunks as announced.");
    }
  }
  if (body_left_ == 0) {
    Dispatch();
    return Progress::kMore;
  }
  if (begin_ != end_) {
    const std::string_view piece(bytes + begin_, static_cast<size_t>(std::min<uint64_t>(body_left_, end_ - begin_)));
    begin_ += piece.size();
    body_left_ -= piece.size();
    WriteToSink(piece);
    return Progress::kMore;
  }
  if (body_.size() > 0) {
    body_left_ -= body_.size();
    const std::string_view piece = body_.view();
    body_.Clear();
    WriteToSink(piece);
    return Progress::kMore;
  }
  const size_t want = static_cast<size_t>(std::min<uint64_t>(body_left_, kStreamPieceBytes));
  if (body_.room() < want && !ReserveBody(want)) return Progress::kMore;
  return ReadBody(want);
}

Connection::Progress Connection::StepLinger() {
  if (!readable_) return Progress::kWait;
  const ssize_t n = recv(fd_.get(), core_->scratch(), ServerCore::kScratchBytes, MSG_DONTWAIT);
  return AfterRead(n, ServerCore::kScratchBytes);
}

void Connection::Dispatch() {
  state_ = State::kAnswer;
  core_->handler()->OnRequest(core_->connection(index_), std::move(sink_));
}

void Connection::AnswerTooLarge(size_t size_max) {
  close_after_ = linger_ = true;
  Answer(core_->handler()->OnTooLarge(block_->head.request(), size_max));
}

Connection::Progress Connection::Fail(int status, std::string_view text) {
  close_after_ = linger_ = true;
  DropSink();
  Answer(core_->handler()->OnMalformed(status, text));
  return Progress::kMore;
}

void Connection::Respond(Response response) {
  if (!on_loop()) {
    loop_->Post([connection = shared_from_this(), answer = std::move(response)]() mutable {
      connection->Respond(std::move(answer));
    });
    return;
  }
  if (state_ == State::kClosed) return;
  Check(state_ == State::kAnswer, "a request is answered once, and not before OnRequest");
  core_->BeginTurn();
  Answer(std::move(response));
}

void Connection::RespondRaw(std::string_view bytes) {
  if (state_ == State::kClosed) return;
  Check(on_loop() && state_ == State::kAnswer, "a raw answer comes on the loop, once, after OnRequest");
  if (head_only_) bytes = bytes.substr(0, bytes.find("\r\n\r\n") + 4);
  // Such an answer does not say that the connection stays: an HTTP/1.0 client expects its end.
  if (block_->head.version() == HttpVersion::k10 || core_->stopping()) close_after_ = true;
  out_.append(bytes);
  EndExchange();
}

void Connection::RespondInPieces(Response&& head) {
  if (state_ == State::kClosed) return;
  Check(on_loop() && state_ == State::kAnswer && pieces_ == Pieces::kNone, "a request is answered once");
  const HttpVersion version = block_->head.version();
  pieces_ = version == HttpVersion::k11 ? Pieces::kChunked : Pieces::kUntilClose;
  if (pieces_ == Pieces::kUntilClose || core_->stopping()) close_after_ = true;
  core_->BeginTurn();
  AppendResponseHead(out_, head,
                     {.version = version,
                      .persistence = close_after_ ? Persistence::kClose : Persistence::kKeepAlive,
                      .body_end = pieces_ == Pieces::kChunked ? BodyEnd::kChunked : BodyEnd::kClose,
                      .date_line = core_->date_line()});
  core_->MarkReady(this);
}

void Connection::WritePiece(std::string_view piece, Task taken) {
  if (state_ == State::kClosed) return;
  Check(on_loop() && pieces_ != Pieces::kNone, "a piece of no answer");
  if (!piece.empty() && !head_only_) AppendPiece(out_, piece, pieces_ == Pieces::kChunked);
  if (taken) pieces_taken_.push_back(std::move(taken));
  core_->BeginTurn();
  core_->MarkReady(this);
}

void Connection::EndPieces() {
  if (state_ == State::kClosed) return;
  Check(on_loop() && pieces_ != Pieces::kNone, "the end of no answer");
  if (pieces_ == Pieces::kChunked && !head_only_) out_.append("0\r\n\r\n");
  pieces_ = Pieces::kNone;
  EndExchange();
}

void Connection::Answer(Response response) {
  if (core_->stopping()) close_after_ = true;
  ResponseFrame frame;
  if (block_) frame.version = block_->head.version();
  frame.persistence = close_after_ ? Persistence::kClose : Persistence::kKeepAlive;
  frame.date_line = core_->date_line();
  AppendResponseHead(out_, response, frame);
  if (!head_only_ && !StatusHasNoBody(response.status)) {
    if (auto* text = std::get_if<std::string>(&response.body)) {
      if (text->size() <= kJoinedBodyMax) {
        out_.append(*text);
      } else {
        tail_ = std::move(*text);
      }
    } else if (auto& file = std::get<FileRange>(response.body); file.length > 0) {
      Check(file.file != nullptr && file.file->valid(), "a file range without its file");
      tail_ = std::move(file);
    }
    tail_sent_ = 0;
  }
  EndExchange();
}

void Connection::EndExchange() {
  state_ = State::kHead;
  head_seen_ = 0;
  FreeBody();
  if (begin_ == end_) ReleaseBlock();
  if (working_) {
    since_ = core_->now();
    return;  // written and carried on by Advance
  }
  core_->BeginTurn();
  since_ = core_->now();
  core_->MarkReady(this);
}

void Connection::DropSink() {
  if (!sink_ || sink_busy_) return;  // a busy one is told when it is done
  sink_->Abandon();
  sink_.reset();
}

void Connection::WriteToSink(std::string_view piece) {
  sink_busy_ = true;
  sink_->Write(piece, [connection = shared_from_this()](Status status) {
    if (connection->on_loop()) {
      connection->OnSinkDone(std::move(status));
      return;
    }
    connection->loop_->Post([connection, outcome = std::move(status)] { connection->OnSinkDone(outcome); });
  });
}

void Connection::OnSinkDone(Status status) {
  Check(sink_busy_, "a piece of a body is done with once");
  sink_busy_ = false;
  if (state_ != State::kStream) {
    DropSink();
    return;
  }
  if (!status) sink_failed_ = true;
  if (working_) return;
  core_->BeginTurn();
  body_window_start_ = core_->now();  // the client could not send while the sink worked
  body_window_bytes_ = 0;
  Advance();
}

// All output is written and no request is to follow.
void Connection::EndConnection() {
  if (peer_gone_ || !(linger_ || begin_ != end_)) {
    Close();
    return;
  }
  // Closing with unread bytes would reset the connection, and the client might never see the answer.
  shutdown(fd_.get(), SHUT_WR);
  state_ = State::kLinger;
  since_ = core_->now();
  ReleaseBlock();
}

void Connection::CloseWhenIdle() {
  if (state_ != State::kHead || begin_ != end_ || has_output()) return;
  // A request that lies in the kernel still is answered, and its connection closed then.
  char byte;
  if (recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return;
  Close();
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  const State was = std::exchange(state_, State::kClosed);
  peer_gone_ = true;
  if (was == State::kStream) DropSink();
  // The accounting ends here; the memory stays for a handler that still looks at the request, or a sink at its piece.
  core_->buffered_bytes() -= body_.capacity();
  tail_ = std::monostate();
  pieces_taken_.clear();
  loop_->Unwatch(fd_.get());
  if (bursting_) {
    shutdown(fd_.get(), SHUT_RDWR);  // closed when the thread for files is done with it
  } else {
    fd_.reset();
  }
  core_->Remove(this);
}

uint64_t Connection::BytesTakenByClient() const {
  int waiting = 0;
  if (ioctl(fd_.get(), SIOCOUTQ, &waiting) != 0) waiting = 0;
  return written_ - static_cast<uint64_t>(waiting);
}

void Connection::CheckTimeouts() {
  const ServerLimits& limits = core_->limits();
  const Duration now = core_->now();
  const auto time_out = [&] {
    ++core_->counters().connections_timed_out;
    Close();
  };
  if (write_window_open_ && now - write_window_start_ >= limits.write_window) {
    const uint64_t taken = BytesTakenByClient();
    if (taken - write_window_mark_ < limits.write_window_bytes_min) {
      time_out();
      return;
    }
    write_window_mark_ = taken;
    write_window_start_ = now;
  }
  switch (state_) {
    case State::kHead:
      if (has_output()) return;
      if (begin_ != end_) {
        if (now - since_ < limits.head_time_max) return;
        ++core_->counters().connections_timed_out;
        head_only_ = false;
        Fail(408, "The request's head did not come in time.");
        return;
      }
      if (now - since_ >= (first_request_ ? limits.head_time_max : limits.idle_time_max)) time_out();
      return;
    case State::kBuffer:
    case State::kStream:
      // Only the server's own reference is left: the sink has lost its `done`.
      if (sink_busy_ && core_->connection(index_).use_count() == 1) {
        OnSinkDone(Error(ErrorCode::kInternal, "the body's sink gave up without a word"));
        return;
      }
      if (now - body_window_start_ < limits.body_window) return;
      if (!sink_busy_ && body_window_bytes_ < limits.body_window_bytes_min) {
        ++core_->counters().connections_timed_out;
        Fail(408, "The request's body came too slowly.");
        return;
      }
      body_window_start_ = now;
      body_window_bytes_ = 0;
      return;
    case State::kAnswer:
      // Only the server's own reference is left: nobody can answer any more.
      if (core_->connection(index_).use_count() == 1) {
        if (peer_gone_ || pieces_ != Pieces::kNone) {
          Close();
        } else {
          close_after_ = true;
          Answer(PlainResponse(500, "The request was dropped without an answer."));
        }
      }
      return;
    case State::kLinger:
      if (now - since_ >= limits.linger_time_max) Close();
      return;
    case State::kClosed:
      return;
  }
}

}  // namespace argosy::http
