// What an instance type becomes on this machine: how much memory it is granted, whether it must wait, or is refused.
//
// Rule (docs/decisions/capacity.md): a type is a price and a wish. An instance is granted the smaller of its type's
// memory and what is free, and starts when that is at least the smaller of its type's memory and kMemoryFloor. Only
// memory and the number of hosts queue; cores are shared. Under strict types it gets what its type says or is refused.
#pragma once

#include <cstdint>
#include <string>

#include "compute/compute.h"
#include "cost/instance_types.h"

namespace argosy::control {

inline constexpr uint64_t kMemoryFloor = 256ULL << 20;  // less is no use to a training program

enum class TypePolicy { kWish, kStrict };

struct Allocation {
  enum class Verdict { kGranted, kWait, kRefused };
  Verdict verdict = Verdict::kWait;
  uint64_t memory_bytes = 0;  // of each instance
  uint32_t cpus = 0;          // of each instance
  uint32_t instances = 1;
  std::string note;  // granted: how it differs from the type ("" = it does not); wait, refused: why
};

// For so many instances of the type that must run at once, or none of them.
Allocation Allocate(const compute::Capacity& capacity, const cost::InstanceType& type, TypePolicy policy,
                    uint32_t instances = 1);

// What is left when `granted` has been given out but compute does not count it yet.
compute::Capacity Without(compute::Capacity capacity, const Allocation& granted);

}  // namespace argosy::control
