// What a table is, seen from its first lines and from what the user has said of it.
#pragma once

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
  bool categorical_auto = false;         // columns whose sample holds something that is no number
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

// Whether the first line holds names: a column that is numeric in all other lines of the sample is not numeric in it.
bool LooksLikeHeader(const std::vector<std::vector<std::string>>& lines);

// True when `text` is a finite decimal number.
bool IsNumber(std::string_view text);

}  // namespace argosy::data
