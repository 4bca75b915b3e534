#include "control/allocation.h"

#include <fmt/format.h>

#include <algorithm>

namespace argosy::control {
namespace {

std::string Gib(uint64_t bytes) {
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1ULL << 30));
}

}  // namespace

Allocation Allocate(const compute::Capacity& capacity, const cost::InstanceType& type, TypePolicy policy,
                    uint32_t instances) {
  using Verdict = Allocation::Verdict;
  const bool strict = policy == TypePolicy::kStrict;
  const std::string several = instances == 1 ? "" : fmt::format("{} × ", instances);
  if (strict &&
      (type.memory_bytes * instances > capacity.memory_total_bytes || type.vcpus * instances > capacity.cpus)) {
    return {.verdict = Verdict::kRefused,
            .note = fmt::format("{}{} has {} vCPUs and {}, this machine {} and {}: choose a smaller type, or start "
                                "Argosy without --strict-types",
                                several, type.name, type.vcpus * instances, Gib(type.memory_bytes * instances),
                                capacity.cpus, Gib(capacity.memory_total_bytes))};
  }
  if (instances > 1 && instances > capacity.hosts_total) {
    return {.verdict = Verdict::kRefused,
            .note = fmt::format("{} instances at once are more than --hosts-max allows ({})", instances,
                                capacity.hosts_total)};
  }
  if (capacity.hosts_free < instances) {
    return {.verdict = Verdict::kWait,
            .note = instances == 1 ? fmt::format("Waiting for a host: {} instances run, as many as --hosts-max allows",
                                                 capacity.hosts_total)
                                   : fmt::format("Waiting for {} hosts: {} of {} (--hosts-max) are free", instances,
                                                 capacity.hosts_free, capacity.hosts_total)};
  }
  const uint64_t wanted = std::min(type.memory_bytes, capacity.memory_total_bytes / instances);
  const uint64_t needed = (strict ? wanted : std::min(wanted, kMemoryFloor)) * instances;
  if (capacity.memory_free_bytes < needed) {
    return {
        .verdict = Verdict::kWait,
        .note = fmt::format("Waiting for memory: {} needed, {} free", Gib(needed), Gib(capacity.memory_free_bytes))};
  }
  Allocation granted{.verdict = Verdict::kGranted,
                     .memory_bytes = std::min(type.memory_bytes, capacity.memory_free_bytes / instances),
                     .cpus = std::min(type.vcpus, std::max(1U, capacity.cpus / instances)),
                     .instances = instances};
  if (granted.memory_bytes < type.memory_bytes || granted.cpus < type.vcpus || type.accelerators > 0) {
    granted.note = fmt::format("{}{} asks for {} vCPUs, {}{}; this machine gives {} and {}",
                               instances == 1 ? "" : "each ", type.name, type.vcpus, Gib(type.memory_bytes),
                               type.accelerators > 0 ? fmt::format(", {} accelerators", type.accelerators) : "",
                               granted.cpus, Gib(granted.memory_bytes));
  }
  return granted;
}

compute::Capacity Without(compute::Capacity capacity, const Allocation& granted) {
  const uint64_t held = std::min(granted.memory_bytes, kMemoryFloor) * granted.instances;
  capacity.memory_free_bytes -= std::min(capacity.memory_free_bytes, held);
  capacity.hosts_free -= std::min(capacity.hosts_free, granted.instances);
  return capacity;
}

}  // namespace argosy::control
