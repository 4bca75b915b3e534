// The logs of jobs and endpoints: groups of streams of (timestamp, message), as CloudWatch Logs has them.
//
// Thread-safe; calls block for file I/O (pool threads). Files: docs/formats/log_store.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace argosy::observe {

struct LogEvent {
  Time timestamp{};
  std::string message;
};

struct LogStreamInfo {
  std::string name;
  Time created{};
  std::optional<Time> first_event, last_event;
  uint64_t stored_bytes = 0;
};

struct LogGroupInfo {
  std::string name;
  Time created{};
  uint64_t stored_bytes = 0;
};

class LogStore {
 public:
  virtual ~LogStore() = default;

  // Appends what lies at [offset, offset + bytes.size()) of the agent's spool. What was appended before is skipped, so
  // that a resend after a reconnect does no harm; a gap is kInvalidArgument. `spool` is whole lines of the spool format
  // (docs/formats/log_store.md): "<unix nanos> <message>\n", the message with \n and \\ escaped.
  virtual Status AppendSpool(const std::string& group, const std::string& stream, uint64_t offset,
                             std::string_view spool) = 0;
  // How far AppendSpool has got: where the agent is to go on.
  virtual uint64_t SpoolOffset(const std::string& group, const std::string& stream) = 0;

  virtual std::vector<LogGroupInfo> Groups(std::string_view prefix) = 0;  // by name
  // Names in order; kNotFound: no such group.
  virtual Result<std::vector<std::string>> StreamNames(const std::string& group, std::string_view prefix) = 0;
  // kNotFound: no such group or stream (here and below).
  virtual Result<LogStreamInfo> Describe(const std::string& group, const std::string& stream) = 0;
  // The position of the first event that is not before `time`; the end when there is none. Costs a few page reads: the
  // times of a stream do not go back.
  virtual Result<uint64_t> Seek(const std::string& group, const std::string& stream, Time time) = 0;
  // Events from `position` (a byte offset that an earlier call returned; 0 = start) forward, at most `events_max`, and
  // `bytes_max` of text but at least one event; `next` is where to go on. A position beyond the end is the end; one
  // within a line is kInvalidArgument.
  struct Read {
    std::vector<LogEvent> events;
    uint64_t next = 0;
    bool at_end = false;
  };
  virtual Result<Read> ReadForward(const std::string& group, const std::string& stream, uint64_t position,
                                   size_t events_max, size_t bytes_max) = 0;
  // The events that end just before `position` (UINT64_MAX = the end), oldest first; `next` is where they begin.
  virtual Result<Read> ReadBackward(const std::string& group, const std::string& stream, uint64_t position,
                                    size_t events_max, size_t bytes_max) = 0;
};

}  // namespace argosy::observe
