// What the router counts of each variant's requests, second by second: what scaling, alarms and metrics live on.
//
// Each loop counts for itself and hands a second's counts over; here they are put together. On the control thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "observe/distribution.h"

namespace argosy::serving {

inline constexpr uint32_t kLoadSecondsKept = 900;

struct VariantCounts {
  uint64_t invocations = 0;  // all that ended, however
  uint64_t errors_4xx = 0;   // of the model, or refused for what was asked
  uint64_t errors_5xx = 0;
  uint64_t refused_busy = 0;                    // of the 5xx: the queue was full
  uint64_t lost = 0;                            // of the 5xx: their instance went away
  uint64_t concurrent_max = 0;                  // waiting and with instances at one time
  observe::Distribution model_microseconds;     // from the sending to an instance to its answer
  observe::Distribution overhead_microseconds;  // from its coming to that sending

  void Merge(const VariantCounts& other);  // of another time: of concurrent_max the larger
  bool empty() const { return invocations == 0 && concurrent_max == 0; }
};

struct VariantName {
  std::string endpoint;
  std::string variant;
  auto operator<=>(const VariantName&) const = default;
};

class LoadBook {
 public:
  // `second` is Unix time. Counts of one second may come in several pieces (one a loop), a little late.
  void Add(const VariantName& name, int64_t second, VariantCounts counts);

  // The `seconds` whole seconds before `now`, put together; at most kLoadSecondsKept.
  VariantCounts Sum(const VariantName& name, Time now, uint32_t seconds) const;

  // Told of each piece, after it was taken, with the concurrency of all pieces so far. Any number of listeners, for as
  // long as the book lives.
  using Listener = std::function<void(const VariantName&, int64_t second, const VariantCounts&)>;
  void Listen(Listener listener) { listeners_.push_back(std::move(listener)); }

  // The endpoint is gone.
  void Forget(std::string_view endpoint);

 private:
  struct Second {
    int64_t at;
    VariantCounts counts;
  };
  std::map<VariantName, std::deque<Second>> seconds_;  // ascending
  std::vector<Listener> listeners_;
};

}  // namespace argosy::serving
