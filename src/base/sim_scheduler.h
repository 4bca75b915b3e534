// Schedulers on simulated time: one queue of events in a fixed order, any number of processes on it that can be killed.
//
// Single-threaded. The same calls with the same randomness give the same order of events.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "base/clock.h"
#include "base/scheduler.h"

namespace argosy {

class SimQueue {
 public:
  explicit SimQueue(Time start) : clock_(start) {}

  const Clock* clock() const { return &clock_; }
  Time Now() const { return clock_.Now(); }

  void At(Time at, Task task) { events_.emplace(std::make_pair(std::max(at, Now()), next_++), std::move(task)); }

  // Runs the next event; false when there is none.
  bool Step() {
    if (events_.empty()) return false;
    auto node = events_.extract(events_.begin());
    clock_.Advance(node.key().first - Now());
    node.mapped()();
    return true;
  }

  // Runs what is due until `end`; the clock then stands at `end`.
  void RunUntil(Time end) {
    while (!events_.empty() && events_.begin()->first.first <= end) Step();
    if (Now() < end) clock_.Advance(end - Now());
  }

 private:
  ManualClock clock_;
  std::map<std::pair<Time, uint64_t>, Task> events_;
  uint64_t next_ = 0;
};

// One process: what it has scheduled dies with it.
class SimProcess final : public Scheduler {
 public:
  explicit SimProcess(SimQueue* queue) : queue_(queue), alive_(std::make_shared<bool>(true)) {}
  ~SimProcess() override { *alive_ = false; }
  SimProcess(const SimProcess&) = delete;
  SimProcess& operator=(const SimProcess&) = delete;

  void Post(Task task) override { Schedule(Duration::zero(), std::move(task)); }

  TimerId After(Duration delay, Task task) override {
    const TimerId id = next_timer_++;
    Schedule(delay, [this, id, task = std::move(task)] {
      if (cancelled_.erase(id) == 0) task();
    });
    return id;
  }

  void Cancel(TimerId timer) override { cancelled_.insert(timer); }

 private:
  void Schedule(Duration delay, Task task) {
    queue_->At(queue_->Now() + delay, [alive = alive_, task = std::move(task)] {
      if (*alive) task();
    });
  }

  SimQueue* queue_;
  std::shared_ptr<bool> alive_;
  std::set<TimerId> cancelled_;
  TimerId next_timer_ = 1;
};

}  // namespace argosy
