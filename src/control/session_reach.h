// What the session of a job's or endpoint's instance reaches: its own data, as its request names it.
#pragma once

#include "catalog/endpoint.h"
#include "catalog/reach.h"
#include "catalog/training_job.h"

namespace argosy::control {

// To read: the channels' prefixes; of a channel by manifest the manifest alone. To read and write: the job's folder
// below its output path, and its checkpoints.
catalog::Reach ReachOf(const catalog::TrainingJobSpec& job);

// To read: the artifact, and the script's archive.
catalog::Reach ReachOf(const catalog::ModelSpec& model);

}  // namespace argosy::control
