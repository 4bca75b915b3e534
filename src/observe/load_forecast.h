// Foretells the most requests a minute of the minutes ahead, from the minutes before, without seeing ahead.
//
// The forecast is a weighted sum of what the last half hour and the day before were like (the last minute, means and
// the maximum, growth, the same time yesterday). The weights are learned as it goes: each forecast is held against
// what then came, and the weights move a step down the pinball loss (Koenker and Bassett, Regression Quantiles, 1978),
// so that one minute in twenty comes out above it, whatever the load is like: a smooth load gets little headroom, a
// jumpy one much. Every step is bounded, so that one outlier cannot spoil them.
//
// Memory is a day and a half of minutes. Single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace argosy::observe {

class LoadForecast {
 public:
  // Foretells the most of `ahead` minutes, from the one after the last that was added; at most kAheadMax.
  static constexpr uint32_t kAheadMax = 90;
  explicit LoadForecast(uint32_t ahead = 1);

  // Minutes since 1970, ascending. Minutes left out are unknown, not empty: nothing is learned from them.
  void Add(int64_t minute, double requests);

  // Nothing until some minutes are known.
  std::optional<double> Most() const;

  // What was learned and the minutes it needs, and back; of another text, one that knows nothing.
  std::string ToJson() const;
  static LoadForecast FromJson(std::string_view json, uint32_t ahead);

 private:
  static constexpr size_t kFeatures = 7;
  using Features = std::array<double, kFeatures>;
  struct Made {
    int64_t minute;  // the first foretold
    Features features;
    double most;
    double came = 0;  // the most so far
  };

  double At(int64_t minute) const;  // 0 where unknown
  bool Knows(int64_t minute) const { return minute >= next_ - static_cast<int64_t>(kept_.size()) && minute < next_; }
  double Mean(int64_t begin, int64_t end) const;
  double Max(int64_t begin, int64_t end) const;
  std::optional<Features> FeaturesNow() const;
  double Weigh(const Features& features) const;
  void Keep(double requests);
  void LearnFrom(const Made& made);

  uint32_t ahead_;
  std::deque<double> kept_;  // the last minutes
  int64_t next_ = 0;         // the minute after them
  std::deque<Made> made_;    // forecasts whose minutes have not all come
  Features weights_;
};

}  // namespace argosy::observe
