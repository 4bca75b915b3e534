// Rows of a table as numbers: what a parsed block of records becomes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace argosy::data {

struct RowShape {
  size_t numeric = 0;      // columns
  size_t categorical = 0;  // columns

  bool operator==(const RowShape&) const = default;
  size_t bytes_per_row() const { return sizeof(float) * (numeric + 1) + sizeof(uint32_t) * categorical; }
};

struct RowBlock {
  size_t rows = 0;
  std::vector<float> numeric;        // [rows × shape.numeric], row-major; NaN where a value is missing
  std::vector<uint32_t> categories;  // [rows × shape.categorical], row-major; numbers of `dictionary`
  std::vector<float> labels;         // [rows]; a number, or a class number of `dictionary`
  uint32_t dictionary = 0;           // whose numbers these are, where several were growing
};

}  // namespace argosy::data
