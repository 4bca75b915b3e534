#include "base/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace argosy {
namespace {

constexpr int kEventsPerTurn = 64;  // of one epoll_wait: posted tasks and timers get their share, and caches hold them

uint64_t PackKey(int fd, uint64_t generation) {
  return (generation << 32) | static_cast<uint32_t>(fd);
}

}  // namespace

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  Check(epoll_.valid() && wake_.valid(), "no descriptors left for an event loop");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = 0;
  Check(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0, "epoll_ctl on the wake descriptor");
  turn_time_ = clock_.Monotonic();
}

EventLoop::~EventLoop() = default;

void EventLoop::Run() {
  epoll_event events[kEventsPerTurn];
  while (!stop_.load(std::memory_order_acquire)) {
    const int n = epoll_wait(epoll_.get(), events, kEventsPerTurn, WaitMillis());
    Check(n >= 0 || errno == EINTR, "epoll_wait");
    turn_time_ = clock_.Monotonic();
    bool woken = false;
    for (int i = 0; i < n; ++i) {
      if (events[i].data.u64 == 0) {
        uint64_t count = 0;
        (void)!read(wake_.get(), &count, sizeof count);
        woken = true;
        continue;
      }
      const auto fd = static_cast<size_t>(events[i].data.u64 & 0xffffffffU);
      const Watched& watched = watched_[fd];
      if (watched.handler == nullptr || (watched.generation & 0xffffffffU) != (events[i].data.u64 >> 32)) continue;
      watched.handler->OnEvents(events[i].events);
    }
    if (woken) RunPosted();
    RunTimers();
    while (!end_of_turn_.empty()) {
      std::vector<Task> tasks;
      tasks.swap(end_of_turn_);
      for (Task& task : tasks) task();
    }
  }
}

void EventLoop::Stop() {
  stop_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
}

void EventLoop::Post(Task task) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) {
    const uint64_t one = 1;
    (void)!write(wake_.get(), &one, sizeof one);
  }
}

TimerId EventLoop::After(Duration delay, Task task) {
  const TimerId id = next_timer_++;
  const Duration due = clock_.Monotonic() + std::max(delay, Duration::zero());
  timer_index_[id] = timers_.emplace(due, std::make_pair(id, std::move(task)));
  return id;
}

void EventLoop::Cancel(TimerId timer) {
  const auto it = timer_index_.find(timer);
  if (it == timer_index_.end()) return;
  timers_.erase(it->second);
  timer_index_.erase(it);
}

Status EventLoop::Watch(int fd, uint32_t events, FdHandler* handler) {
  const uint64_t generation = next_generation_++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = PackKey(fd, generation);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return ErrnoError("watching a descriptor", errno);
  const auto place = static_cast<size_t>(fd);
  if (place >= watched_.size()) watched_.resize(place + 1);
  watched_[place] = {handler, generation};
  return {};
}

Status EventLoop::Rewatch(int fd, uint32_t events, FdHandler* handler) {
  Check(IsWatched(fd), "Rewatch of a descriptor that is not watched");
  Watched& watched = watched_[static_cast<size_t>(fd)];
  epoll_event event{};
  event.events = events;
  event.data.u64 = PackKey(fd, watched.generation);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) return ErrnoError("watching a descriptor", errno);
  watched.handler = handler;
  return {};
}

void EventLoop::Unwatch(int fd) {
  if (!IsWatched(fd)) return;
  watched_[static_cast<size_t>(fd)].handler = nullptr;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::RunPosted() {
  std::vector<Task> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) task();
}

void EventLoop::RunTimers() {
  if (timers_.empty()) return;
  const Duration now = clock_.Monotonic();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    auto node = timers_.extract(timers_.begin());
    timer_index_.erase(node.mapped().first);
    node.mapped().second();
  }
}

int EventLoop::WaitMillis() const {
  if (!end_of_turn_.empty()) return 0;
  if (timers_.empty()) return -1;
  const Duration left = timers_.begin()->first - clock_.Monotonic();
  if (left <= Duration::zero()) return 0;
  return static_cast<int>(std::min<int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), 60'000));
}

}  // namespace argosy
