// One variant's load, second by second, as far back as scaling looks. Fed by the router's counts, or by a replay.
//
// A second that nobody told of had no load. Memory is fixed. "Up to `end`" is without it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace argosy::control {

inline constexpr uint32_t kLookSecondsMax = 900;  // the load book's, too

class LoadWindow {
 public:
  LoadWindow() : seconds_(kLookSecondsMax) {}

  // Counts of one second may come in several pieces, and late by less than kLookSecondsMax.
  void Add(int64_t second, uint64_t invocations, uint64_t concurrent);

  // Requests that ended in the `length` seconds up to `end`.
  uint64_t Invocations(int64_t end, uint32_t length) const;
  // The most in any `length` seconds in a row among the `within` seconds up to `end`.
  uint64_t MostInvocations(int64_t end, uint32_t length, uint32_t within) const;

  // The most requests under way at one time of the second.
  uint64_t Concurrent(int64_t second) const;
  // The greatest mean of it over any `length` seconds in a row among the `within` seconds up to `end`.
  double MostConcurrent(int64_t end, uint32_t length, uint32_t within) const;

  // The last second with a request in it; nothing when there was none.
  std::optional<int64_t> LastBusy() const;

 private:
  struct Second {
    int64_t at = -1;
    uint64_t total = 0;  // of all seconds up to this one, with it
    uint64_t concurrent = 0;
  };
  Second& Place(int64_t second) { return seconds_[static_cast<size_t>(second) % kLookSecondsMax]; }
  // Requests of all seconds up to `second`, with it; of those that are no longer kept, all before the first that is.
  uint64_t Total(int64_t second) const;

  std::vector<Second> seconds_;
  uint64_t forgotten_ = 0;  // the total before the first second that is kept
  int64_t newest_ = -1;     // every second of the kept ones up to this has its total
  int64_t last_busy_ = -1;
};

}  // namespace argosy::control
