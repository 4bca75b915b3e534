#include "control/allocation.h"

#include <fmt/format.h>

#include <algorithm>

namespace argosy::control {
namespace {

std::string Gib(uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1ULL << 30));
}

}  // namespace

Allocation Allocate(const compute::Capacity& capacity, const cost::InstanceType& type, TypePolicy policy) {
  using Verdict = Allocation::Verdict;
  const bool strict = policy == TypePolicy::kStrict;
  if (strict && (type.memory_bytes > capacity.memory_total_bytes || type.vcpus > capacity.cpus)) {
    return {.verdict = Verdict::kRefused,
            .note = fmt::format(
                "{} has {} vCPUs and {}, this machine {} and {}: choose a smaller type, or start Argosy "
                "without --strict-types",
                type.name, type.vcpus, Gib(type.memory_bytes), capacity.cpus, Gib(capacity.memory_total_bytes))};
  }
  if (capacity.hosts_free == 0) {
    return {.verdict = Verdict::kWait, .note = "Waiting for a host: as many instances run as --hosts-max allows"};
  }
  const uint64_t wanted = std::min(type.memory_bytes, capacity.memory_total_bytes);
  const uint64_t needed = strict ? wanted : std::min(wanted, kMemoryFloor);
  if (capacity.memory_free_bytes < needed) {
    return {
        .verdict = Verdict::kWait,
        .note = fmt::format("Waiting for memory: {} needed, {} free", Gib(needed), Gib(capacity.memory_free_bytes))};
  }
  Allocation granted{.verdict = Verdict::kGranted,
                     .memory_bytes = std::min(type.memory_bytes, capacity.memory_free_bytes),
                     .cpus = std::min(type.vcpus, capacity.cpus)};
  if (granted.memory_bytes < type.memory_bytes || granted.cpus < type.vcpus || type.accelerators > 0) {
    granted.note = fmt::format("{} asks for {} vCPUs, {}{}; this machine gives {} and {}", type.name, type.vcpus,
                               Gib(type.memory_bytes),
                               type.accelerators > 0 ? fmt::format(", {} accelerators", type.accelerators) : "",
                               granted.cpus, Gib(granted.memory_bytes));
  }
  return granted;
}

compute::Capacity Without(compute::Capacity capacity, const Allocation& granted) {
  const uint64_t held = std::min(granted.memory_bytes, kMemoryFloor);
  capacity.memory_free_bytes -= std::min(capacity.memory_free_bytes, held);
  if (capacity.hosts_free > 0) --capacity.hosts_free;
  return capacity;
}

}  // namespace argosy::control
