#include "serving/queue_control.h"

#include <algorithm>

namespace argosy::serving {
namespace {

constexpr Duration kFlowTime = std::chrono::milliseconds(500);
constexpr int kSmoothing = 8;           // a new measurement counts for one in so many
constexpr int kOverloadIntervals = 50;  // slow models: overload is a queue that outlives so many answers
constexpr int kWaitIntervals = 10;      // and then so many may still wait

}  // namespace

void QueueControl::Roll(Duration now) {
  if (now - passing_since_ < kFlowTime) return;
  before_ = now - passing_since_ < 2 * kFlowTime ? passing_ : Flow();
  passing_ = Flow();
  passing_since_ = now;
}

void QueueControl::OnRequest(Duration now) {
  Roll(now);
  ++passing_.requests;
}

void QueueControl::OnAnswers(Duration now, size_t count, size_t left) {
  Roll(now);
  passing_.answers += count;
  if (count > 0 && last_answer_ != Duration::zero()) {
    const Duration each = (now - last_answer_) / static_cast<int64_t>(count);
    interval_ = interval_ == Duration::zero() ? each : interval_ + (each - interval_) / kSmoothing;
  }
  last_answer_ = left > 0 ? now : Duration::zero();
}

void QueueControl::OnQueue(Duration now, size_t waiting) {
  if (waiting > 0 && !waiting_) waiting_since_ = now;
  waiting_ = waiting > 0;
}

size_t QueueControl::Window() const {
  if (concurrency_ == 0) return kWindowRequestsMax;
  const size_t least = 2 * size_t{concurrency_};  // the next is there when one is done
  if (interval_ <= Duration::zero()) return std::min(least, kWindowRequestsMax);
  return std::clamp<size_t>(static_cast<size_t>(kWindowTime / interval_), std::min(least, kWindowRequestsMax),
                            kWindowRequestsMax);
}

bool QueueControl::Overloaded(Duration now) const {
  if (!waiting_ || now - waiting_since_ < std::max(kOverloadAfter, kOverloadIntervals * interval_)) return false;
  return 10 * (passing_.requests + before_.requests) > 11 * (passing_.answers + before_.answers);
}

bool QueueControl::Admits(Duration now, size_t waiting) const {
  if (waiting >= kQueuedRequestsMax) return false;
  const Duration wait = interval_ * static_cast<int64_t>(waiting);
  if (wait > kInvocationTimeout) return false;  // its time would be up before its turn
  return !Overloaded(now) || wait <= std::max(kOverloadWait, kWaitIntervals * interval_);
}

}  // namespace argosy::serving
