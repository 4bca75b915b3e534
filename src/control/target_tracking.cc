#include "control/target_tracking.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace argosy::control {
namespace {

constexpr std::array<uint32_t, 4> kWindows = {1, 3, 10, 60};  // seconds
constexpr uint32_t kMinute = 60;
constexpr uint32_t kThreeMinutes = 180;
constexpr double kCountMax = 10'000;

int64_t SecondOf(Time now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
}

uint32_t CountFor(double load, double target) {
  if (!(load > 0)) return 0;
  // So much is rounding, not load: three instances at exactly their target are enough.
  return static_cast<uint32_t>(std::min(std::ceil(load / target - 1e-9), kCountMax));
}

double PerMinute(double requests, uint32_t seconds) {
  return requests * kMinute / seconds;
}

uint32_t InvocationsNeeded(const catalog::TargetTracking& policy, const TrackingFacts& facts, int64_t end) {
  const uint32_t look_back = LookBackSeconds(policy);
  const auto rate = [&](uint32_t seconds) {
    return PerMinute(static_cast<double>(facts.load->Invocations(end, seconds)), seconds);
  };
  // What a longer window has seen counts as far as the time that scaling in looks at bears it out: otherwise a load
  // that is over would fetch back what was just let go.
  const double recent = rate(std::min(look_back, kMinute));
  uint32_t needed = 0;
  for (const uint32_t seconds : kWindows) {
    const auto count = static_cast<double>(facts.load->Invocations(end, seconds));
    double certain = PerMinute(count - kChanceSigmas * std::sqrt(count), seconds);
    if (seconds > look_back) certain = std::min(certain, recent);
    if (seconds < kMinute) certain = std::min(certain, rate(1));  // a burst that is over fetches nothing more
    uint32_t instances = CountFor(certain, policy.target_value);
    if (seconds < kMinute) instances = std::min(instances, std::max(facts.before * 2, 1U));
    needed = std::max(needed, instances);
  }
  const double lasting = std::min({rate(kThreeMinutes), rate(kMinute), recent});
  return std::max(needed, CountFor(lasting, policy.target_value));
}

TrackingAnswer TrackInvocations(const catalog::TargetTracking& policy, const TrackingFacts& facts, Time now) {
  const int64_t end = SecondOf(now);
  const uint32_t look_back = LookBackSeconds(policy);
  const uint32_t window = std::clamp(look_back / 5, kLookBackSecondsMin, kMinute);
  TrackingAnswer answer;
  answer.needed = InvocationsNeeded(policy, facts, end);
  const auto most = static_cast<double>(facts.load->MostInvocations(end, window, look_back));
  answer.agreed = std::max(CountFor(PerMinute(most, window), policy.target_value * kScaleInMargin), answer.needed);
  answer.metric =
      PerMinute(static_cast<double>(facts.load->Invocations(end, kMinute)), kMinute) / std::max(facts.desired, 1U);
  return answer;
}

TrackingAnswer TrackConcurrency(const catalog::TargetTracking& policy, const TrackingFacts& facts, Time now) {
  const int64_t end = SecondOf(now);
  const uint32_t look_back = LookBackSeconds(policy);
  TrackingAnswer answer;
  // Two seconds in a row, so that requests which only met are not taken for a load.
  const auto two = static_cast<double>(std::min(facts.load->Concurrent(end - 1), facts.load->Concurrent(end - 2)));
  answer.needed = std::min(CountFor(two, policy.target_value), std::max(facts.before * 2, 1U));
  const double most = facts.load->MostConcurrent(end, kLookBackSecondsMin, look_back);
  answer.agreed = std::max(CountFor(most, policy.target_value * kScaleInMargin), answer.needed);
  answer.metric = two / std::max(facts.desired, 1U);
  return answer;
}

TrackingAnswer TrackMetric(const catalog::TargetTracking& policy, const TrackingFacts& facts) {
  TrackingAnswer answer;
  const auto& minutes = facts.minutes;
  if (minutes.empty() || !minutes.back()) return answer;
  answer.metric = minutes.back();
  const auto all_of_last = [&](size_t count, const auto& holds) {
    return minutes.size() >= count &&
           std::all_of(minutes.end() - static_cast<std::ptrdiff_t>(count), minutes.end(),
                       [&](const std::optional<double>& value) { return value && holds(*value); });
  };
  if (all_of_last(kMetricMinutesOut, [&](double value) { return value > policy.target_value; })) {
    answer.needed = CountFor(std::max(facts.base, 1U) * *minutes.back(), policy.target_value);
  }
  const uint32_t minutes_in =
      std::clamp((LookBackSeconds(policy) + kMinute - 1) / kMinute, kMetricMinutesOut, kMetricMinutes);
  double most = 0;
  const double low = policy.target_value * kScaleInMargin;
  if (all_of_last(minutes_in, [&](double value) { return most = std::max(most, value), value < low; })) {
    answer.agreed = CountFor(facts.desired * most, low);
  }
  return answer;
}

}  // namespace

uint32_t LookBackSeconds(const catalog::TargetTracking& policy) {
  return std::clamp(policy.in_cooldown_seconds, kLookBackSecondsMin, kLookSecondsMax);
}

TrackingAnswer Track(const catalog::TargetTracking& policy, const TrackingFacts& facts, Time now) {
  TrackingAnswer answer = policy.metric.predefined == kInvocationsPerInstance ? TrackInvocations(policy, facts, now)
                          : policy.metric.predefined == kConcurrentRequests   ? TrackConcurrency(policy, facts, now)
                                                                              : TrackMetric(policy, facts);
  if (policy.disable_scale_in) answer.agreed.reset();
  return answer;
}

}  // namespace argosy::control
