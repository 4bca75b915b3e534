#include "data/table_parser.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/bytes.h"
#include "data/csv.h"
#include "data/delimiters.h"
#include "data/number.h"
#include "data/plain_numbers.h"

namespace argosy::data {
namespace {

// Places of delimiters take four bytes for each byte of text; a longer block is one giant row.
constexpr size_t kPlainBytesMax = 1 << 20;

// A field without the spaces and tabs around it.
std::string_view Trimmed(const char* p, const char* end) {
  p = SkipCsvSpaces(p, end);
  while (end != p && (end[-1] == ' ' || end[-1] == '\t')) --end;
  return {p, static_cast<size_t>(end - p)};
}

}  // namespace

RowShape TableLayout::shape() const {
  RowShape shape;
  for (const ColumnKind kind : columns) (kind == ColumnKind::kNumeric ? shape.numeric : shape.categorical) += 1;
  return shape;
}

std::string NumberFault(std::string_view text) {
  const ParsedNumber number = ParseNumber(text.data(), text.data() + text.size());
  if (number.end != nullptr && number.end == text.data() + text.size()) {
    if (std::abs(number.value) <= kFloatMax) return "";
    return "'" + CsvExcerpt(text) + "' is too large for a 32-bit floating-point number";
  }
  std::string_view word = text;
  if (word.starts_with('-') || word.starts_with('+')) word.remove_prefix(1);
  const bool infinite = EqualsIgnoreCase(word, "inf") || EqualsIgnoreCase(word, "infinity");
  return "'" + CsvExcerpt(text) + (infinite ? "' is not a finite number" : "' is not a number");
}

std::string LabelFault(const TableLayout& layout, std::string_view text, double value) {
  if (!(std::abs(value) <= kFloatMax)) return "label '" + CsvExcerpt(text) + "' is not a number";
  if (layout.label_kind == LabelKind::kClassNumber &&
      !(value >= 0 && value < layout.class_count && value == std::floor(value))) {
    return "label '" + CsvExcerpt(text) + "' is not an integer between 0 and " + std::to_string(layout.class_count - 1);
  }
  return "";
}

TableParser::TableParser(const TableLayout& layout, CategoryDictionary& dictionary, UnknownCategories unknown)
    : layout_(layout), shape_(layout.shape()), dictionary_(dictionary), unknown_(unknown) {
  for (const ColumnKind kind : layout.columns) {
    roles_.push_back(kind == ColumnKind::kNumeric ? Role::kNumeric : Role::kCategorical);
  }
  if (layout.label_kind != LabelKind::kNone) {
    Check(layout.label_position <= roles_.size(), "label outside the table");
    roles_.insert(roles_.begin() + static_cast<ptrdiff_t>(layout.label_position), Role::kLabel);
  }
  numeric_runs_.resize(roles_.size());
  for (size_t column = roles_.size(); column-- > 0;) {
    const size_t behind = column + 1 < roles_.size() ? numeric_runs_[column + 1] : 0;
    numeric_runs_[column] = roles_[column] == Role::kNumeric ? behind + 1 : 0;
  }
  const size_t collected = layout.shape().categorical + (layout.label_kind == LabelKind::kText ? 1 : 0);
  Check(dictionary.columns() >= collected, "dictionary lacks columns");
  last_.resize(collected);
}

Status TableParser::Parse(const RecordBlock& block, std::string_view file_name, FirstLine first_line, RowBlock& rows) {
  rows.Clear();
  bytes_ = block.bytes;
  // Without a quote every comma divides fields, and all of them can be found ahead.
  const bool plain = bytes_.size() <= kPlainBytesMax && bytes_.find('"') == std::string_view::npos;
  if (plain) delimiters_.Find(bytes_);
  const uint32_t* delimiter = plain ? delimiters_.begin() : nullptr;
  const char* p = bytes_.data();
  const char* const end = p + bytes_.size();
  uint64_t line = block.first_record;
  bool names = first_line == FirstLine::kNames;
  while (p != end) {
    // The common case first: a whole row of plain fields.
    const char* next = plain && !names ? ParsePlainLine(p, delimiter, rows) : nullptr;
    if (next == nullptr) {
      const CsvLine text = ReadCsvLine(p, end);
      next = text.next;
      if (plain) {
        while (delimiter != delimiters_.end() && bytes_.data() + *delimiter < next) ++delimiter;
      }
      if (SkipCsvSpaces(p, text.end) == text.end) {
        p = next;
        ++line;
        continue;
      }
      if (names) {
        names = false;
        p = next;
        ++line;
        continue;
      }
      if (Status parsed = ParseLine(p, text.end, rows); !parsed) {
        const Error error = parsed.error().Wrap("file '" + std::string(file_name) + "', line " + std::to_string(line));
        if (bad_ == nullptr || !bad_->Skip(error, block.index)) return error;
        TakeBack(rows);
        p = next;
        ++line;
        continue;
      }
    }
    if (layout_.label_kind == LabelKind::kNone) rows.labels.push_back(0);
    if (++rows.rows == 1) {
      // The first row's length foretells the number of rows.
      const size_t expected = bytes_.size() / static_cast<size_t>(next - p) + 16;
      rows.numeric.reserve(expected * shape_.numeric);
      rows.categories.reserve(expected * shape_.categorical);
      rows.labels.reserve(expected);
    }
    p = next;
    ++line;
  }
  return {};
}

// Reads the row that begins at `p`, whose fields end at `delimiter` and on; moves `delimiter` behind them and gives the
// next row's beginning. Null when the row is not as expected: it is then as if it had not been looked at, and ParseLine
// reads it or says what is wrong.
const char* TableParser::ParsePlainLine(const char* p, const uint32_t*& delimiter, RowBlock& rows) {
  const char* const base = bytes_.data();
  const char* const end = base + bytes_.size();
  // The row has as many fields as it should when its last delimiter is its first line end.
  const size_t width = roles_.size();
  const void* const newline = std::memchr(p, '\n', static_cast<size_t>(end - p));
  const char* const line_end = newline == nullptr ? end : static_cast<const char*>(newline);
  if (delimiter + width > delimiters_.end() || base + delimiter[width - 1] != line_end) return nullptr;
  const char* const text_end = line_end != p && line_end[-1] == '\r' ? line_end - 1 : line_end;
  if (width == 1 && Trimmed(p, text_end).empty()) return nullptr;  // a blank line is no row
  const uint64_t unseen_before = unseen_;
  rows.numeric.resize((rows.rows + 1) * shape_.numeric);
  float* out = rows.numeric.data() + rows.rows * shape_.numeric;
  const uint32_t* at = delimiter;
  auto begin = static_cast<uint32_t>(p - base);
  size_t categorical = 0;
  bool good = true;
  for (size_t column = 0; good && column < width;) {
    // Runs of numbers are read by a loop of their own, but for the last column, which may end in a carriage return, and
    // for the first bytes of a block.
    const size_t run = std::min(numeric_runs_[column], width - 1 - column);
    if (run > 0 && *at >= sizeof(uint64_t)) {
      const size_t read = ParsePlainFields(base, at, run, out);
      column += read;
      out += read;
      at += read;
      if (read > 0) begin = at[-1] + 1;
      if (read == run) continue;
    }
    const char* const stop = column + 1 == width ? text_end : base + *at;
    const std::string_view text = Trimmed(base + begin, stop);
    if (roles_[column] == Role::kNumeric) {
      good = ReadNumeric(text, column, *out++).ok();
    } else if (roles_[column] == Role::kCategorical) {
      good = AppendCategory(text, column, categorical++, rows).ok();
    } else {
      good = AppendLabel(text, column, rows).ok();
    }
    ++column;
    begin = *at++ + 1;
  }
  if (good) {
    delimiter = at;
    return line_end == end ? end : line_end + 1;
  }
  TakeBack(rows);
  unseen_ = unseen_before;
  return nullptr;
}

Status TableParser::ParseLine(const char* p, const char* end, RowBlock& rows) {
  size_t column = 0;
  size_t categorical = 0;
  const size_t width = roles_.size();
  while (true) {
    if (column == width) {
      size_t found = width;
      for (std::string scratch; p != nullptr; ++found) {
        const CsvField field = ReadCsvField(p, end, scratch);
        p = field.next == nullptr || field.next == end ? nullptr : field.next + 1;
      }
      return Error(ErrorCode::kInvalidArgument, "the row has " + std::to_string(found) + " columns where " +
                                                    std::to_string(width) + " are expected");
    }
    const CsvField field = ReadCsvField(p, end, scratch_);
    if (field.next == nullptr) {
      return At(column, "'" + CsvExcerpt(std::string_view(p, static_cast<size_t>(end - p))) +
                            "' has a quote that is not closed, or text behind the closing one");
    }
    if (Status appended = AppendField(field.text, column, categorical, rows); !appended) return appended;
    ++column;
    if (field.next == end) break;
    p = field.next + 1;
  }
  if (column != width) {
    return Error(ErrorCode::kInvalidArgument,
                 "the row has " + std::to_string(column) + " columns where " + std::to_string(width) + " are expected");
  }
  return {};
}

Status TableParser::AppendField(std::string_view text, size_t column, size_t& categorical, RowBlock& rows) {
  switch (roles_[column]) {
    case Role::kNumeric: {
      float value = 0;
      Status read = ReadNumeric(text, column, value);
      rows.numeric.push_back(value);
      return read;
    }
    case Role::kCategorical:
      return AppendCategory(text, column, categorical++, rows);
    case Role::kLabel:
      return AppendLabel(text, column, rows);
  }
  return {};
}

void TableParser::TakeBack(RowBlock& rows) const {
  rows.numeric.resize(rows.rows * shape_.numeric);
  rows.categories.resize(rows.rows * shape_.categorical);
  rows.labels.resize(rows.rows);
}

Status TableParser::AppendRow(std::span<const std::string_view> fields, RowBlock& rows) {
  if (fields.size() != roles_.size()) {
    return Error(ErrorCode::kInvalidArgument, "the row has " + std::to_string(fields.size()) + " columns where " +
                                                  std::to_string(roles_.size()) + " are expected");
  }
  size_t categorical = 0;
  for (size_t column = 0; column < fields.size(); ++column) {
    if (Status appended = AppendField(fields[column], column, categorical, rows); !appended) {
      TakeBack(rows);
      return appended;
    }
  }
  if (layout_.label_kind == LabelKind::kNone) rows.labels.push_back(0);
  ++rows.rows;
  return {};
}

Status TableParser::ReadNumeric(std::string_view text, size_t column, float& value) const {
  if (IsMissingText(text)) {
    if (layout_.missing == MissingValues::kRefuse) {
      return At(column, (text.empty() ? "" : "'" + std::string(text) + "': ") +
                            "the value is missing (argosy_missing=mean would put the column's mean there)");
    }
    value = std::numeric_limits<float>::quiet_NaN();
    return {};
  }
  const ParsedNumber number = ParseNumber(text.data(), text.data() + text.size());
  if (number.end != text.data() + text.size() || std::abs(number.value) > kFloatMax) {
    return At(column, NumberFault(text));
  }
  value = static_cast<float>(number.value);
  return {};
}

Status TableParser::AppendCategory(std::string_view text, size_t column, size_t categorical, RowBlock& rows) {
  Last& last = last_[categorical];
  if (!last.valid || last.text != text) {
    uint32_t number = kUnseenCategory;
    if (unknown_ == UnknownCategories::kAdd) {
      const auto added = dictionary_.FindOrAdd(categorical, text);
      if (!added) return At(column, "'" + CsvExcerpt(text) + "': " + added.error().message());
      number = *added;
    } else {
      number = dictionary_.Find(categorical, text);
    }
    last.text.assign(text);
    last.number = number;
    last.valid = true;
  }
  if (last.number == kUnseenCategory) ++unseen_;
  rows.categories.push_back(last.number);
  return {};
}

Status TableParser::AppendLabel(std::string_view text, size_t column, RowBlock& rows) {
  if (layout_.label_kind == LabelKind::kIgnored) {
    rows.labels.push_back(0);
    return {};
  }
  const auto missing = [&] {
    return At(column, (text.empty() ? "" : "'" + std::string(text) + "': ") + "the label is missing");
  };
  if (layout_.label_kind == LabelKind::kEncoded) {
    if (IsMissingLabel(text) && !layout_.label.Names(text)) return missing();
    const auto number = layout_.label.Find(text);
    if (!number) return At(column, "label '" + CsvExcerpt(text) + "' belongs to no class");
    rows.labels.push_back(static_cast<float>(*number));
    return {};
  }
  if (layout_.label_kind == LabelKind::kText) {
    Last& last = last_.back();
    if (!last.valid || last.text != text) {
      if (IsMissingLabel(text)) return missing();
      const auto added = dictionary_.FindOrAdd(last_.size() - 1, text);
      if (!added) return At(column, "'" + CsvExcerpt(text) + "': " + added.error().message());
      last = {std::string(text), *added, true};
    }
    rows.labels.push_back(static_cast<float>(last.number));
    return {};
  }
  const ParsedNumber number = ParseNumber(text.data(), text.data() + text.size());
  const bool whole = number.end != nullptr && number.end == text.data() + text.size();
  const std::string fault = LabelFault(layout_, text, whole ? number.value : std::numeric_limits<double>::quiet_NaN());
  if (!fault.empty()) return IsMissingLabel(text) ? missing() : At(column, fault);
  rows.labels.push_back(static_cast<float>(number.value));
  return {};
}

Error TableParser::At(size_t column, std::string_view what) const {
  std::string place = "column " + std::to_string(column + 1);
  const bool has_label = layout_.label_kind != LabelKind::kNone;
  if (!layout_.names.empty() && !(has_label && column == layout_.label_position)) {
    const size_t feature = has_label && column > layout_.label_position ? column - 1 : column;
    if (feature < layout_.names.size() && !layout_.names[feature].empty()) {
      place += " ('" + CsvExcerpt(layout_.names[feature]) + "')";
    }
  }
  return Error(ErrorCode::kInvalidArgument, place + ": " + std::string(what));
}

}  // namespace argosy::data
