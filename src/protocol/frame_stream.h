// One connection that carries frames, on an event loop.
//
// Lifecycle: Open watches the descriptor; the owner hears of each frame, of the end of each batch (all that one read
// brought), and once of the end. Close tells nobody. What is appended to out() is written once at the end of the loop's
// turn. The owner must outlive the stream or Close it first. All on the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "base/event_loop.h"
#include "protocol/frames.h"

namespace argosy::protocol {

class FrameStream final : public FdHandler, public std::enable_shared_from_this<FrameStream> {
 public:
  class Owner {
   public:
    // An error ends the connection.
    virtual Status OnFrame(FrameStream& stream, const FrameView& frame) = 0;
    virtual void OnBatchEnd(FrameStream&) {}
    // All that was appended has been handed to the kernel.
    virtual void OnDrained(FrameStream&) {}
    // The peer is gone or broke the protocol. The last call about this stream.
    virtual void OnClosed(FrameStream& stream, const Error& why) = 0;

   protected:
    ~Owner() = default;
  };

  // `fd` does not block (O_NONBLOCK).
  static std::shared_ptr<FrameStream> Open(EventLoop& loop, UniqueFd fd, Owner& owner);
  ~FrameStream();
  FrameStream(const FrameStream&) = delete;
  FrameStream& operator=(const FrameStream&) = delete;

  // The buffer for the Append functions; call WriteSoon afterwards. Bounding it is the owner's part: see unwritten().
  std::string& out() { return out_; }
  void WriteSoon();
  size_t unwritten() const { return out_.size() - written_; }

  // While reading is paused the peer is held back by the socket's buffer.
  void PauseReading();
  void ResumeReading();

  void Close();
  bool closed() const { return !fd_.valid(); }
  int fd() const { return fd_.get(); }

  void OnEvents(uint32_t events) override;

 private:
  FrameStream(EventLoop& loop, UniqueFd fd, Owner& owner) : loop_(loop), fd_(std::move(fd)), owner_(&owner) {}
  void Write();
  void UpdateWatch();
  void Fail(const Error& why);
  // False when the stream is closed afterwards.
  bool HandleFrames();

  EventLoop& loop_;
  UniqueFd fd_;
  Owner* owner_;  // null once closed
  FrameReader reader_;
  std::string out_;
  size_t written_ = 0;      // of out_
  bool write_due_ = false;  // a write stands at the end of this turn
  bool reading_ = true;
  bool reread_due_ = false;  // frames left in reader_ when reading was paused
  uint32_t watched_ = 0;
};

}  // namespace argosy::protocol
