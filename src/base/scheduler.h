// One logical thread: what runs on it never runs side by side. The control plane and every connection live on one.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"

namespace argosy {

using Task = std::function<void()>;
using TimerId = uint64_t;

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // Runs `task` on this thread, after what was posted before it. May be called from any thread.
  virtual void Post(Task task) = 0;

  // Runs `task` once, not before `delay` has passed. Only from this thread.
  virtual TimerId After(Duration delay, Task task) = 0;

  // The timer will not run; one that has run or is unknown is let be. Only from this thread.
  virtual void Cancel(TimerId timer) = 0;
};

}  // namespace argosy
