// Only for tests: one table for learners of every kind.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/random.h"
#include "data/test_files.h"

namespace argosy::algorithms {

// A CSV file of five columns, the same for the same arguments: the label, a number or, with `prefix` before it, a word,
// then three numbers. The label depends on the third column and a little on the second. Removed at the program's end.
inline std::filesystem::path LabelledTable(size_t rows, std::string_view prefix = "") {
  static const data::TestDirectory directory;
  const std::string name = "table-" + std::to_string(rows) + std::string(prefix);
  if (std::filesystem::exists(directory.path() / name)) return directory.path() / name;
  SeededRandom random(11);
  std::string text;
  for (size_t r = 0; r < rows; ++r) {
    const auto number = [&](uint64_t bound) { return static_cast<int>(random.Below(bound)); };
    const int first = number(100);
    const int word = number(30);
    text += std::to_string(first + word + number(40) > 85 ? 1 : 0) + "," + std::string(prefix) + std::to_string(word) +
            "," + std::to_string(first) + "," + std::to_string(number(50)) + "." + std::to_string(number(10)) + "," +
            std::to_string(number(9)) + "\n";
  }
  return directory.Write(name, text);
}

}  // namespace argosy::algorithms
