// The events of several log streams as one sequence by time.
//
// A place in the sequence is (time, how many events of exactly that time have been taken): it can be found again later
// with no state kept here, whatever was appended meanwhile at later times.
#pragma once

#include <queue>
#include <string>
#include <vector>

#include "observe/log_store.h"

namespace argosy::api {

struct MergePlace {
  Time time{};
  uint64_t taken = 0;  // events of `time` already seen
};

class EventMerger {
 public:
  // Streams of equal time take turns in the order given, which must be the same each time. One that vanishes is left
  // out.
  EventMerger(observe::LogStore* store, std::string group, std::vector<std::string> streams, MergePlace from);

  struct Event {
    size_t stream = 0;  // index into the streams
    observe::LogEvent event;
  };
  // Nothing when all have been seen.
  Result<std::optional<Event>> Next();

  // Behind what Next() has given so far.
  const MergePlace& place() const { return place_; }

 private:
  struct Cursor {
    uint64_t position = 0;
    bool at_end = false;
    std::vector<observe::LogEvent> events;
    size_t next = 0;  // in events
  };
  struct Head {
    Time time;
    size_t stream;
    bool operator>(const Head& other) const { return time != other.time ? time > other.time : stream > other.stream; }
  };
  Status Start();
  Status Advance(size_t stream, size_t events_max);

  observe::LogStore* store_;
  std::string group_;
  std::vector<std::string> streams_;
  MergePlace place_;
  uint64_t skip_ = 0;
  bool started_ = false;
  size_t batch_bytes_ = 0;
  std::vector<Cursor> cursors_;
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads_;
};

}  // namespace argosy::api
