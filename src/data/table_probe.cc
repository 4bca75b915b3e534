#include "data/table_probe.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <span>

#include "base/bytes.h"
#include "data/csv.h"
#include "data/number.h"

namespace argosy::data {

namespace {

constexpr uint64_t kValuesPerOddMin = 5;  // below one odd value in five a column may well be text

// The names that pandas gives to columns without any, 0, 1, …: so many are no chance.
constexpr size_t kCountedNamesMin = 2;

struct Tally {
  uint64_t numbers = 0;
  uint64_t odd = 0;

  bool numeric() const { return IsMostlyNumbers(numbers, odd); }
};

Tally Count(std::span<const std::vector<std::string>> lines, size_t column) {
  Tally tally;
  for (const auto& line : lines) {
    if (column >= line.size() || IsMissingText(line[column])) continue;
    ++(IsNumber(line[column]) ? tally.numbers : tally.odd);
  }
  return tally;
}

// Whether `text` stands nowhere below in a column of texts that recur, as those of a label do.
bool IsStranger(std::string_view text, std::span<const std::vector<std::string>> lines, size_t column) {
  std::set<std::string_view> seen;
  bool recurs = false;
  for (const auto& line : lines) {
    if (column >= line.size()) continue;
    if (line[column] == text) return false;
    recurs = !seen.insert(line[column]).second || recurs;
  }
  return recurs;
}

}  // namespace

bool IsNumber(std::string_view text) {
  if (text.empty()) return false;
  const ParsedNumber number = ParseNumber(text.data(), text.data() + text.size());
  return number.end == text.data() + text.size() && std::abs(number.value) <= kFloatMax;
}

bool IsMostlyNumbers(uint64_t numbers, uint64_t odd) {
  return numbers > 0 && odd <= (numbers + odd) / kValuesPerOddMin;
}

Result<size_t> FindColumn(std::string_view column, const std::vector<std::string>& names, size_t width,
                          std::string_view option) {
  const auto named = std::find(names.begin(), names.end(), column);
  if (named != names.end()) return static_cast<size_t>(named - names.begin());
  if (const auto position = ParseInt(column)) {
    const int64_t from_start = *position < 0 ? *position + static_cast<int64_t>(width) : *position;
    if (from_start >= 0 && from_start < static_cast<int64_t>(width)) return static_cast<size_t>(from_start);
    return Invalid(std::string(option) + ": position " + std::string(column) + " lies outside the table's " +
                   std::to_string(width) + " columns");
  }
  return Invalid(std::string(option) + ": the table has no column '" + std::string(column) + "'" +
                 (names.empty() ? " (it has no header)" : ""));
}

bool LooksLikeHeader(const std::vector<std::vector<std::string>>& lines) {
  if (lines.size() < 2) return false;
  const auto& first = lines.front();
  const auto rows = std::span(lines).subspan(1);
  bool named = false;
  std::optional<int64_t> last;
  bool counts = true;  // the numbers are 0, 1, 2, … or 1, 2, 3, …
  size_t numbers = 0;
  bool stranger = false;
  for (size_t column = 0; column < first.size(); ++column) {
    if (IsMissingText(first[column])) continue;
    if (!IsNumber(first[column])) {
      named = named || Count(rows, column).numeric();
      stranger = stranger || IsStranger(first[column], rows, column);
      continue;
    }
    const auto number = ParseInt(first[column]);
    if (!number || (last && *number <= *last)) return false;
    counts = counts && (last ? *number == *last + 1 : *number == 0 || *number == 1);
    ++numbers;
    last = number;
  }
  return named || (counts && numbers >= kCountedNamesMin && stranger);
}

Result<ProbedTable> ProbeTable(std::string_view sample, std::string_view file_name, const ProbeOptions& options) {
  std::vector<std::vector<std::string>> lines;
  std::string first_line;
  const char* p = sample.data();
  const char* const end = p + sample.size();
  uint64_t number = 0;
  while (p != end) {
    const CsvLine line = ReadCsvLine(p, end);
    const std::string_view text(p, static_cast<size_t>(line.end - p));
    const bool cut_off = line.next == end && end[-1] != '\n' && !lines.empty();
    p = line.next;
    ++number;
    if (Trim(text).empty()) continue;
    auto fields = SplitCsvLine(text);
    if (!fields) {
      if (cut_off) break;
      if (options.lenient) continue;
      return Invalid("file '" + std::string(file_name) + "', line " + std::to_string(number) +
                     ": a quote that is not closed, or text behind the closing one");
    }
    if (lines.empty()) first_line = std::string(text);
    // A cut-off line has fewer columns, or part of a value.
    if (cut_off && fields->size() != lines.front().size()) break;
    lines.push_back(std::move(*fields));
  }
  if (lines.empty()) return Invalid("file '" + std::string(file_name) + "' has no rows");

  const bool header =
      options.header == HeaderOption::kYes || (options.header == HeaderOption::kAuto && LooksLikeHeader(lines));
  std::vector<std::string> names;
  if (header) {
    names = lines.front();
    lines.erase(lines.begin());
    if (lines.empty()) return Invalid("file '" + std::string(file_name) + "' has a header and no rows");
  }
  auto table = ProbeFields(std::move(lines), std::move(names), file_name, options);
  if (table && header) {
    table->header = true;
    table->header_line = first_line;
  }
  return table;
}

Result<ProbedTable> ProbeFields(std::vector<std::vector<std::string>> lines, std::vector<std::string> names,
                                std::string_view file_name, const ProbeOptions& options) {
  ProbedTable table;
  const size_t width = names.empty() ? lines.front().size() : names.size();
  if (width > kColumnsMax) return Invalid("a table may have at most " + std::to_string(kColumnsMax) + " columns");

  TableLayout& layout = table.layout;
  const bool has_label =
      options.label_when_wider_than ? width == *options.label_when_wider_than + 1 : options.has_label;
  layout.label_kind = has_label ? options.label_kind : LabelKind::kNone;
  layout.class_count = options.class_count;
  layout.label = options.label_encoding;
  layout.missing = options.missing;
  if (has_label) {
    auto position = FindColumn(options.label, names, width, "argosy_label");
    if (!position) return position.error();
    layout.label_position = *position;
    if (!names.empty()) table.label_name = names[*position];
  }
  std::vector<ColumnKind> kinds(width, ColumnKind::kNumeric);
  if (options.categorical_auto) {
    for (size_t column = 0; column < width; ++column) {
      const Tally tally = Count(lines, column);
      if (tally.odd > 0 && !tally.numeric()) kinds[column] = ColumnKind::kCategorical;
    }
  }
  for (const std::string& column : options.categorical) {
    auto position = FindColumn(column, names, width, "argosy_categorical");
    if (!position) return position.error();
    if (has_label && *position == layout.label_position) {
      return Invalid("argosy_categorical: column '" + column + "' is the label");
    }
    kinds[*position] = ColumnKind::kCategorical;
  }
  if (has_label) {
    kinds.erase(kinds.begin() + static_cast<ptrdiff_t>(layout.label_position));
    if (!names.empty()) names.erase(names.begin() + static_cast<ptrdiff_t>(layout.label_position));
  }
  if (kinds.empty()) {
    return Invalid("file '" + std::string(file_name) + "' has " + (has_label ? "a label and " : "") +
                   "no feature columns");
  }
  layout.columns = std::move(kinds);
  layout.names = std::move(names);
  return table;
}

}  // namespace argosy::data
