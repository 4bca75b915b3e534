#include "control/load_window.h"

#include <algorithm>

namespace argosy::control {

void LoadWindow::Add(int64_t second, uint64_t invocations, uint64_t concurrent) {
  if (second < 0 || second <= newest_ - int64_t{kLookSecondsMax}) return;
  if (invocations + concurrent > 0) last_busy_ = std::max(last_busy_, second);
  if (second > newest_) {
    const uint64_t total = Total(newest_);
    // The seconds between had no load; what they take the place of is forgotten.
    for (int64_t at = std::max(newest_ + 1, second - int64_t{kLookSecondsMax} + 1); at <= second; ++at) {
      Second& kept = Place(at);
      if (kept.at >= 0) forgotten_ = std::max(forgotten_, kept.total);
      kept = {.at = at, .total = total};
    }
    newest_ = second;
  }
  for (int64_t at = second; at <= newest_; ++at) Place(at).total += invocations;
  Second& kept = Place(second);
  kept.concurrent = std::max(kept.concurrent, concurrent);
}

uint64_t LoadWindow::Total(int64_t second) const {
  second = std::min(second, newest_);
  if (second < 0 || second <= newest_ - int64_t{kLookSecondsMax}) return forgotten_;
  const Second& kept = seconds_[static_cast<size_t>(second) % kLookSecondsMax];
  return kept.at == second ? kept.total : forgotten_;
}

uint64_t LoadWindow::Invocations(int64_t end, uint32_t length) const {
  return Total(end - 1) - Total(end - 1 - int64_t{length});
}

uint64_t LoadWindow::MostInvocations(int64_t end, uint32_t length, uint32_t within) const {
  uint64_t most = 0;
  for (int64_t stop = end - int64_t{within} + int64_t{length}; stop <= end; ++stop) {
    most = std::max(most, Invocations(stop, length));
  }
  return most;
}

uint64_t LoadWindow::Concurrent(int64_t second) const {
  if (second < 0 || second > newest_) return 0;
  const Second& kept = seconds_[static_cast<size_t>(second) % kLookSecondsMax];
  return kept.at == second ? kept.concurrent : 0;
}

double LoadWindow::MostConcurrent(int64_t end, uint32_t length, uint32_t within) const {
  uint64_t sum = 0;
  uint64_t most = 0;
  const int64_t first = end - int64_t{within};
  for (int64_t at = first; at < end; ++at) {
    sum += Concurrent(at);
    if (at - int64_t{length} >= first) sum -= Concurrent(at - int64_t{length});
    most = std::max(most, sum);
  }
  return static_cast<double>(most) / length;
}

std::optional<int64_t> LoadWindow::LastBusy() const {
  return last_busy_ < 0 ? std::nullopt : std::optional(last_busy_);
}

}  // namespace argosy::control
