#include "api/logs/event_merger.h"

#include <algorithm>
#include <utility>

namespace argosy::api {
namespace {

// Read ahead, all streams together; with many of them each gets at least the least.
constexpr size_t kReadAheadBytes = size_t{8} << 20;
constexpr size_t kStreamBytesMax = size_t{256} << 10;
constexpr size_t kStreamBytesMin = size_t{1} << 10;
constexpr size_t kBatchEvents = 512;

}  // namespace

EventMerger::EventMerger(observe::LogStore* store, std::string group, std::vector<std::string> streams, MergePlace from)
    : store_(store),
      group_(std::move(group)),
      streams_(std::move(streams)),
      place_{from.time, 0},
      skip_(from.taken),
      batch_bytes_(
          std::clamp(kReadAheadBytes / std::max<size_t>(streams_.size(), 1), kStreamBytesMin, kStreamBytesMax)),
      cursors_(streams_.size()) {}

Status EventMerger::Advance(size_t stream, size_t events_max) {
  Cursor& cursor = cursors_[stream];
  if (++cursor.next >= cursor.events.size()) {
    cursor.events.clear();
    cursor.next = 0;
    if (!cursor.at_end) {
      Result<observe::LogStore::Read> read =
          store_->ReadForward(group_, streams_[stream], cursor.position, events_max, batch_bytes_);
      if (!read.ok()) return read.error();
      cursor.events = std::move(read->events);
      cursor.position = read->next;
      cursor.at_end = read->at_end;
    }
  }
  if (cursor.next < cursor.events.size()) heads_.push({cursor.events[cursor.next].timestamp, stream});
  return {};
}

Status EventMerger::Start() {
  for (size_t stream = 0; stream < streams_.size(); ++stream) {
    const Result<uint64_t> position = store_->Seek(group_, streams_[stream], place_.time);
    if (!position.ok()) {
      if (position.error().code() == ErrorCode::kNotFound) continue;
      return position.error();
    }
    cursors_[stream].position = *position;
    // One event each is enough to know whose turn it is: most streams of a group do not overlap.
    if (Status first = Advance(stream, 1); !first.ok()) return first;
  }
  return {};
}

Result<std::optional<EventMerger::Event>> EventMerger::Next() {
  if (!std::exchange(started_, true)) {
    if (Status started = Start(); !started.ok()) return started.error();
  }
  while (!heads_.empty()) {
    const Head head = heads_.top();
    heads_.pop();
    Cursor& cursor = cursors_[head.stream];
    Event event{head.stream, std::move(cursor.events[cursor.next])};
    if (Status advanced = Advance(head.stream, kBatchEvents); !advanced.ok()) return advanced.error();
    if (head.time != place_.time) {
      place_ = {head.time, 0};
      skip_ = 0;
    }
    ++place_.taken;
    // Those that were given before the place was handed out.
    if (skip_ > 0 && place_.taken <= skip_) continue;
    skip_ = 0;
    return std::optional<Event>(std::move(event));
  }
  return std::optional<Event>();
}

}  // namespace argosy::api
