// The channels of a linear training as data sets.
#pragma once

#include <memory>
#include <optional>

#include "algorithms/algorithm.h"
#include "algorithms/linear/settings.h"
#include "data/dataset.h"

namespace argosy::algorithms::linear {

// With fewer rows a training is not divided among hosts.
inline constexpr uint64_t kRowsPerShardMin = 16'384;

struct ChannelData {
  data::Dataset train;
  std::optional<data::Dataset> validation;
  std::optional<data::Dataset> test;
};

// kInvalidArgument when the train channel is absent, a channel is not known or its content type not read, or the data
// is not what the hyperparameters say; kCancelled when the observer says stop.
Result<ChannelData> ReadChannels(const TrainingRequest& request, const LinearSettings& settings,
                                 TrainingObserver& observer);

}  // namespace argosy::algorithms::linear
