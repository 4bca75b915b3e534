// A rolling update's batches: some new instances come, as many old ones go. Pure; the endpoints planner's.
#pragma once

#include <cstdint>
#include <vector>

#include "catalog/endpoint.h"

namespace argosy::control {

// How much of the new fleet there is, in percent of what it is to have.
uint32_t RollingProgress(const catalog::Fleet& next);

// The variants of the instances that the next batch begins, one entry each.
std::vector<const catalog::VariantPlan*> NextBatch(const catalog::Fleet& next, const catalog::DeploymentConfig& config);

// Remembers what the old fleet has.
void BeginRolling(const catalog::Fleet& current, catalog::Deployment& deployment);

// The old fleet's variants are to have what the new one's progress leaves them. At 0 they have what they had.
void SetOldCounts(const catalog::Deployment& deployment, uint32_t progress, catalog::Fleet& current);

}  // namespace argosy::control
