// What one target tracking policy asks for. Pure.
//
// SageMakerVariantInvocationsPerInstance is requests a minute and instance, as at AWS, but seen by the second. AWS's
// alarm wants three whole minutes above the target; here the same three minutes count, and anything shorter as soon as
// its excess is more than chance: of n requests counted, n - 3√n are taken as certain (three standard deviations of a
// Poisson process). So a load that doubles at 500 requests a second is seen in its first second, one of ten requests a
// minute is not taken for a change because two came together. Less than a minute may double the fleet at most, so that
// one burst does not fetch more; a surge that lasts doubles it again the next second.
//
// Fewer instances are agreed to when in the whole of the policy's scale-in cooldown they would have been loaded to at
// most 90 % of the target (AWS's margin for its low alarm), in every fifth part of it: every minute, with the usual
// 300 s. Without any request in the whole of it, none are needed.
//
// A metric of CloudWatch is seen by the minute: three in a row above the target ask for more in proportion; in the
// cooldown after a scale-out the proportion is taken of the count before it, as at AWS.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "catalog/scaling.h"
#include "control/load_window.h"

namespace argosy::control {

inline constexpr const char* kInvocationsPerInstance = "SageMakerVariantInvocationsPerInstance";
inline constexpr const char* kConcurrentRequests = "SageMakerVariantConcurrentRequestsPerModelHighResolution";

inline constexpr double kScaleInMargin = 0.9;       // of the target
inline constexpr uint32_t kLookBackSecondsMin = 5;  // before scaling in, whatever the cooldown
inline constexpr uint32_t kMetricMinutes = 15;      // of a custom metric that are looked at, at most
inline constexpr uint32_t kMetricMinutesOut = 3;    // above the target in a row
inline constexpr double kChanceSigmas = 3;

struct TrackingFacts {
  uint32_t desired = 0;
  uint32_t base = 0;    // what a proportion is taken of: desired, or the count before the scale-out in its cooldown
  uint32_t before = 0;  // desired when the load was first looked at that is known now: what a burst may double
  const LoadWindow* load = nullptr;
  // A custom metric's last whole minutes, newest last; nothing where it had no value. At most kMetricMinutes.
  std::vector<std::optional<double>> minutes;
};

struct TrackingAnswer {
  uint32_t needed = 0;                // by what is certain now
  std::optional<uint32_t> agreed;     // it agrees to as few as these; nothing = to no fewer than there are
  std::optional<double> metric = {};  // as seen, for the words of an activity
};

// How far back a policy looks before it agrees to fewer.
uint32_t LookBackSeconds(const catalog::TargetTracking& policy);

TrackingAnswer Track(const catalog::TargetTracking& policy, const TrackingFacts& facts, Time now);

}  // namespace argosy::control
