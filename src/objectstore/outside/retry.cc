#include "objectstore/outside/retry.h"

#include <algorithm>

namespace argosy::objectstore {

std::optional<Duration> Retries::Next(Duration now, Duration asked, Random& random) {
  ++attempts_;
  if (attempts_ >= policy_.attempts_max) return std::nullopt;
  Duration bound = policy_.pause_first;
  for (int i = 1; i < attempts_ && bound < policy_.pause_max; ++i) bound *= 2;
  bound = std::min(bound, policy_.pause_max);
  auto pause = Duration(static_cast<int64_t>(random.Uniform() * static_cast<double>(bound.count())));
  pause = std::max(pause, std::min(asked, policy_.pause_max));
  if (now + pause - begin_ > policy_.time_max) return std::nullopt;
  return pause;
}

bool MayPass(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kCorrupt:
      return true;
    default:
      return false;
  }
}

}  // namespace argosy::objectstore
