// Trains PCA: one pass adds up the covariance of all features, whose largest eigenvectors are the components; or, in
// the randomized mode, a few passes add up the covariance's image of a few random directions.
#pragma once

#include "algorithms/algorithm.h"
#include "algorithms/pca/pca_model.h"
#include "algorithms/pca/settings.h"

namespace argosy::algorithms::pca {

Result<PcaModel> TrainPca(const TrainingRequest& request, const PcaSettings& settings, TrainingObserver& observer);

}  // namespace argosy::algorithms::pca
