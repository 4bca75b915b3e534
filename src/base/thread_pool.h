// Threads for what blocks: disk, SQLite, hashes of large bodies, archives. Event loops hand such work here.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/scheduler.h"

namespace argosy {

class ThreadPool {
 public:
  // `queue_max` tasks may wait; one more is refused with kResourceExhausted.
  ThreadPool(std::string name, size_t threads, size_t queue_max);
  // Runs what waits, then joins.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Thread-safe.
  Status Submit(Task task);

 private:
  void Work(const std::string& name);

  const size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Task> queue_;  // guarded by mutex_
  bool stopping_ = false;   // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace argosy
