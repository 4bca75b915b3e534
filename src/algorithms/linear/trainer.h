// A training of the linear learner from channels to model.
//
// The data is read once into a row store (data/dataset.h); then, per epoch, each virtual shard feeds a LinearState of
// its own for a round, the states are merged in the fixed tree, and the next round starts from the merged one. The
// number of shards and the length of a round follow from the number of rows, never from threads.
#pragma once

#include "algorithms/algorithm.h"
#include "algorithms/linear/linear_model.h"
#include "algorithms/linear/settings.h"

namespace argosy::algorithms::linear {

// Reports log lines, metrics and progress to the observer. Errors as Algorithm::Train says.
Result<LinearModel> TrainLinearModel(const TrainingRequest& request, const LinearSettings& settings,
                                     TrainingObserver& observer);

}  // namespace argosy::algorithms::linear
