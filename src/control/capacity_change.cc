#include "control/capacity_change.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/allocation.h"

namespace argosy::control {

using catalog::EndpointInstance;
using catalog::Fleet;
using catalog::VariantPlan;

namespace {

size_t MostInstances(const compute::Capacity& capacity) {
  const uint64_t by_memory = std::max<uint64_t>(capacity.memory_total_bytes / kMemoryFloor, 1);
  return std::min<size_t>(capacity.hosts_total, by_memory);
}

uint32_t CountIf(const Fleet& fleet, const VariantPlan& plan, const Serves& counted) {
  return static_cast<uint32_t>(
      std::count_if(fleet.instances.begin(), fleet.instances.end(), [&](const EndpointInstance& instance) {
        return instance.variant_name == plan.variant.variant_name && counted(instance);
      }));
}

}  // namespace

uint32_t MissingOf(const Fleet& fleet, const VariantPlan& plan) {
  const uint32_t present = CountIf(fleet, plan, [](const EndpointInstance&) { return true; });
  return plan.variant.initial_instance_count - std::min(present, plan.variant.initial_instance_count);
}

std::vector<EndpointInstance> TakeSurplus(Fleet& fleet, const Serves& serves) {
  std::vector<EndpointInstance> surplus;
  for (const VariantPlan& plan : fleet.variants) {
    uint32_t present = CountIf(fleet, plan, [](const EndpointInstance&) { return true; });
    for (; present > plan.variant.initial_instance_count; --present) {
      auto leaves = fleet.instances.end();
      for (auto it = fleet.instances.begin(); it != fleet.instances.end(); ++it) {
        if (it->variant_name != plan.variant.variant_name) continue;
        const bool sooner = leaves == fleet.instances.end() ||
                            std::pair(!serves(*it), it->attempt) > std::pair(!serves(*leaves), leaves->attempt);
        if (sooner) leaves = it;
      }
      surplus.push_back(std::move(*leaves));
      fleet.instances.erase(leaves);
    }
  }
  return surplus;
}

std::optional<std::string> MoreThanMachine(size_t wanted, const std::string& what, const compute::Capacity& capacity) {
  if (wanted > capacity.hosts_total) {
    return fmt::format("CapacityError: {}, and --hosts-max allows {} at once", what, capacity.hosts_total);
  }
  if (wanted > MostInstances(capacity)) {
    return fmt::format("CapacityError: {}, and --memory has room for {}", what, MostInstances(capacity));
  }
  return std::nullopt;
}

std::optional<std::string> CutToMachine(Fleet& fleet, const compute::Capacity& capacity) {
  size_t wanted = 0;
  for (const VariantPlan& plan : fleet.variants) wanted += plan.variant.initial_instance_count;
  std::optional<std::string> sentence =
      MoreThanMachine(wanted, fmt::format("{} instances are needed", wanted), capacity);
  if (!sentence) return std::nullopt;
  size_t over = wanted - MostInstances(capacity);
  std::optional<std::string> cut;
  for (VariantPlan& plan : fleet.variants) {
    uint32_t& desired = plan.variant.initial_instance_count;
    if (!plan.before || plan.before->instance_count >= desired) continue;
    const size_t less = std::min<size_t>(over, desired - plan.before->instance_count);
    if (less == 0) continue;
    desired -= static_cast<uint32_t>(less);
    over -= less;
    cut = sentence;
  }
  return cut;
}

void GiveUpChange(Fleet& fleet) {
  for (VariantPlan& plan : fleet.variants) {
    if (!plan.before) continue;
    const uint32_t ready =
        CountIf(fleet, plan, [](const EndpointInstance& instance) { return instance.ready_at.has_value(); });
    uint32_t& desired = plan.variant.initial_instance_count;
    desired = std::min(desired, std::max(plan.before->instance_count, ready));
    plan.variant.initial_weight = plan.before->weight;
  }
}

}  // namespace argosy::control
