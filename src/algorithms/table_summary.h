// What a CSV file holds, column by column: what guessing goes by, and what is odd in it, with its place.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/input_file.h"

namespace argosy::algorithms {

// Different values told apart in a column; more than these are no classes.
inline constexpr size_t kDistinctMax = 1000;

class ColumnSummary {
 public:
  // Fields of which there are some, the first on this line.
  struct Place {
    uint64_t count = 0;
    uint64_t line = 0;
    std::string text;
  };

  void Add(std::string_view text, uint64_t line);
  // All values have been seen: those of a column of text that look like numbers are texts like others.
  void Finish();
  // Its odd values and numbers are classes of one kind.
  void TakeAsText();

  // All but a few values are numbers (data::IsMostlyNumbers), or all are missing.
  bool numeric() const;
  bool text() const { return !numeric(); }
  // Integers 0, 1, … without gaps, at least two.
  bool CountsFromZero() const;
  // Values that are not missing.
  uint64_t values() const { return numbers_ + odd_.count; }
  uint64_t numbers() const { return numbers_; }
  uint64_t missing() const;
  const Place& odd() const { return odd_; }  // that are neither numbers nor missing
  // By what stood there: "", "NA", …
  const std::map<std::string, Place, std::less<>>& missing_places() const { return missing_; }
  // Of the numbers, in a column of text of all values: as they are written, up to kDistinctMax + 1.
  const std::set<std::string, std::less<>>& distinct() const { return distinct_; }
  std::string_view last() const { return last_; }

 private:
  bool integer_ = true;
  uint64_t numbers_ = 0;
  Place odd_;
  std::map<std::string, Place, std::less<>> missing_;
  std::set<std::string, std::less<>> distinct_;
  std::set<std::string, std::less<>> odd_texts_;  // up to kDistinctMax + 1
  std::string last_;                              // runs of one value need no look-up
  bool last_odd_ = false;
  std::bitset<256> small_;  // integers seen: pixels, counts and flags need no look-up by text
};

struct TableSummary {
  bool header = false;
  std::vector<std::string> names;
  std::vector<ColumnSummary> columns;
  uint64_t rows = 0;
  uint64_t broken = 0;       // lines that are no rows: a quote that is not closed, another number of columns
  std::string first_broken;  // what is wrong with the first, with its place

  // "column 3 ('width')"
  std::string NameOf(size_t column) const;
  // What argosy_label takes for it: its position, or its name where another column is called like that number.
  std::string ReferenceTo(size_t column) const;
};

struct SummaryOptions {
  std::string header = "auto";  // argosy_header
  std::string label;            // argosy_label, or empty: a name that stands in the first line makes it a header
  enum class Broken { kRefuse, kPassOver } broken = Broken::kRefuse;
};

// Looks at the rows of `file` (CSV or Parquet; may be gzip) up to a fixed amount of text. kInvalidArgument with the
// line for what cannot be taken apart, and when there is no row.
Result<TableSummary> SummarizeTable(const data::InputFile& file, const SummaryOptions& options);

}  // namespace argosy::algorithms
