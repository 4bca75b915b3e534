#include "serving/load.h"

#include <algorithm>

namespace argosy::serving {

void VariantCounts::Merge(const VariantCounts& other) {
  invocations += other.invocations;
  errors_4xx += other.errors_4xx;
  errors_5xx += other.errors_5xx;
  refused_busy += other.refused_busy;
  lost += other.lost;
  concurrent_max = std::max(concurrent_max, other.concurrent_max);
  model_microseconds.Merge(other.model_microseconds);
  overhead_microseconds.Merge(other.overhead_microseconds);
}

void LoadBook::Add(const VariantName& name, int64_t second, VariantCounts counts) {
  std::deque<Second>& kept = seconds_[name];
  while (!kept.empty() && kept.front().at <= second - static_cast<int64_t>(kLoadSecondsKept)) kept.pop_front();
  const auto place =
      std::lower_bound(kept.begin(), kept.end(), second, [](const Second& a, int64_t at) { return a.at < at; });
  if (place != kept.end() && place->at == second) {
    counts.concurrent_max += place->counts.concurrent_max;  // what several loops had open at most
    place->counts.Merge(counts);
  } else if (kept.empty() || second > kept.front().at - static_cast<int64_t>(kLoadSecondsKept)) {
    kept.insert(place, {second, counts});
  }
  for (const Listener& listener : listeners_) listener(name, second, counts);
}

VariantCounts LoadBook::Sum(const VariantName& name, Time now, uint32_t seconds) const {
  VariantCounts sum;
  const auto it = seconds_.find(name);
  if (it == seconds_.end()) return sum;
  const int64_t end = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const int64_t begin = end - static_cast<int64_t>(std::min(seconds, kLoadSecondsKept));
  for (const Second& second : it->second) {
    if (second.at >= begin && second.at < end) sum.Merge(second.counts);
  }
  return sum;
}

void LoadBook::Forget(std::string_view endpoint) {
  std::erase_if(seconds_, [&](const auto& entry) { return entry.first.endpoint == endpoint; });
}

}  // namespace argosy::serving
