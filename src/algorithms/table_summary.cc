#include "algorithms/table_summary.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/bytes.h"
#include "data/csv.h"
#include "data/number.h"
#include "data/record_reader.h"
#include "data/table_probe.h"

namespace argosy::algorithms {
namespace {

// Text looked at. Sorted files show some labels only at the end, so this is as much as a second or so allows.
constexpr uint64_t kScanBytesMax = 256 << 20;
// Lines looked at for a header.
constexpr size_t kHeaderLines = 100;
// Integer labels are classes when they are not more than this many.
constexpr size_t kIntegerClassesMax = 100;

// "0" to "255" as people write them.
std::optional<size_t> SmallInteger(std::string_view text) {
  if (text.empty() || text.size() > 3 || (text[0] == '0' && text.size() > 1)) return std::nullopt;
  size_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + static_cast<size_t>(c - '0');
  }
  return value < 256 ? std::optional(value) : std::nullopt;
}

void Count(ColumnSummary::Place& place, std::string_view text, uint64_t line) {
  if (++place.count > 1) return;
  place.line = line;
  place.text.assign(text);
}

void Keep(std::set<std::string, std::less<>>& texts, std::string_view text) {
  if (texts.size() <= kDistinctMax && !texts.contains(text)) texts.emplace(text);
}

// First lines split into fields; blank ones left out.
std::vector<std::vector<std::string>> FirstLines(std::string_view text) {
  std::vector<std::vector<std::string>> lines;
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end && lines.size() < kHeaderLines) {
    const data::CsvLine line = data::ReadCsvLine(p, end);
    const std::string_view row(p, static_cast<size_t>(line.end - p));
    p = line.next;
    if (Trim(row).empty()) continue;
    if (auto fields = data::SplitCsvLine(row)) lines.push_back(std::move(*fields));
  }
  return lines;
}

bool HasHeader(const std::vector<std::vector<std::string>>& lines, const SummaryOptions& options) {
  if (options.header == "true" || options.header == "false") return options.header == "true";
  const std::vector<std::string>& first = lines.front();
  const bool names_label =
      !ParseInt(options.label) && std::find(first.begin(), first.end(), options.label) != first.end();
  return names_label || data::LooksLikeHeader(lines);
}

// What is wrong with a line of a table so wide; empty: nothing.
std::string BrokenLine(std::string_view line, size_t width) {
  const std::optional<size_t> fields = data::CountCsvFields(line);
  if (!fields) return ": a quote that is not closed, or text behind the closing one";
  if (*fields == width) return "";
  return " has " + std::to_string(*fields) + " columns where the first has " + std::to_string(width);
}

void AddRow(const data::CsvLine& line, const char* p, uint64_t number, std::string& scratch, TableSummary& table) {
  for (ColumnSummary& column : table.columns) {
    const data::CsvField field = data::ReadCsvField(p, line.end, scratch);
    column.Add(field.text, number);
    p = field.next == line.end ? line.end : field.next + 1;
  }
  ++table.rows;
}

}  // namespace

void ColumnSummary::Add(std::string_view text, uint64_t line) {
  if (const auto number = SmallInteger(text)) {
    ++numbers_;
    if (small_.test(*number)) return;
    small_.set(*number);
    Keep(distinct_, text);
    return;
  }
  if (data::IsMissingText(text)) {
    const auto at = missing_.find(text);
    Count(at != missing_.end() ? at->second : missing_[std::string(text)], text, line);
    return;
  }
  if (text != last_) {
    last_.assign(text);
    const data::ParsedNumber number = data::ParseNumber(text.data(), text.data() + text.size());
    last_odd_ = number.end != text.data() + text.size() || std::abs(number.value) > data::kFloatMax;
    integer_ = integer_ && (last_odd_ || number.value == std::floor(number.value));
    Keep(last_odd_ ? odd_texts_ : distinct_, text);
  }
  if (last_odd_) {
    Count(odd_, text, line);
  } else {
    ++numbers_;
  }
}

void ColumnSummary::Finish() {
  if (text()) TakeAsText();
}

void ColumnSummary::TakeAsText() {
  distinct_.merge(odd_texts_);
  for (const auto& [text, place] : missing_) {
    if (!data::IsMissingLabel(text)) Keep(distinct_, text);
  }
}

bool ColumnSummary::numeric() const {
  return odd_.count == 0 || data::IsMostlyNumbers(numbers_, odd_.count);
}

bool ColumnSummary::CountsFromZero() const {
  if (text() || !integer_ || distinct_.size() < 2 || distinct_.size() > kIntegerClassesMax) return false;
  return std::all_of(distinct_.begin(), distinct_.end(), [&](const std::string& value) {
    const auto number = ParseDouble(value);
    return number && *number >= 0 && *number < static_cast<double>(distinct_.size());
  });
}

uint64_t ColumnSummary::missing() const {
  uint64_t count = 0;
  for (const auto& [text, place] : missing_) count += place.count;
  return count;
}

std::string TableSummary::NameOf(size_t column) const {
  std::string name = "column " + std::to_string(column + 1);
  if (!names.empty()) name += " ('" + data::CsvExcerpt(names[column]) + "')";
  return name;
}

std::string TableSummary::ReferenceTo(size_t column) const {
  std::string position = std::to_string(column);
  const auto named = std::find(names.begin(), names.end(), position);
  return named == names.end() || named == names.begin() + static_cast<ptrdiff_t>(column) ? position : names[column];
}

Result<TableSummary> SummarizeTable(const data::InputFile& file, const SummaryOptions& options) {
  data::RecordReader reader({file}, data::Framing::kLines, data::Compression::kAuto);
  TableSummary table;
  std::string recycled;
  std::string scratch;
  uint64_t bytes = 0;
  uint64_t line_number = 0;
  bool names_pending = false;
  while (bytes < kScanBytesMax) {
    auto block = reader.Next(std::move(recycled));
    if (!block) return block.error();
    if (!block->has_value()) break;
    std::string& text = (*block)->bytes;
    bytes += text.size();
    const char* p = text.data();
    const char* const end = p + text.size();
    if (table.columns.empty()) {
      const auto lines = FirstLines(text);
      if (!lines.empty()) {
        table.header = names_pending = HasHeader(lines, options);
        if (table.header) table.names = lines.front();
        table.columns.resize(lines.front().size());
      }
    }
    while (p != end) {
      const data::CsvLine line = data::ReadCsvLine(p, end);
      const char* const start = p;
      p = line.next;
      ++line_number;
      if (data::SkipCsvSpaces(start, line.end) == line.end) continue;
      const std::string_view row(start, static_cast<size_t>(line.end - start));
      if (const std::string fault = BrokenLine(row, table.columns.size()); !fault.empty()) {
        const std::string told = "line " + std::to_string(line_number) + fault;
        if (options.broken == SummaryOptions::Broken::kRefuse) return Invalid(told);
        if (++table.broken == 1) table.first_broken = told;
      } else if (names_pending) {
        names_pending = false;
      } else {
        AddRow(line, start, line_number, scratch, table);
      }
    }
    recycled = std::move(text);
  }
  if (table.rows == 0) return Invalid("the file has no rows");
  for (ColumnSummary& column : table.columns) column.Finish();
  return table;
}

}  // namespace argosy::algorithms
