// Losses of the linear learner: value and derivative per row.
//
// Binary labels are 0 and 1. With s = 1 for label 1 and -1 for label 0, output f, label y, d = f - y:
//   logistic  log(1 + exp(-s f))                     hinge  max(0, margin - s f)
//   squared   d² / 2                                 absolute  |d|
//   eps_insensitive_squared  max(0, |d| - ε)² / 2     eps_insensitive_absolute  max(0, |d| - ε)
//   quantile  (q - [d > 0]) · (-d)                   huber  d² / 2 for |d| ≤ δ, δ (|d| - δ / 2) beyond
//   softmax   log Σ_k exp(f_k) - f_y
#pragma once

#include <cstddef>

#include "algorithms/linear/settings.h"

namespace argosy::algorithms::linear {

// `outputs`: [rows × count], the model's raw outputs; replaced by weight · ∂loss/∂output. Returns Σ weight · loss.
double ReplaceByResiduals(const LossSettings& loss, float* outputs, size_t rows, size_t count, const float* labels,
                          const float* weights);

// Loss of one row, as above with weight 1.
double RowLoss(const LossSettings& loss, const float* outputs, size_t count, float label);

}  // namespace argosy::algorithms::linear
