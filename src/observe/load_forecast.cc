#include "observe/load_forecast.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace argosy::observe {
namespace {

constexpr int64_t kMinutesADay = 1440;
constexpr int64_t kLook = 30;   // minutes
constexpr int64_t kAround = 5;  // before and after the same time yesterday
constexpr size_t kKeptMax = kMinutesADay + kLook + kAround + 5;
constexpr int64_t kLeastKnown = 5;
// Chosen on the first parts of the traces that bench/scaling_replay.py replays, reported on the rest.
constexpr double kQuantile = 0.95;
constexpr double kStep = 0.005;
constexpr double kSoft = 0.005;  // errors smaller than this part of the load move the weights in proportion
constexpr std::array<double, 7> kFirstWeights = {0.5, 0, 0.5, 0.2, 0.5, 0, 0};

}  // namespace

LoadForecast::LoadForecast(uint32_t ahead) : ahead_(std::clamp(ahead, 1U, kAheadMax)), weights_(kFirstWeights) {}

double LoadForecast::At(int64_t minute) const {
  return Knows(minute) ? kept_[kept_.size() - static_cast<size_t>(next_ - minute)] : 0;
}

double LoadForecast::Mean(int64_t begin, int64_t end) const {
  begin = std::max(begin, next_ - static_cast<int64_t>(kept_.size()));
  double sum = 0;
  for (int64_t minute = begin; minute < end; ++minute) sum += At(minute);
  return end > begin ? sum / static_cast<double>(end - begin) : 0;
}

double LoadForecast::Max(int64_t begin, int64_t end) const {
  double most = 0;
  for (int64_t minute = begin; minute < end; ++minute) most = std::max(most, At(minute));
  return most;
}

std::optional<LoadForecast::Features> LoadForecast::FeaturesNow() const {
  if (static_cast<int64_t>(kept_.size()) < kLeastKnown) return std::nullopt;
  const double last = At(next_ - 1);
  const double half_hour = Mean(next_ - kLook, next_);
  const int64_t before = next_ - 1 - kAround;
  Features f = {last,
                Mean(next_ - kAround, next_),
                half_hour,
                Max(next_ - kLook, next_),
                std::max(0.0, last - (Knows(before) ? At(before) : last)),
                half_hour,
                last};
  const int64_t yesterday = next_ - kMinutesADay;
  if (Knows(yesterday - kAround)) {
    f[6] = Max(yesterday - kAround, yesterday + ahead_ + kAround);
    // By how much it rose then, applied to now.
    const double then = Mean(yesterday - kLook, yesterday);
    if (Knows(yesterday - kLook)) f[5] = Max(yesterday, yesterday + ahead_) / std::max(then, 1.0) * half_hour;
  }
  return f;
}

double LoadForecast::Weigh(const Features& features) const {
  double sum = 0;
  for (size_t i = 0; i < kFeatures; ++i) sum += weights_[i] * features[i];
  return sum;
}

void LoadForecast::Keep(double requests) {
  kept_.push_back(requests);
  if (kept_.size() > kKeptMax) kept_.pop_front();
  ++next_;
}

void LoadForecast::LearnFrom(const Made& made) {
  double length = 0;
  for (const double f : made.features) length += f * f;
  length = std::sqrt(length);
  if (!(length > 0)) return;
  const double error = made.came - made.most;
  const double soft = std::min(1.0, std::abs(error) / (kSoft * length));
  const double slope = error > 0 ? kQuantile * soft : (kQuantile - 1) * soft;
  for (size_t i = 0; i < kFeatures; ++i) {
    weights_[i] = std::max(0.0, weights_[i] + kStep * slope * made.features[i] / length);
  }
}

void LoadForecast::Add(int64_t minute, double requests) {
  if (!kept_.empty() && minute < next_) return;
  const int64_t unknown = kept_.empty() ? 0 : minute - next_;
  if (unknown > 0) made_.clear();
  if (kept_.empty() || unknown > kMinutesADay) {
    kept_.clear();
    next_ = minute;
  }
  const double last = kept_.empty() ? requests : kept_.back();
  while (next_ < minute) Keep(last);
  Keep(requests);
  for (Made& made : made_) made.came = std::max(made.came, requests);
  while (!made_.empty() && made_.front().minute + ahead_ <= next_) {
    LearnFrom(made_.front());
    made_.pop_front();
  }
  if (const std::optional<Features> features = FeaturesNow()) made_.push_back({next_, *features, Weigh(*features)});
}

std::optional<double> LoadForecast::Most() const {
  if (made_.empty()) return std::nullopt;
  return made_.back().most;
}

std::string LoadForecast::ToJson() const {
  return DumpJson(Json{{"next", next_}, {"minutes", kept_}, {"weights", weights_}});
}

LoadForecast LoadForecast::FromJson(std::string_view text, uint32_t ahead) {
  LoadForecast forecast(ahead);
  const Result<Json> json = ParseJson(text);
  if (!json.ok() || !json->is_object()) return forecast;
  const auto minutes = json->find("minutes");
  const auto weights = json->find("weights");
  const auto next = json->find("next");
  const auto numbers = [](const Json& list) {
    return list.is_array() &&
           std::all_of(list.begin(), list.end(), [](const Json& value) { return value.is_number(); });
  };
  if (minutes == json->end() || weights == json->end() || next == json->end() || !numbers(*minutes) ||
      !numbers(*weights) || !next->is_number_integer() || weights->size() != kFeatures || minutes->size() > kKeptMax) {
    return forecast;
  }
  for (const Json& value : *minutes) forecast.kept_.push_back(value.get<double>());
  for (size_t i = 0; i < kFeatures; ++i) forecast.weights_[i] = (*weights)[i].get<double>();
  forecast.next_ = next->get<int64_t>();
  return forecast;
}

}  // namespace argosy::observe
