// Rows to a boosted model.
#pragma once

#include "algorithms/algorithm.h"
#include "algorithms/xgboost/settings.h"

namespace argosy::algorithms::xgboost {

// Writes the artifact. Rows are held in memory, as the library needs them. Errors as Algorithm::Train.
Status TrainXGBoost(const TrainingRequest& request, const XGBoostSettings& settings, TrainingObserver& observer);

}  // namespace argosy::algorithms::xgboost
