#include "base/thread_pool.h"

#include <pthread.h>

namespace argosy {

ThreadPool::ThreadPool(std::string name, size_t threads, size_t queue_max) : queue_max_(queue_max) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this, name] { Work(name); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Status ThreadPool::Submit(Task task) {
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() >= queue_max_) {
      return Error(ErrorCode::kResourceExhausted,
                   "the server is busy: " + std::to_string(queue_max_) + " pieces of work are waiting; try again");
    }
    queue_.push_back(std::move(task));
  }
  ready_.notify_one();
  return {};
}

void ThreadPool::Work(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace argosy
