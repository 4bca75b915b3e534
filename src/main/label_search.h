// Whether a label that the user named occurs in the data: one that is misspelt would train a model that always says no.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "algorithms/algorithm.h"
#include "base/result.h"
#include "data/input_file.h"

namespace argosy::main {

struct LabelSearch {
  bool found = false;
  std::vector<std::string> others;  // different labels before it in order, at most one more than kLabelsNamedMax
};

inline constexpr size_t kLabelsNamedMax = 10;  // enough to see what was meant

// Reads CSV files (gzip too) up to the first row with that label. The label's column and whether there is a header are
// what the hyperparameters say. kInvalidArgument when a file cannot be read as CSV or has no such column.
Result<LabelSearch> FindLabel(const std::vector<data::InputFile>& files,
                              const algorithms::Hyperparameters& hyperparameters, std::string_view label);

// "'malignant', 'benign'", the first kLabelsNamedMax of them.
std::string NameLabels(const LabelSearch& search);

}  // namespace argosy::main
