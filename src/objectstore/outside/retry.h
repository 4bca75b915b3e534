// When a request to the outside is sent once more. Pure: time and randomness are handed in.
//
// Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): each pause is uniform
// between zero and a bound that doubles, so that many who failed together do not come back together.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace argosy::objectstore {

struct RetryPolicy {
  int attempts_max = 6;
  Duration pause_first = std::chrono::milliseconds(100);  // bound of the first pause
  Duration pause_max = std::chrono::seconds(5);
  Duration time_max = std::chrono::seconds(30);  // no attempt begins later than this after the first
};

// The attempts of one request.
class Retries {
 public:
  Retries(const RetryPolicy& policy, Duration begin) : policy_(policy), begin_(begin) {}

  // An attempt has failed at `now` (monotonic): how long to pause before the next; nothing when there is none.
  // `asked`: what the outside asks for (Retry-After), zero if nothing; heeded up to pause_max.
  std::optional<Duration> Next(Duration now, Duration asked, Random& random);
  int attempts() const { return attempts_; }  // that have failed

 private:
  const RetryPolicy policy_;
  const Duration begin_;
  int attempts_ = 0;
};

// Whether an error may pass by itself: no connection, no answer in time, too busy, an answer that is damaged.
bool MayPass(const Error& error);

}  // namespace argosy::objectstore
