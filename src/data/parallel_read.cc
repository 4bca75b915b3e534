#include "data/parallel_read.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <thread>

namespace argosy::data {

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
  const auto run = [&] {
    for (size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) work(i);
  };
  std::vector<std::thread> others;
  for (size_t w = 1; w < workers; ++w) others.emplace_back(run);
  run();
  for (std::thread& other : others) other.join();
}

}  // namespace argosy::data
