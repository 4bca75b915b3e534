// The real Scheduler: an epoll loop on one thread.
//
// Lifecycle: construct anywhere, Run() on the thread that is to be the loop, Stop() from any thread. Tasks left over
// when Run() returns are destroyed unrun. All but Post() and Stop() belong to the loop's own thread (before Run(): to
// the thread that will call it).
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/files.h"
#include "base/scheduler.h"

namespace argosy {

// What is told of a descriptor's events (EPOLLIN, EPOLLOUT, EPOLLHUP, …).
class FdHandler {
 public:
  virtual void OnEvents(uint32_t events) = 0;

 protected:
  ~FdHandler() = default;
};

class EventLoop final : public Scheduler {
 public:
  EventLoop();
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Run();
  void Stop();

  void Post(Task task) override;
  TimerId After(Duration delay, Task task) override;
  void Cancel(TimerId timer) override;

  // The handler stays the caller's and must outlive its Unwatch. `events` as for epoll_ctl (edge or level).
  Status Watch(int fd, uint32_t events, FdHandler* handler);
  Status Rewatch(int fd, uint32_t events, FdHandler* handler);
  void Unwatch(int fd);

  // Runs `task` when the events of this turn (one epoll_wait) have been handled: the place to write out what they
  // produced in one go.
  void AtEndOfTurn(Task task) { end_of_turn_.push_back(std::move(task)); }

  // Monotonic time at the start of this turn: good enough for deadlines, costs nothing.
  Duration TurnTime() const { return turn_time_; }

 private:
  bool IsWatched(int fd) const {
    return fd >= 0 && static_cast<size_t>(fd) < watched_.size() && watched_[static_cast<size_t>(fd)].handler != nullptr;
  }
  void RunPosted();
  void RunTimers();
  int WaitMillis() const;

  UniqueFd epoll_;
  UniqueFd wake_;
  std::atomic<bool> stop_{false};
  SystemClock clock_;
  Duration turn_time_{};

  std::mutex mutex_;
  std::vector<Task> posted_;  // guarded by mutex_

  struct Watched {
    FdHandler* handler = nullptr;
    uint64_t generation = 0;  // tells events of a closed descriptor from those of its successor with the same number
  };
  std::vector<Watched> watched_;  // by descriptor
  uint64_t next_generation_ = 1;
  std::multimap<Duration, std::pair<TimerId, Task>> timers_;
  std::unordered_map<TimerId, std::multimap<Duration, std::pair<TimerId, Task>>::iterator> timer_index_;
  TimerId next_timer_ = 1;
  std::vector<Task> end_of_turn_;
};

}  // namespace argosy
