// Products of dense row-major matrices, with run-time dispatch to the widest vectors the machine has. Sums are taken in
// a fixed order: the same machine gives the same bits every time.
#pragma once

#include <cstddef>

namespace argosy::algorithms {

// out [rows × stride] = a [rows × n] · b [n × stride]; stride a multiple of kLane (of kLane / 2 for doubles).
void Multiply(const float* a, size_t rows, size_t n, const float* b, size_t stride, float* out);
void Multiply(const double* a, size_t rows, size_t n, const double* b, size_t stride, double* out);

inline constexpr size_t kTransposedRowsMax = 128;  // of x and p at once: a panel of p stays in the nearest cache

// out [n × stride] += xᵀ · p with x [rows × n], p [rows × stride]; rows ≤ kTransposedRowsMax, n and stride multiples of
// kLane.
void AddTransposedProduct(const float* x, size_t rows, size_t n, const float* p, size_t stride, float* out);
// out [n × n] += xᵀ · x, but only what stands on or above the diagonal is complete; below it is left anyhow.
void AddGram(const float* x, size_t rows, size_t n, float* out);

}  // namespace argosy::algorithms
