// Loops over dense rows and vectors of floats, with run-time dispatch to the widest vectors the machine has.
//
// All rows and weight vectors are padded with zeros to a multiple of kLane floats, so no loop has a tail. Sums are
// taken in a fixed order: the same machine gives the same bits every time, whatever the number of threads.
#pragma once

#include <cstddef>

namespace argosy::algorithms {

inline constexpr size_t kLane = 16;  // floats in the widest vector
inline constexpr size_t PadToLane(size_t n) {
  return (n + kLane - 1) / kLane * kLane;
}

// out[r × outputs + o] += x[r] · w[o].  x: [rows × n], w: [outputs × w_stride] of which n are used, n a multiple of
// kLane.
void AddDots(const float* x, size_t rows, size_t n, const float* w, size_t w_stride, size_t outputs, float* out);

// g[o] += Σ_r residual[r × outputs + o] · x[r].  Shapes as above.
void AddOuter(const float* x, size_t rows, size_t n, const float* residual, size_t outputs, float* g, size_t g_stride);

// out = (x - mean) · scale, held between -limit and limit, 0 where x is NaN; n a multiple of kLane.
void Normalize(const float* x, const float* mean, const float* scale, float limit, size_t n, float* out);

// One step of Adam (Kingma and Ba, 2015, algorithm 1) on n weights: g is the gradient,
// m and v its running moments; `lr` already holds both bias corrections, `epsilon` that of v. n a multiple of kLane.
struct AdamStep {
  float lr;
  float beta_1;
  float beta_2;
  float epsilon;
};
void ApplyAdam(const AdamStep& step, const float* g, float* m, float* v, float* w, size_t n);

// RMSProp (Tieleman and Hinton, 2012): v is the running mean of squares.
void ApplyRmsprop(float lr, float decay, float epsilon, const float* g, float* v, float* w, size_t n);

// Heavy-ball momentum: m ← momentum · m + g, w ← w - lr · m.
void ApplySgd(float lr, float momentum, const float* g, float* m, float* w, size_t n);

// a ← a · x_scale
void Scale(float factor, float* a, size_t n);
// a ← a + factor · b
void AddScaled(float factor, const float* b, float* a, size_t n);
// w ← sign(w) · max(|w| - threshold, 0): the proximal step of an L1 penalty.
void SoftThreshold(float threshold, float* w, size_t n);

}  // namespace argosy::algorithms
