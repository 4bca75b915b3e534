// A file whose bytes are still coming from somewhere: read it like any other, once it has been asked for a place.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/scheduler.h"

namespace argosy {

// Thread-safe. An error is for good: what is missing then will not come.
class ArrivingFile {
 public:
  virtual ~ArrivingFile() = default;

  // How many of the `length` bytes from `offset` are there, from the first without a gap; the rest is on its way from
  // now on. With zero, `changed` is called once, on any thread, when it is worth asking again.
  virtual Result<uint64_t> Await(uint64_t offset, uint64_t length, Task changed) = 0;
  // Blocks until they are all there.
  virtual Status Fetch(uint64_t offset, uint64_t length) = 0;
};

}  // namespace argosy
