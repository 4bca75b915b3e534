#include "algorithms/pca/spectrum.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "algorithms/matrix.h"
#include "algorithms/vectors.h"
#include "base/random.h"

namespace argosy::algorithms::pca {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr size_t kDirectMax = 200;  // columns up to which the whole problem is solved at once
constexpr size_t kIterationsMax = 300;
constexpr size_t kIterationsPerLook = 5;
constexpr double kTolerance = 1e-10;  // relative change of the sum of the wanted values between two looks

// The `count` largest of a solved problem, turned by `basis` when there is one. Eigen gives them ascending.
Spectrum Largest(const Eigen::SelfAdjointEigenSolver<RowMajor>& solved, size_t count, const RowMajor* basis) {
  const auto width = solved.eigenvalues().size();
  const auto wanted = static_cast<Eigen::Index>(count);
  RowMajor chosen = solved.eigenvectors().rightCols(wanted).rowwise().reverse();
  if (basis != nullptr) chosen = *basis * chosen;
  Spectrum spectrum;
  for (Eigen::Index c = 0; c < wanted; ++c) {
    spectrum.values.push_back(std::max(0.0, solved.eigenvalues()[width - 1 - c]));
    Eigen::Index largest = 0;
    chosen.col(c).cwiseAbs().maxCoeff(&largest);
    if (chosen(largest, c) < 0) chosen.col(c) *= -1;
  }
  spectrum.vectors.assign(chosen.data(), chosen.data() + chosen.size());
  return spectrum;
}

}  // namespace

void Orthonormalize(std::vector<double>& columns, size_t n, size_t width, uint64_t seed) {
  // Gram-Schmidt, twice for each column: once is not enough where columns are nearly alike.
  Eigen::Map<RowMajor> q(columns.data(), static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(width));
  Eigen::MatrixXd by_column = q;
  SeededRandom random(seed);
  for (Eigen::Index c = 0; c < by_column.cols(); ++c) {
    for (int attempt = 0;; ++attempt) {
      const double before = by_column.col(c).norm();
      for (int twice = 0; twice < 2 && c > 0; ++twice) {
        const Eigen::VectorXd along = by_column.leftCols(c).transpose() * by_column.col(c);
        by_column.col(c).noalias() -= by_column.leftCols(c) * along;
      }
      const double norm = by_column.col(c).norm();
      if (norm > 1e-12 * before && norm > 0) {
        by_column.col(c) /= norm;
        break;
      }
      if (attempt == 3 || static_cast<size_t>(c) >= n) {
        by_column.col(c).setZero();
        break;
      }
      for (Eigen::Index i = 0; i < by_column.rows(); ++i) by_column(i, c) = random.Normal();
    }
  }
  q = by_column;
}

Spectrum RayleighRitz(const std::vector<double>& directions, const std::vector<double>& image, size_t n, size_t width,
                      size_t count) {
  const auto rows = static_cast<Eigen::Index>(n);
  const auto columns = static_cast<Eigen::Index>(width);
  const RowMajor q = Eigen::Map<const RowMajor>(directions.data(), rows, columns);
  const Eigen::Map<const RowMajor> y(image.data(), rows, columns);
  const RowMajor small = q.transpose() * y;
  const RowMajor symmetric = 0.5 * (small + small.transpose());
  return Largest(Eigen::SelfAdjointEigenSolver<RowMajor>(symmetric), count, &q);
}

Spectrum LargestEigenvectors(const std::vector<double>& matrix, size_t n, size_t count, uint64_t seed) {
  const size_t width = PadToLane(count + std::max<size_t>(10, count / 2));
  if (n <= kDirectMax || 2 * width >= n) {
    const auto size = static_cast<Eigen::Index>(n);
    const Eigen::Map<const RowMajor> whole(matrix.data(), size, size);
    return Largest(Eigen::SelfAdjointEigenSolver<RowMajor>(whole), count, nullptr);
  }
  SeededRandom random(seed);
  std::vector<double> q(n * width);
  for (double& value : q) value = random.Normal();
  Orthonormalize(q, n, width, seed);
  std::vector<double> y(n * width);
  Spectrum spectrum;
  double before = -1;
  for (size_t iteration = 1; iteration <= kIterationsMax; ++iteration) {
    Multiply(matrix.data(), n, n, q.data(), width, y.data());
    if (iteration % kIterationsPerLook == 0 || iteration == kIterationsMax) {
      spectrum = RayleighRitz(q, y, n, width, count);
      double sum = 0;
      for (const double value : spectrum.values) sum += value;
      if (std::abs(sum - before) <= kTolerance * sum) break;
      before = sum;
    }
    q.swap(y);
    Orthonormalize(q, n, width, seed);
  }
  return spectrum;
}

}  // namespace argosy::algorithms::pca
