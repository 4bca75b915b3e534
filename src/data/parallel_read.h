// Every block of some files handed to several threads.
#pragma once

#include <functional>

#include "base/result.h"
#include "data/record_reader.h"

namespace argosy::data {

// Calls `consume(worker, block)` once for each block, `worker` below `threads`, from that many threads, each block as
// it is read (so in no fixed order). Stops at the first error and returns that of the earliest block that failed: the
// same one whatever the number of threads. `consume` may keep the block's bytes; left in place, they are used again.
Status ReadBlocks(RecordReader& reader, unsigned threads,
                  const std::function<Status(unsigned worker, RecordBlock& block)>& consume);

// Runs `work(0) … work(count - 1)` on up to `threads` threads and waits for all.
void RunParallel(size_t count, unsigned threads, const std::function<void(size_t index)>& work);

}  // namespace argosy::data
