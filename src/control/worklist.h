// Which resources are to be looked at, now or at a time. Each is worked on once however often it was added.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/scheduler.h"

namespace argosy::control {

// Lives on one scheduler and must not outlive it; nor may the scheduler run tasks after the worklist is gone.
class Worklist {
 public:
  Worklist(Scheduler* scheduler, const Clock* clock, std::function<void(const std::string& uid)> work)
      : scheduler_(scheduler), clock_(clock), work_(std::move(work)) {}

  void Add(const std::string& uid) {
    due_.insert(uid);
    if (posted_) return;
    posted_ = true;
    scheduler_->Post([this] { Run(); });
  }

  // Keeps the earliest time of all that were asked for.
  void AddAt(const std::string& uid, Time at) {
    const Time now = clock_->Now();
    if (at <= now) return Add(uid);
    const auto [it, fresh] = timers_.try_emplace(uid);
    if (!fresh) {
      if (it->second.at <= at) return;
      scheduler_->Cancel(it->second.timer);
    }
    it->second.at = at;
    it->second.timer = scheduler_->After(at - now, [this, uid] {
      timers_.erase(uid);
      Add(uid);
    });
  }

  void Remove(const std::string& uid) {
    due_.erase(uid);
    const auto it = timers_.find(uid);
    if (it == timers_.end()) return;
    scheduler_->Cancel(it->second.timer);
    timers_.erase(it);
  }

 private:
  struct Timer {
    Time at{};
    TimerId timer = 0;
  };

  void Run() {
    posted_ = false;
    std::set<std::string> due;
    due.swap(due_);
    for (const std::string& uid : due) work_(uid);
  }

  Scheduler* scheduler_;
  const Clock* clock_;
  std::function<void(const std::string&)> work_;
  std::set<std::string> due_;
  std::map<std::string, Timer> timers_;
  bool posted_ = false;
};

}  // namespace argosy::control
