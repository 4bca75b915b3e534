#include "agent/program/program_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace argosy::agent {

ProgramHost::ProgramHost(EventLoop& loop, protocol::Hello identity, Backend& backend, LogSpool& log)
    : InstanceHost(loop, std::move(identity)), backend_(backend), errors_(log) {}

ProgramHost::~ProgramHost() {
  loop_.Cancel(second_timer_);
}

void ProgramHost::OnGrant(Stream& stream, uint64_t id, size_t bytes) {
  if (const uint64_t* key = KeyOf(stream, id)) backend_.Grant(*key, bytes);
}

void ProgramHost::OnCancel(Stream& stream, uint64_t id) {
  const uint64_t* const known = KeyOf(stream, id);
  if (known == nullptr) return;
  const uint64_t key = *known;
  in_parts_[&stream].erase(id);
  origins_.erase(key);  // in the queue it is passed over
  backend_.Cancel(key);
}

uint64_t* ProgramHost::KeyOf(const Stream& stream, uint64_t id) {
  const auto of_stream = in_parts_.find(const_cast<Stream*>(&stream));
  if (of_stream == in_parts_.end()) return nullptr;
  const auto key = of_stream->second.find(id);
  return key == of_stream->second.end() ? nullptr : &key->second;
}

void ProgramHost::OnInvoke(Stream& stream, uint64_t id, const protocol::InvokeView& invoke, bool in_parts) {
  const Origin origin{stream.weak_from_this(), id, in_parts, {}};
  if (queue_.size() >= kProgramQueueMax || queued_bytes_ + invoke.body.size() > kProgramQueueBytesMax) {
    return Refuse(origin, 503, "the model has as many requests waiting as it may have: try again");
  }
  const Duration now = loop_.TurnTime();
  ProgramRequest request;
  request.key = next_key_++;
  request.content_type = invoke.content_type;
  request.accept = invoke.accept;
  request.custom_attributes = invoke.custom_attributes;
  request.inference_id = invoke.inference_id;
  request.body = invoke.body;
  request.deadline =
      now + (invoke.time_left_ms == 0 ? kProgramAnswerTime : std::chrono::milliseconds(invoke.time_left_ms));
  request.in_parts = in_parts;
  origins_.emplace(request.key, origin);
  if (in_parts) in_parts_[&stream][id] = request.key;
  if (queue_.empty() && backend_.HasRoom()) return backend_.Submit(std::move(request));
  queued_bytes_ += request.body.size();
  queue_.push_back(std::move(request));
  ExpireQueued();
}

void ProgramHost::Pump() {
  const Duration now = loop_.TurnTime();
  while (!queue_.empty()) {
    const auto origin = origins_.find(queue_.front().key);
    const bool gone = origin == origins_.end() || origin->second.stream.expired();
    const bool wanted = !gone && now < queue_.front().deadline;
    if (wanted && !backend_.HasRoom()) break;
    ProgramRequest request = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= request.body.size();
    if (wanted) {
      backend_.Submit(std::move(request));
    } else if (origin != origins_.end()) {
      Release(origin->first);  // the router has told the client
    }
  }
  CheckStopped();
}

// Once a second, as long as any wait: those at the front that nobody waits for make room.
void ProgramHost::ExpireQueued() {
  if (second_timer_ != 0) return;
  second_timer_ = loop_.After(std::chrono::seconds(1), [this] {
    second_timer_ = 0;
    Pump();
    if (!queue_.empty()) ExpireQueued();
  });
}

void ProgramHost::OnPart(uint64_t key, const protocol::AnswerView& part) {
  const auto it = origins_.find(key);
  if (it == origins_.end()) return;
  Origin& origin = it->second;
  if (origin.in_parts) {
    const std::shared_ptr<Stream> stream = origin.stream.lock();
    if (stream == nullptr || stream->closed()) return;
    protocol::AppendAnswer(stream->out(), origin.id, part, protocol::FrameKind::kPart);
    stream->WriteSoon();
    return;
  }
  if (origin.gathered.size() + part.body.size() + 2 * protocol::kFieldBytesMax > protocol::kAnswerBytesMax) {
    const Origin over = std::move(origin);
    origins_.erase(it);
    backend_.Cancel(key);
    return Refuse(
        over, 500,
        fmt::format("the answer has more than the {} bytes allowed: take it as a stream", protocol::kAnswerBytesMax));
  }
  origin.gathered.append(part.body);
  backend_.Grant(key, part.body.size());
}

ProgramHost::Origin ProgramHost::Release(uint64_t key) {
  Origin origin = std::move(origins_.extract(key).mapped());
  const std::shared_ptr<Stream> stream = origin.in_parts ? origin.stream.lock() : nullptr;
  if (stream != nullptr) in_parts_[stream.get()].erase(origin.id);
  return origin;
}

void ProgramHost::OnAnswer(uint64_t key, const protocol::AnswerView& answer) {
  if (!origins_.contains(key)) return;
  const Origin origin = Release(key);
  if (answer.status / 100 != 2) errors_.Add(answer.status, answer.body, loop_.TurnTime());
  if (origin.gathered.empty() || answer.status / 100 != 2) return Reply(origin, answer);
  const std::string whole = origin.gathered + std::string(answer.body);
  protocol::AnswerView joined = answer;
  joined.body = whole;
  Reply(origin, joined);
}

void ProgramHost::Refuse(const Origin& origin, uint16_t status, std::string_view message) {
  errors_.Add(status, message, loop_.TurnTime());
  Reply(origin, {.status = status, .content_type = "text/plain", .body = message});
}

void ProgramHost::Reply(const Origin& origin, const protocol::AnswerView& answer) {
  const std::shared_ptr<Stream> stream = origin.stream.lock();
  if (stream == nullptr || stream->closed()) return CheckStopped();
  if (answer.body.size() + 2 * protocol::kFieldBytesMax + 8 > protocol::kAnswerBytesMax) {
    const std::string text = fmt::format("the answer has {} bytes, more than the {} allowed: send fewer rows",
                                         answer.body.size(), protocol::kAnswerBytesMax);
    protocol::AppendAnswer(stream->out(), origin.id, {.status = 500, .content_type = "text/plain", .body = text});
  } else {
    protocol::AppendAnswer(stream->out(), origin.id, answer);
  }
  stream->WriteSoon();
  if (stream->unwritten() > kProgramUnreadBytesMax) stream->PauseReading();
}

void ProgramHost::OnGone(Stream& stream) {
  const auto it = in_parts_.find(&stream);
  if (it == in_parts_.end()) return;
  for (const auto& [id, key] : it->second) {
    origins_.erase(key);
    backend_.Cancel(key);
  }
  in_parts_.erase(it);
}

}  // namespace argosy::agent
