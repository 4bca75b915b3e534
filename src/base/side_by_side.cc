#include "base/side_by_side.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace argosy {

Status RunSideBySide(ThreadPool& pool, size_t count, size_t width, const std::function<Status(size_t)>& work) {
  struct Shared {
    std::mutex mutex;
    std::condition_variable done;
    size_t next = 0;
    size_t running = 0;
    Status failure;
  } shared;
  const auto run = [&] {
    std::unique_lock lock(shared.mutex);
    while (shared.next < count && shared.failure.ok()) {
      const size_t i = shared.next++;
      lock.unlock();
      Status done = work(i);
      lock.lock();
      if (!done.ok() && shared.failure.ok()) shared.failure = std::move(done);
    }
  };
  for (size_t helper = 1; helper < std::min(width, count); ++helper) {
    {
      const std::lock_guard lock(shared.mutex);
      ++shared.running;
    }
    const Status queued = pool.Submit([&shared, &run] {
      run();
      const std::lock_guard lock(shared.mutex);
      --shared.running;
      shared.done.notify_all();
    });
    if (queued.ok()) continue;
    const std::lock_guard lock(shared.mutex);
    --shared.running;  // a busy pool only makes it slower
  }
  run();
  std::unique_lock lock(shared.mutex);
  shared.done.wait(lock, [&] { return shared.running == 0; });
  return shared.failure;
}

}  // namespace argosy
