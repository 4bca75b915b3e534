#include "serving/instance_channel.h"

#include <algorithm>

#include "base/log.h"
#include "protocol/local_socket.h"

namespace argosy::serving {
namespace {

uint64_t FrameId(uint32_t index, uint32_t generation) {
  return (static_cast<uint64_t>(generation) << 32) | index;
}

Error Lost(const std::string& instance_id) {
  return Error(ErrorCode::kUnavailable, "instance " + instance_id + " does not answer");
}

}  // namespace

InstanceChannel::InstanceChannel(EventLoop& loop, RouteInstance instance, Owner& owner)
    : loop_(loop), instance_(std::move(instance)), owner_(owner) {}

InstanceChannel::~InstanceChannel() {
  if (stream_ != nullptr) stream_->Close();
}

bool InstanceChannel::Connect() {
  if (stream_ != nullptr) return true;
  if (loop_.TurnTime() < retry_at_) return false;
  Result<UniqueFd> connection = protocol::ConnectLocal(instance_.address);
  if (!connection.ok()) {
    retry_at_ = loop_.TurnTime() + kReconnectPause;
    return false;
  }
  Attach(std::move(*connection));
  return true;
}

void InstanceChannel::UseConnection(UniqueFd connection) {
  Attach(std::move(connection));
}

void InstanceChannel::Attach(UniqueFd connection) {
  stream_ = protocol::FrameStream::Open(loop_, std::move(connection), *this);
  heard_ = loop_.TurnTime();
  asked_ = Duration::zero();
  suspect_ = false;
  parts_ = true;
  const protocol::Hello hello{.instance_id = instance_.instance_id};
  protocol::AppendFrame(stream_->out(), protocol::FrameKind::kHello, 0, hello.ToJson());
  stream_->WriteSoon();
}

bool InstanceChannel::WindowOpenFor(size_t bytes) const {
  return in_flight_ < control_.Window() && (in_flight_ == 0 || in_flight_bytes_ + bytes <= kWindowBytesMax);
}

InstanceChannel::Submission InstanceChannel::Submit(Pending& pending) {
  if (!Connect()) return Submission::kUnreachable;
  control_.OnRequest(loop_.TurnTime());
  const size_t bytes = pending.invocation->view().body.size();
  if (queue_.empty() && WindowOpenFor(bytes)) {
    Send(std::move(pending));
    return Submission::kTaken;
  }
  if (!control_.Admits(loop_.TurnTime(), queue_.size()) || queued_bytes_ + bytes > kQueuedBytesMax) {
    return Submission::kBusy;
  }
  queued_bytes_ += bytes;
  queue_.push_back(std::move(pending));
  control_.OnQueue(loop_.TurnTime(), queue_.size());
  return Submission::kTaken;
}

void InstanceChannel::Send(Pending pending) {
  uint32_t index;
  if (free_slots_.empty()) {
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  Slot& slot = slots_[index];
  const InvocationView& view = pending.invocation->view();
  const Duration left = std::max(pending.deadline - loop_.TurnTime(), Duration(std::chrono::milliseconds(1)));
  protocol::AppendInvoke(
      stream_->out(), FrameId(index, slot.generation),
      {.time_left_ms = static_cast<uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count()),
       .content_type = view.content_type,
       .accept = view.accept,
       .custom_attributes = view.custom_attributes,
       .inference_id = view.inference_id,
       .body = view.body},
      pending.invocation->in_parts() && parts_ ? protocol::FrameKind::kInvokeInParts : protocol::FrameKind::kInvoke);
  stream_->WriteSoon();
  slot.bytes = view.body.size();
  pending.sent = loop_.TurnTime();
  slot.pending = std::move(pending);
  ++in_flight_;
  in_flight_bytes_ += slot.bytes;
}

Pending InstanceChannel::Take(Slot& slot, uint32_t index) {
  Pending out = std::move(slot.pending);
  slot.pending = Pending();
  ++slot.generation;
  --in_flight_;
  in_flight_bytes_ -= slot.bytes;
  free_slots_.push_back(index);
  return out;
}

Result<InstanceChannel::Slot*> InstanceChannel::SlotOf(uint64_t frame_id) {
  const auto index = static_cast<uint32_t>(frame_id & 0xffffffffU);
  const auto generation = static_cast<uint32_t>(frame_id >> 32);
  if (index >= slots_.size()) return Error(ErrorCode::kCorrupt, "an answer to a request that was never sent");
  Slot& slot = slots_[index];
  // An older generation: its request had timed out, nobody waits.
  if (slot.generation != generation || slot.pending.invocation == nullptr) return static_cast<Slot*>(nullptr);
  return &slot;
}

void InstanceChannel::PassPart(Slot& slot, uint64_t id, const protocol::AnswerView& part) {
  slot.pending.Part(part, loop_.TurnTime(),
                    [stream = stream_->weak_from_this(), id, bytes = static_cast<uint32_t>(part.body.size())] {
                      const std::shared_ptr<protocol::FrameStream> open = stream.lock();
                      if (open == nullptr || open->closed()) return;
                      protocol::AppendGrant(open->out(), id, bytes);
                      open->WriteSoon();
                    });
}

// Nobody waits for it any more: an answer in parts is not to go on.
void InstanceChannel::SendCancel(const Slot& slot, uint32_t index) {
  if (stream_ == nullptr || !slot.pending.invocation->in_parts() || !parts_) return;
  protocol::AppendFrame(stream_->out(), protocol::FrameKind::kCancel, FrameId(index, slot.generation), "");
  stream_->WriteSoon();
}

Status InstanceChannel::OnFrame(protocol::FrameStream&, const protocol::FrameView& frame) {
  switch (frame.kind) {
    case protocol::FrameKind::kPart:
    case protocol::FrameKind::kAnswer: {
      const Result<protocol::AnswerView> answer = protocol::ParseAnswer(frame.payload);
      if (!answer.ok()) return answer.error();
      const Result<Slot*> slot = SlotOf(frame.id);
      if (!slot.ok()) return slot.error();
      if (*slot == nullptr) return {};
      if (frame.kind == protocol::FrameKind::kPart) {
        if (!(*slot)->pending.invocation->in_parts()) return Error(ErrorCode::kCorrupt, "a part that nobody asked for");
        PassPart(**slot, frame.id, *answer);
        return {};
      }
      Pending pending = Take(**slot, static_cast<uint32_t>(frame.id & 0xffffffffU));
      answered_ = true;
      ++answers_;
      pending.Answer(*answer, loop_.TurnTime());
      return {};
    }
    case protocol::FrameKind::kPong: {
      for (const Callback<void>& done : std::exchange(pings_, {})) done(Status());
      answered_ = true;
      return {};
    }
    case protocol::FrameKind::kWelcome: {
      const Result<protocol::Welcome> welcome = protocol::Welcome::FromJson(frame.payload);
      if (!welcome.ok()) return welcome.error();
      control_.SetConcurrency(welcome->concurrency);
      parts_ = welcome->parts;
      if (welcome->instance_id == instance_.instance_id) return {};
      return Error(ErrorCode::kConflict, "another instance answers at " + instance_.address);
    }
    default:
      return Error(ErrorCode::kCorrupt, "a frame that an instance does not send");
  }
}

void InstanceChannel::OnBatchEnd(protocol::FrameStream&) {
  heard_ = loop_.TurnTime();
  asked_ = Duration::zero();
  suspect_ = false;
  if (!std::exchange(answered_, false)) return;
  control_.OnAnswers(heard_, std::exchange(answers_, 0), in_flight_);
  Pump();
  CheckIdle();
}

void InstanceChannel::Pump() {
  const Duration now = loop_.TurnTime();
  while (!queue_.empty() && stream_ != nullptr) {
    Pending& next = queue_.front();
    const size_t bytes = next.invocation->view().body.size();
    const bool unwanted = next.invocation->abandoned() || now >= next.deadline;
    if (!unwanted && !WindowOpenFor(bytes)) break;
    Pending pending = std::move(next);
    queue_.pop_front();
    queued_bytes_ -= bytes;
    if (unwanted) {
      pending.Fail(InvocationFailure::kTimedOut, now);
    } else {
      Send(std::move(pending));
    }
  }
  control_.OnQueue(now, queue_.size());
}

void InstanceChannel::CheckIdle() {
  if (idle()) owner_.OnIdle(*this);
}

void InstanceChannel::Ping(Callback<void> done) {
  if (!Connect()) return done(Lost(instance_.instance_id));
  pings_.push_back(std::move(done));
  protocol::AppendFrame(stream_->out(), protocol::FrameKind::kPing, 0, "");
  stream_->WriteSoon();
}

void InstanceChannel::Expire(Duration now) {
  std::vector<Pending> expired;
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    const Pending& pending = slots_[i].pending;
    if (pending.invocation == nullptr) continue;
    const bool left = pending.invocation->in_parts() && pending.invocation->abandoned();
    if (left || now >= pending.deadline) {
      SendCancel(slots_[i], i);
      expired.push_back(Take(slots_[i], i));
    }
  }
  Pump();
  for (Pending& pending : expired) pending.Fail(InvocationFailure::kTimedOut, now);
  if (!expired.empty()) CheckIdle();
}

