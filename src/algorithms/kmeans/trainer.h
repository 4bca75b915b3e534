// Trains k-means: passes in mini-batches over many centres, reduction to k, passes of Lloyd's algorithm over all rows.
//
//   1. A sample of rows gives k · extra_center_factor first centres.
//   2. Mini-batches (Sculley, "Web-Scale K-Means Clustering", 2010): each row goes to its nearest centre, each centre
//   to
//      the mean of all rows it has had.
//   3. The centres, weighted by their rows, are points of a local Lloyd algorithm: k remain.
//   4. Lloyd's algorithm over all rows, until it gains little.
//
// Step 2 and 4 are passes of KMeansState over virtual shards, so the artifact does not depend on the number of threads.
#pragma once

#include "algorithms/algorithm.h"
#include "algorithms/kmeans/kmeans_model.h"
#include "algorithms/kmeans/settings.h"

namespace argosy::algorithms::kmeans {

Result<KMeansModel> TrainKMeans(const TrainingRequest& request, const KMeansSettings& settings,
                                TrainingObserver& observer);

}  // namespace argosy::algorithms::kmeans
