// How the fleet that serves follows its variants' desired counts. Pure; the endpoints planner's.
//
// What is missing is begun, what is too much retires: first what does not serve yet, then the newest. A change that the
// machine cannot carry through ends with what is there, never with less than before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "catalog/endpoint.h"
#include "compute/compute.h"

namespace argosy::control {

// How many instances the variant lacks.
uint32_t MissingOf(const catalog::Fleet& fleet, const catalog::VariantPlan& plan);

// Takes out of the fleet what is more than desired.
using Serves = std::function<bool(const catalog::EndpointInstance&)>;
std::vector<catalog::EndpointInstance> TakeSurplus(catalog::Fleet& fleet, const Serves& serves);

// A sentence when the machine could not hold so many instances even if it held nothing else; `what` names them.
std::optional<std::string> MoreThanMachine(size_t wanted, const std::string& what, const compute::Capacity& capacity);

// Lowers counts that are being raised until the machine could hold the fleet; a sentence when that was needed.
std::optional<std::string> CutToMachine(catalog::Fleet& fleet, const compute::Capacity& capacity);

// Back to what was desired before, but for instances that have come up since.
void GiveUpChange(catalog::Fleet& fleet);

}  // namespace argosy::control
