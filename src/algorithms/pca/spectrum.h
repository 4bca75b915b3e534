// The largest eigenvalues of a symmetric matrix and their eigenvectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace argosy::algorithms::pca {

struct Spectrum {
  std::vector<double> values;   // descending
  std::vector<double> vectors;  // [n × count], row-major: one per column; the largest entry of each is positive
};

// `matrix`: [n × n], symmetric, positive semidefinite. All of it directly when n is small or most of it is wanted;
// otherwise by subspace iteration with Rayleigh-Ritz (Halko, Martinsson and Tropp, "Finding Structure with Randomness",
// 2011), until the wanted values no longer change.
Spectrum LargestEigenvectors(const std::vector<double>& matrix, size_t n, size_t count, uint64_t seed);

// The same from Y = A D alone, with orthonormal directions D [n × width]: Rayleigh-Ritz within their span.
Spectrum RayleighRitz(const std::vector<double>& directions, const std::vector<double>& image, size_t n, size_t width,
                      size_t count);

// Makes the columns of an [n × width] matrix orthonormal; columns that depend on others become random directions.
void Orthonormalize(std::vector<double>& columns, size_t n, size_t width, uint64_t seed);

}  // namespace argosy::algorithms::pca
