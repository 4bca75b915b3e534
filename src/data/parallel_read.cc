#include "data/parallel_read.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

namespace argosy::data {
namespace {

// Threads that work beside one other, and between two calls wait: a training calls for them some hundred times a
// second.
class Helpers {
 public:
  Helpers() = default;
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;
  ~Helpers() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    called_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  // Calls `work` here and on so many helpers, and waits for all.
  void Run(size_t helpers, const std::function<void()>& work) {
    {
      const std::lock_guard lock(mutex_);
      work_ = &work;
      wanted_ = busy_ = helpers;
      ++call_;
    }
    while (threads_.size() < helpers) threads_.emplace_back([this, index = threads_.size()] { Serve(index); });
    called_.notify_all();
    work();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  void Serve(size_t index) {
    uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      called_.wait(lock, [&] { return ending_ || (call_ != seen && index < wanted_); });
      if (ending_) return;
      seen = call_;
      const std::function<void()>& work = *work_;
      lock.unlock();
      work();
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable called_;
  std::condition_variable done_;
  const std::function<void()>* work_ = nullptr;  // what follows is guarded by mutex_
  uint64_t call_ = 0;
  size_t wanted_ = 0;
  size_t busy_ = 0;
  bool ending_ = false;
};

}  // namespace

Status ReadBlocks(RecordReader& reader, unsigned threads,
                  const std::function<Status(unsigned, RecordBlock&)>& consume) {
  std::mutex mutex;
  // Guarded by mutex. Blocks are handed out in order, so once one has failed only earlier ones can still change which
  // error is reported; those are in work already and are waited for.
  Status first_error;
  uint64_t first_error_index = std::numeric_limits<uint64_t>::max();
  bool ended = false;
  const auto work = [&](size_t worker) {
    std::string recycled;
    while (true) {
      RecordBlock block;
      {
        const std::lock_guard lock(mutex);
        if (ended) return;
        auto next = reader.Next(std::move(recycled));
        if (!next || !next->has_value()) {
          ended = true;
          // All earlier blocks precede a failure to read.
          if (!next && first_error.ok()) first_error = next.error();
          return;
        }
        block = std::move(**next);
      }
      if (Status status = consume(static_cast<unsigned>(worker), block); !status) {
        const std::lock_guard lock(mutex);
        ended = true;
        if (block.index < first_error_index) {
          first_error_index = block.index;
          first_error = std::move(status);
        }
        return;
      }
      recycled = std::move(block.bytes);
    }
  };
  RunParallel(threads, threads, work);
  return first_error;
}

void RunParallel(size_t count, unsigned threads, const std::function<void(size_t)>& work) {
  const size_t workers = std::min<size_t>(std::max(1U, threads), count);
  if (workers <= 1) {
    for (size_t i = 0; i < count; ++i) work(i);
    return;
  }
  std::atomic<size_t> next{0};
  thread_local Helpers helpers;
  helpers.Run(workers - 1, [&] {
    for (size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) work(i);
  });
}

}  // namespace argosy::data
