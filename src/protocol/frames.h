// The frames in which server, agents and router talk over stream sockets (docs/formats/protocol.md has every byte).
//
// A frame is a header of 16 bytes and a payload. Numbers are little-endian. FrameReader cuts a stream into frames as
// the bytes come; the Append functions write whole frames behind what a buffer holds already, so that all that one turn
// of an event loop brings leaves in one write.
//
// Nothing here takes the peer's word: lengths are bounded by kind before a byte of payload is buffered, and a view
// handed out lies inside the payload. Errors are kCorrupt; a stream that gave one is closed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/messages.h"

namespace argosy::protocol {

enum class FrameKind : uint8_t {
  // agent and server
  kHello = 1,    // the side that connected says who it is (JSON)
  kWelcome = 2,  // the other side agrees (JSON)
  kCommand = 3,  // server to agent: a Command
  kReport = 4,   // agent to server: a Report (JSON)
  kLog = 5,      // agent to server: spool bytes; id = their offset in the spool
  // router and serving agent; hello and welcome come first
  kPing = 16,
  kPong = 17,
  kInvoke = 18,  // id chosen by the router
  kAnswer = 19,  // id of the invoke
  // The same id in all that follows an invocation whose answer is taken in parts.
  kInvokeInParts = 20,  // as kInvoke
  kPart = 21,           // as kAnswer: the next piece of the body; the answer itself holds what is left, or the error
  kGrant = 22,          // router to agent: so many bytes of parts were taken
  kCancel = 23,         // router to agent: nobody waits any more
};

inline constexpr size_t kFrameHeaderBytes = 16;
inline constexpr uint16_t kFrameMagic = 0x4741;        // "AG"
inline constexpr size_t kHelloBytesMax = 4096;         // a few short fields
inline constexpr size_t kCommandBytesMax = 256 << 10;  // the addresses of a group
inline constexpr size_t kReportBytesMax = 1 << 20;     // thousands of metrics
inline constexpr size_t kLogBytesMax = 1 << 20;        // a chunk; one line is at most a quarter of it
inline constexpr size_t kFieldBytesMax = 8192;         // each text field of an invocation: what HTTP headers may hold
inline constexpr size_t kInvokeBodyBytesMax = 6'291'456;  // SageMaker's limit for a request's body
inline constexpr size_t kInvokeBytesMax = kInvokeBodyBytesMax + 5 * kFieldBytesMax;
inline constexpr size_t kAnswerBytesMax = 32 << 20;  // answers may be larger than requests
// Bytes of parts that may be on their way without having been granted, so that who takes an answer slowly holds back
// only that answer.
inline constexpr size_t kPartCreditBytes = 256 << 10;
inline constexpr size_t kPartBytesMax = 64 << 10;  // of one part's body
inline constexpr size_t kKeepBytesMax = 1 << 20;   // a buffer that a large frame grew beyond this is given back

struct FrameView {
  FrameKind kind = FrameKind::kHello;
  uint64_t id = 0;
  std::string_view payload;
};

// The most that the payload of a kind may have; nothing for a kind that does not exist.
std::optional<size_t> PayloadBytesMax(uint8_t kind);

// Usage: read into Space(), Filled(n), then Next() until it gives nothing. Views are good until the next Space().
class FrameReader {
 public:
  // Room for at least one byte, more when the frame being read needs it.
  struct Room {
    char* data;
    size_t size;
  };
  Room Space();
  void Filled(size_t n) { end_ += n; }

  // The next whole frame, nothing when more bytes are needed.
  Result<std::optional<FrameView>> Next();

  size_t buffered() const { return end_ - begin_; }

 private:
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

void AppendFrame(std::string& out, FrameKind kind, uint64_t id, std::string_view payload);

// Who speaks. The router leaves owner_uid empty and attempt 0: "not said".
struct Hello {
  int version = kVersion;
  std::string instance_id;
  std::string owner_uid;
  uint32_t attempt = 0;
  std::string token = {};  // of the agent's session, to the server

  static Result<Hello> FromJson(std::string_view json);
  std::string ToJson() const;
};

struct Welcome {
  int version = kVersion;
  std::string instance_id;
  std::string owner_uid;
  uint32_t attempt = 0;
  uint64_t log_offset = 0;   // where in its spool the agent is to go on
  uint32_t concurrency = 0;  // a serving agent's: so many requests are worked on side by side; 0 = a built-in model
  bool parts = false;        // a serving agent that knows kInvokeInParts; those before it end the connection at one

  static Result<Welcome> FromJson(std::string_view json);
  std::string ToJson() const;
};

// Addresses are at most kCommandBytesMax together, less a few bytes each (checked).
void AppendCommand(std::string& out, const Command& command);
Result<Command> ParseCommand(std::string_view payload);

struct InvokeView {
  uint32_t time_left_ms = 0;  // nobody waits for the answer after that; 0 = no limit
  std::string_view content_type;
  std::string_view accept;
  std::string_view custom_attributes;
  std::string_view inference_id;
  std::string_view body;
};

// Fields longer than kFieldBytesMax and bodies over kInvokeBodyBytesMax are the caller's to refuse first (checked).
void AppendInvoke(std::string& out, uint64_t id, const InvokeView& invoke, FrameKind kind = FrameKind::kInvoke);
Result<InvokeView> ParseInvoke(std::string_view payload);

struct AnswerView {
  uint16_t status = 200;  // as the container would have answered over HTTP
  std::string_view content_type;
  std::string_view custom_attributes;
  std::string_view body;  // when status is not 2xx: the message
};

void AppendAnswer(std::string& out, uint64_t id, const AnswerView& answer, FrameKind kind = FrameKind::kAnswer);
Result<AnswerView> ParseAnswer(std::string_view payload);

void AppendGrant(std::string& out, uint64_t id, uint32_t bytes);
Result<uint32_t> ParseGrant(std::string_view payload);

}  // namespace argosy::protocol
