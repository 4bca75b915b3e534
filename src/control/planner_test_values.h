// Only for the tests of the planners.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace argosy::control {

inline constexpr uint64_t kGib = 1ULL << 30;

// So many seconds after the test's begin.
inline Time At(double seconds) {
  return FromUnixSeconds(1'700'000'000 + seconds);
}

}  // namespace argosy::control