void InstanceChannel::CheckHealth(Duration now) {
  if (stream_ == nullptr || in_flight_ == 0) {
    asked_ = Duration::zero();
    return;
  }
  if (asked_ == Duration::zero()) {
    if (now - heard_ < kSuspectAfter / 2) return;
    asked_ = now;
    protocol::AppendFrame(stream_->out(), protocol::FrameKind::kPing, 0, "");
    stream_->WriteSoon();
    return;
  }
  if (now - asked_ >= kSuspectAfter && !suspect_) {
    suspect_ = true;
    std::vector<Pending> unsent(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
    queue_.clear();
    queued_bytes_ = 0;
    owner_.OnSuspect(*this, std::move(unsent));
  }
  if (now - asked_ >= kStuckAfter) owner_.OnStuck(*this);
}

void InstanceChannel::OnClosed(protocol::FrameStream&, const Error& why) {
  if (why.code() != ErrorCode::kUnavailable) {
    Log(LogLevel::kWarning, "connection to an instance ended",
        {{"instance", instance_.instance_id}, {"error", why.message()}});
  }
  stream_.reset();
  retry_at_ = loop_.TurnTime() + kReconnectPause;
  std::vector<Pending> lost;
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].pending.invocation != nullptr) lost.push_back(Take(slots_[i], i));
  }
  for (Pending& pending : queue_) lost.push_back(std::move(pending));
  queue_.clear();
  queued_bytes_ = 0;
  for (const Callback<void>& done : std::exchange(pings_, {})) done(Lost(instance_.instance_id));
  owner_.OnLost(*this, std::move(lost));
}

}  // namespace argosy::serving
