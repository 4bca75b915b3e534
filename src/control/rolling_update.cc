#include "control/rolling_update.h"

#include <algorithm>

#include "control/capacity_change.h"

namespace argosy::control {
namespace {

uint32_t Wanted(const catalog::Fleet& fleet) {
  uint32_t wanted = 0;
  for (const catalog::VariantPlan& plan : fleet.variants) wanted += plan.variant.initial_instance_count;
  return wanted;
}

}  // namespace

uint32_t RollingProgress(const catalog::Fleet& next) {
  const uint32_t wanted = Wanted(next);
  return wanted == 0 ? 100 : static_cast<uint32_t>(100 * next.instances.size() / wanted);
}

std::vector<const catalog::VariantPlan*> NextBatch(const catalog::Fleet& next,
                                                   const catalog::DeploymentConfig& config) {
  std::vector<const catalog::VariantPlan*> batch;
  const uint32_t size = config.step.Instances(Wanted(next));
  for (const catalog::VariantPlan& plan : next.variants) {
    const uint32_t left = size - static_cast<uint32_t>(batch.size());
    batch.insert(batch.end(), std::min(left, MissingOf(next, plan)), &plan);
  }
  return batch;
}

void BeginRolling(const catalog::Fleet& current, catalog::Deployment& deployment) {
  for (const catalog::VariantPlan& plan : current.variants) {
    deployment.old_counts[plan.variant.variant_name] = plan.variant.initial_instance_count;
  }
}

void SetOldCounts(const catalog::Deployment& deployment, uint32_t progress, catalog::Fleet& current) {
  for (catalog::VariantPlan& plan : current.variants) {
    const auto old = deployment.old_counts.find(plan.variant.variant_name);
    if (old == deployment.old_counts.end()) continue;
    // Rounded up: rather one too many for a while than one too few.
    plan.variant.initial_instance_count = (old->second * (100 - std::min(progress, 100U)) + 99) / 100;
  }
}

}  // namespace argosy::control
