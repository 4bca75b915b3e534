// What a step scaling policy makes of an alarm. Pure. (Application Auto Scaling user guide: step scaling policies.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "catalog/scaling.h"

namespace argosy::control {

// An alarm that is in state ALARM has the policy among its actions: told when it gets there, and again each period.
struct AlarmBreach {
  std::string policy_arn;
  std::string alarm_name;
  double metric = 0;
  double threshold = 0;
  Time at{};
  bool used = false;  // a policy has moved by it, or found nothing to do: the next evaluation tells it anew
};

// The count that the step in which `metric - threshold` lies makes of `capacity`; nothing when it lies in none. A step
// takes its lower bound in above the threshold, its upper bound below. A percentage is rounded as AWS does: between 0
// and 1 away from 0, else towards it.
std::optional<uint32_t> StepCapacity(const catalog::StepScaling& policy, uint32_t capacity, double above_threshold);

}  // namespace argosy::control
