// What a table is, seen from its first lines and from what the user has said of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/table_parser.h"

namespace argosy::data {

enum class HeaderOption { kNo, kYes, kAuto };

struct ProbeOptions {
  HeaderOption header = HeaderOption::kNo;
  bool has_label = true;
  // Only for labels that are not looked at: there is one when a row has this many columns and one more.
  std::optional<size_t> label_when_wider_than;
  std::string label = "0";               // name, or position from 0 (negative: from the end)
  bool categorical_auto = false;         // columns whose sample is not mostly numbers
  std::vector<std::string> categorical;  // names or positions, as for `label`
  LabelKind label_kind = LabelKind::kNumber;
  uint32_t class_count = 0;
  LabelEncoding label_encoding;
  MissingValues missing = MissingValues::kRefuse;
  bool lenient = false;  // lines that cannot be taken apart are passed over
};

struct ProbedTable {
  TableLayout layout;
  bool header = false;
  std::string label_name;
  std::string header_line;  // as it stands in the sample, when there is one
};

// `sample`: the first lines of the first file, its last line perhaps cut off (then without a line end).
// kInvalidArgument when there is no row, rows differ in width, or an option names what is not there.
Result<ProbedTable> ProbeTable(std::string_view sample, std::string_view file_name, const ProbeOptions& options);

// As above, of rows already split into fields. `names`: of the columns, or empty.
Result<ProbedTable> ProbeFields(std::vector<std::vector<std::string>> rows, std::vector<std::string> names,
                                std::string_view file_name, const ProbeOptions& options);

// "3" → 3, "-1" → width - 1, "flag" → its place in `names`. kInvalidArgument naming `option` otherwise.
Result<size_t> FindColumn(std::string_view column, const std::vector<std::string>& names, size_t width,
                          std::string_view option);

// Whether a column with so many numbers and so many values that are none (missing ones not counted) is one of numbers,
// with some that are odd: a slip of the pen must not make of it a column of categories, or hide the line of names.
bool IsMostlyNumbers(uint64_t numbers, uint64_t odd);

// Whether the first line holds names: a column that is numeric in the other lines of the sample is not numeric in it.
// Names that are numbers, as of pixels or years, ascend as integers; else the line is a row with an odd value.
// 0, 1, … (or 1, 2, …) beside a text that does not recur in a column where others do are names, too, as pandas writes
// them.
bool LooksLikeHeader(const std::vector<std::vector<std::string>>& lines);

// True when `text` is a finite decimal number, one that a float holds.
bool IsNumber(std::string_view text);

}  // namespace argosy::data
