#include "control/step_scaling.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace argosy::control {
namespace {

constexpr double kCapacityMax = 10'000;

const catalog::StepAdjustment* FindStep(const catalog::StepScaling& policy, double above_threshold) {
  constexpr double kEndless = std::numeric_limits<double>::infinity();
  for (const catalog::StepAdjustment& step : policy.steps) {
    const double lower = step.lower.value_or(-kEndless);
    const double upper = step.upper.value_or(kEndless);
    const bool inside = above_threshold >= 0 ? above_threshold >= lower && above_threshold < upper
                                             : above_threshold > lower && above_threshold <= upper;
    if (inside) return &step;
  }
  return nullptr;
}

double Percent(double capacity, int32_t percent) {
  const double change = capacity * percent / 100;
  if (change > 0 && change < 1) return 1;
  if (change < 0 && change > -1) return -1;
  return std::trunc(change);
}

}  // namespace

std::optional<uint32_t> StepCapacity(const catalog::StepScaling& policy, uint32_t capacity, double above_threshold) {
  const catalog::StepAdjustment* const step = FindStep(policy, above_threshold);
  if (step == nullptr) return std::nullopt;
  double wanted = step->adjustment;
  if (policy.adjustment_type != "ExactCapacity") {
    double change = step->adjustment;
    if (policy.adjustment_type == "PercentChangeInCapacity") {
      change = Percent(capacity, step->adjustment);
      const double least = policy.min_magnitude;
      if (change > 0) change = std::max(change, least);
      if (change < 0) change = std::min(change, -least);
    }
    wanted = capacity + change;
  }
  return static_cast<uint32_t>(std::clamp(wanted, 0.0, kCapacityMax));
}

}  // namespace argosy::control
