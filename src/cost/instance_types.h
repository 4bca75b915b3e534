// The table of instance types: what SageMaker's names stand for, and what an hour of each costs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace argosy::cost {

enum class PriceSource { kListed, kDerived };

struct InstanceType {
  std::string name;  // ml.m5.xlarge
  uint32_t vcpus = 0;
  uint64_t memory_bytes = 0;
  uint32_t accelerators = 0;
  int64_t nano_dollars_per_hour = 0;  // on demand, one instance
  PriceSource price_source = PriceSource::kListed;
};

// Nothing when the table has no such type.
std::optional<InstanceType> FindInstanceType(std::string_view name);

std::vector<std::string> InstanceTypeNames();

// What `seconds` of `instances` instances cost, in nano-dollars, rounded down.
int64_t CostOf(const InstanceType& type, int64_t seconds, int64_t instances);

}  // namespace argosy::cost
