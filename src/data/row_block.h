// Rows of a table as numbers: what a parsed block of records becomes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace argosy::data {

struct RowShape {
  size_t numeric = 0;      // columns
  size_t categorical = 0;  // columns

  bool operator==(const RowShape&) const = default;
  size_t bytes_per_row() const { return sizeof(float) * (numeric + 1) + sizeof(uint32_t) * categorical; }
};

// As a parser fills them.
struct RowBlock {
  size_t rows = 0;
  std::vector<float> numeric;        // [rows × shape.numeric], row-major; NaN where a value is missing
  std::vector<uint32_t> categories;  // [rows × shape.categorical], row-major; numbers of `dictionary`
  std::vector<float> labels;         // [rows]; a number, or a class number of `dictionary`
  uint32_t dictionary = 0;           // whose numbers these are, where several were growing

  // Keeps the memory.
  void Clear() {
    rows = 0;
    numeric.clear();
    categories.clear();
    labels.clear();
    dictionary = 0;
  }
};

// The same, where they are kept.
struct RowView {
  size_t rows = 0;
  std::span<const float> numeric;
  std::span<const uint32_t> categories;
  std::span<const float> labels;
  uint32_t dictionary = 0;
};

}  // namespace argosy::data
