#include "algorithms/matrix.h"

#include <gtest/gtest.h>

#include <vector>

#include "algorithms/vectors.h"
#include "base/random.h"
#include "base/vector_targets_fixture.h"

namespace argosy::algorithms {
namespace {

template <class T>
std::vector<T> Draw(size_t count, uint64_t seed) {
  SeededRandom random(seed);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(random.Normal());
  return values;
}

struct Shape {
  size_t rows;
  size_t n;
  size_t stride;
};

class MatrixTest : public testing::TestWithParam<Shape> {
 protected:
  template <class T>
  void CheckProduct() {
    const auto [rows, n, stride] = GetParam();
    const std::vector<T> a = Draw<T>(rows * n, 1), b = Draw<T>(n * stride, 2);
    std::vector<T> out(rows * stride, T{99});
    Multiply(a.data(), rows, n, b.data(), stride, out.data());
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < stride; ++c) {
        double sum = 0;
        for (size_t j = 0; j < n; ++j) sum += static_cast<double>(a[r * n + j]) * b[j * stride + c];
        ASSERT_NEAR(out[r * stride + c], sum, 1e-4 * static_cast<double>(n)) << r << " " << c;
      }
    }
  }
};

TEST_P(MatrixTest, ProductsAreThoseOfAPlainLoop) {
  ForEachVectorTarget([&] {
    CheckProduct<float>();
    CheckProduct<double>();
  });
}

TEST_P(MatrixTest, TransposedProductsAreAdded) {
  ForEachVectorTarget([&] {
    const auto [all_rows, columns, stride] = GetParam();
    const size_t rows = std::min(all_rows, kTransposedRowsMax);
    const size_t n = PadToLane(columns);
    const std::vector<float> x = Draw<float>(rows * n, 3), p = Draw<float>(rows * stride, 4);
    std::vector<float> out(n * stride, 1.0F), gram(n * n, 1.0F);
    AddTransposedProduct(x.data(), rows, n, p.data(), stride, out.data());
    AddGram(x.data(), rows, n, gram.data());
    for (size_t i = 0; i < n; ++i) {
      for (size_t c = 0; c < stride; ++c) {
        double sum = 1;
        for (size_t r = 0; r < rows; ++r) sum += static_cast<double>(x[r * n + i]) * p[r * stride + c];
        ASSERT_NEAR(out[i * stride + c], sum, 1e-3) << i << " " << c;
      }
      for (size_t j = i; j < n; ++j) {
        double sum = 1;
        for (size_t r = 0; r < rows; ++r) sum += static_cast<double>(x[r * n + i]) * x[r * n + j];
        ASSERT_NEAR(gram[i * n + j], sum, 1e-3) << i << " " << j;
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, MatrixTest,
                         testing::Values(Shape{1, 1, 16}, Shape{3, 5, 32}, Shape{8, 16, 16}, Shape{13, 17, 48},
                                         Shape{64, 40, 112}, Shape{128, 100, 64}));

}  // namespace
}  // namespace argosy::algorithms
