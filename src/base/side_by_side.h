// The same work on many things, a few at once.
#pragma once

#include <cstddef>
#include <functional>

#include "base/result.h"
#include "base/thread_pool.h"

namespace argosy {

// Runs work(0) … work(count - 1), begun in this order, on this thread and up to `width` - 1 of the pool's; a busy pool
// only makes it slower. The first error ends it.
Status RunSideBySide(ThreadPool& pool, size_t count, size_t width, const std::function<Status(size_t)>& work);

}  // namespace argosy
