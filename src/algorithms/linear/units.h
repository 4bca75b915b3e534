// Between what rows hold and what is trained: features are centred, scaled and perhaps cut off, labels centred and
// scaled, and the artifact's weights are those of the rows as they come.
#pragma once

#include <span>
#include <vector>

#include "algorithms/batches.h"
#include "algorithms/linear/linear_model.h"
#include "algorithms/linear/linear_state.h"
#include "algorithms/linear/scaler.h"
#include "algorithms/linear/settings.h"
#include "data/table_schema.h"

namespace argosy::algorithms::linear {

// What the settings ask for, given where the columns lie.
Transform MakeTransform(const LinearSettings& settings, const data::TableSchema& schema, const ModelShape& shape,
                        const Scaler& scaler);

// Weights of an earlier model over the same columns, in the units of this training: [shape.parameters()]. A category
// that it did not know begins at 0.
std::vector<float> FoldWeights(const LinearModel& model, std::span<const data::Column> columns, const ModelShape& shape,
                               const Transform& transform);

// What was trained becomes weights, biases and fills of the model. Where features were cut off (model.clip is not 0)
// the model keeps their means and scales; else they go into the weights.
void UnfoldWeights(const ModelShape& shape, const Transform& transform, std::span<const float> parameters,
                   LinearModel& model);

}  // namespace argosy::algorithms::linear
