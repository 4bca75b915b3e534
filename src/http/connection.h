// One client's connection and the exchange open on it. Internal to http/.
//
//   head ──► buffer ─┐
//    ▲  └──► stream ─┴► answer ──► head …          any ──► linger ──► closed
//
// All on the loop's thread but Respond, the `done` of a BodySink's Write, and the sending of files by threads of their
// own. The object outlives its socket while a handler holds the exchange: what request() points to stays until then.
#pragma once

#include <sys/types.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/files.h"
#include "http/handler.h"
#include "http/server_core.h"

namespace argosy::http {

// Bytes that grow without being set to zero first.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ~ByteBuffer() { std::free(data_); }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  char* data() { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  size_t room() const { return capacity_ - size_; }
  char* end() { return data_ + size_; }
  std::string_view view() const { return {data_, size_}; }
  void Reserve(size_t capacity);
  void Append(std::string_view bytes);  // the room is reserved
  void Grew(size_t by) { size_ += by; }
  void Clear() { size_ = 0; }
  void Free();

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

class Connection final : public Exchange, public FdHandler, public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerCore* core, UniqueFd fd, ClientPlace from, size_t index);

  // Exchange.
  const RequestView& request() const override;
  void Respond(Response response) override;
  void RespondRaw(std::string_view bytes) override;
  void RespondInPieces(Response&& head) override;
  void WritePiece(std::string_view piece, Task taken) override;
  void EndPieces() override;
  bool abandoned() const override { return peer_gone_ || state_ == State::kClosed; }
  Scheduler& loop() override { return *loop_; }

  void OnEvents(uint32_t events) override;

  // For the server.
  void Advance();  // does all that can be done now
  void CheckTimeouts();
  void CloseWhenIdle();  // the server is stopping
  void Close();
  int fd() const { return fd_.get(); }
  size_t index() const { return index_; }
  void set_index(size_t index) { index_ = index; }
  enum class Listed { kNo, kYes };  // among the server's connections to advance at the end of the turn
  Listed listed() const { return listed_; }
  void set_listed(Listed listed) { listed_ = listed; }

 private:
  enum class State { kHead, kBuffer, kStream, kAnswer, kLinger, kClosed };
  enum class Progress { kMore, kWait };  // call Step again, or wait for an event
  enum class Source { kBlock, kBody };   // where a buffered body is gathered

  bool on_loop() const { return std::this_thread::get_id() == loop_thread_; }

  Progress Step();
  Progress StepHead();
  Progress StepBuffer();
  Progress StepStream();
  Progress StepLinger();

  Progress StartRequest();
  void StartBuffer(size_t size_max);
  void StartStream(std::shared_ptr<BodySink> sink);
  void SendContinue();
  void Dispatch();
  void AnswerTooLarge(size_t size_max);
  // Ends the exchange, if one is open, with the transport's own words; nothing further is read of the request.
  Progress Fail(int status, std::string_view text);
  void Answer(Response response);
  void EndExchange();
  void DropSink();

  void WriteToSink(std::string_view piece);
  void OnSinkDone(Status status);

  // Reads into the block or `into`; kWait when nothing came (or the connection has ended).
  Progress ReadBlock();
  Progress ReadBody(size_t bytes_max);
  Progress AfterRead(ssize_t n, size_t room);
  void GrowBlock(size_t capacity);
  void ReleaseBlock();

  bool has_output() const { return out_sent_ < out_.size() || tail_.index() != 0; }
  bool output_is_full() const;
  void Flush();
  enum class Sent { kAll, kWait, kFailed };
  Sent SendOut();
  Sent SendFile();
  Sent AfterSend(ssize_t n);
  // What a thread for files has sent of a FileRange before it had enough of it, or something stood in its way.
  struct FileBurst {
    uint64_t bytes = 0;
    Sent end = Sent::kAll;  // kWait: the kernel takes no more for now
  };
  static FileBurst SendBurst(int socket, int file, uint64_t offset, uint64_t length);
  bool HandToFileThread(const FileRange& file, uint64_t ready);
  void OnBurst(const FileBurst& burst);
  void WaitForRoom();
  void EndConnection();
  uint64_t BytesTakenByClient() const;

  // Room for `capacity` bytes of body, within what the server allows for all its connections; says false when over.
  bool ReserveBody(size_t capacity);
  void FreeBody();

  ServerCore* const core_;  // not to be used once closed
  EventLoop* const loop_;
  const std::thread::id loop_thread_;
  UniqueFd fd_;
  const ClientPlace from_;
  size_t index_;

  State state_ = State::kHead;
  bool readable_ = false;     // the last read did not empty the socket
  bool peer_gone_ = false;    // the client will send nothing more
  bool close_after_ = false;  // when all output is written
  bool linger_ = false;       // …reading what the client still sends
  bool working_ = false;      // Advance is on the stack
  bool head_only_ = false;    // the request is a HEAD
  bool sink_busy_ = false;
  bool sink_failed_ = false;
  bool first_request_ = true;
  bool write_waits_ = false;  // the kernel takes no more output for now
  bool bursting_ = false;     // a thread for files is sending
  bool room_told_ = false;    // an event has told of room for output since then
  bool write_window_open_ = false;
  // An answer in pieces: under way, and who is told when the kernel has what was written so far.
  enum class Pieces { kNone, kChunked, kUntilClose } pieces_ = Pieces::kNone;
  std::vector<Task> pieces_taken_;
  Listed listed_ = Listed::kNo;
  Source source_ = Source::kBlock;

  // Input: [begin_, end_) of the block is not consumed yet.
  std::unique_ptr<InputBlock> block_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t head_seen_ = 0;
  size_t body_begin_ = 0;  // place in the block where the body begins
  ByteBuffer body_;
  uint64_t body_left_ = 0;    // announced and not yet taken
  uint64_t body_taken_ = 0;   // of a chunked body
  size_t body_size_max_ = 0;  // of a buffered one
  ChunkedDecoder decoder_;
  std::shared_ptr<BodySink> sink_;

  // Output: out_ from out_sent_, then tail_ from tail_sent_.
  std::string out_;
  size_t out_sent_ = 0;
  std::variant<std::monostate, std::string, FileRange> tail_;
  uint64_t tail_sent_ = 0;

  // Time limits.
  size_t turn_bytes_ = 0;  // read in this Advance
  Duration since_{};       // when the state's time began
  Duration body_window_start_{};
  uint64_t body_window_bytes_ = 0;
  Duration write_window_start_{};
  uint64_t written_ = 0;  // all that the kernel took
  uint64_t write_window_mark_ = 0;
};

}  // namespace argosy::http
