#include "data/table_parser.h"

#include <cmath>
#include <limits>

#include "data/csv.h"
#include "data/number.h"

namespace argosy::data {
namespace {

// The largest double that rounds to a finite float.
constexpr double kFloatMax = std::numeric_limits<float>::max();

bool IsMissing(std::string_view text) {
  return text.empty();
}

}  // namespace

RowShape TableLayout::shape() const {
  RowShape shape;
  for (const ColumnKind kind : columns) (kind == ColumnKind::kNumeric ? shape.numeric : shape.categorical) += 1;
  return shape;
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
    : layout_(layout), dictionary_(dictionary), unknown_(unknown) {
  for (const ColumnKind kind : layout.columns) {
    roles_.push_back(kind == ColumnKind::kNumeric ? Role::kNumeric : Role::kCategorical);
  }
  if (layout.label_kind != LabelKind::kNone) {
    Check(layout.label_position <= roles_.size(), "label outside the table");
    roles_.insert(roles_.begin() + static_cast<ptrdiff_t>(layout.label_position), Role::kLabel);
  }
  const size_t collected = layout.shape().categorical + (layout.label_kind == LabelKind::kText ? 1 : 0);
  Check(dictionary.columns() >= collected, "dictionary lacks columns");
  last_.resize(collected);
}

Result<RowBlock> TableParser::Parse(const RecordBlock& block, std::string_view file_name, FirstLine first_line) {
  RowBlock rows;
  const RowShape shape = layout_.shape();
  const char* p = block.bytes.data();
  const char* const end = p + block.bytes.size();
  uint64_t line = block.first_record;
  bool names = first_line == FirstLine::kNames;
  while (p != end) {
    const CsvLine text = ReadCsvLine(p, end);
    if (SkipCsvSpaces(p, text.end) != text.end) {
      if (names) {
        names = false;
      } else {
        if (Status parsed = ParseLine(p, text.end, rows); !parsed) {
          return parsed.error().Wrap("file '" + std::string(file_name) + "', line " + std::to_string(line));
        }
        if (layout_.label_kind == LabelKind::kNone) rows.labels.push_back(0);
        if (++rows.rows == 1) {
          // The first row's length foretells the number of rows.
          const size_t expected = block.bytes.size() / static_cast<size_t>(text.next - p) + 16;
          rows.numeric.reserve(expected * shape.numeric);
          rows.categories.reserve(expected * shape.categorical);
          rows.labels.reserve(expected);
        }
      }
    }
    p = text.next;
    ++line;
  }
  return rows;
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
    const char* next = nullptr;
    if (roles_[column] == Role::kNumeric) {
      const ParsedNumber number = ParseNumber(SkipCsvSpaces(p, end), end);
      if (number.end != nullptr) {
        next = SkipCsvSpaces(number.end, end);
        if ((next == end || *next == ',') && std::abs(number.value) <= kFloatMax) [[likely]] {
          rows.numeric.push_back(static_cast<float>(number.value));
        } else {
          next = nullptr;
        }
      }
    }
    if (next == nullptr) {
      const CsvField field = ReadCsvField(p, end, scratch_);
      if (field.next == nullptr) {
        return At(column, "'" + CsvExcerpt(std::string_view(p, static_cast<size_t>(end - p))) +
                              "' has a quote that is not closed, or text behind the closing one");
      }
      next = field.next;
      Status appended;
      switch (roles_[column]) {
        case Role::kNumeric:
          appended = AppendNumeric(field.text, column, rows);
          break;
        case Role::kCategorical:
          appended = AppendCategory(field.text, column, categorical, rows);
          break;
        case Role::kLabel:
          appended = AppendLabel(field.text, column, rows);
          break;
      }
      if (!appended) return appended;
    }
    if (roles_[column] == Role::kCategorical) ++categorical;
    ++column;
    if (next == end) break;
    p = next + 1;
  }
  if (column != width) {
    return Error(ErrorCode::kInvalidArgument,
                 "the row has " + std::to_string(column) + " columns where " + std::to_string(width) + " are expected");
  }
  return {};
}

Status TableParser::AppendNumeric(std::string_view text, size_t column, RowBlock& rows) {
  if (IsMissing(text)) {
    if (layout_.missing == MissingValues::kRefuse) {
      return At(column, "the value is missing (argosy_missing=mean would put the column's mean there)");
    }
    rows.numeric.push_back(std::numeric_limits<float>::quiet_NaN());
    return {};
  }
  const ParsedNumber number = ParseNumber(text.data(), text.data() + text.size());
  if (number.end != text.data() + text.size()) {
    return At(column, "'" + CsvExcerpt(text) + "' is not a number");
  }
  if (std::abs(number.value) > kFloatMax) {
    return At(column, "'" + CsvExcerpt(text) + "' is too large for a 32-bit floating-point number");
  }
  rows.numeric.push_back(static_cast<float>(number.value));
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
  if (layout_.label_kind == LabelKind::kEncoded) {
    const auto number = layout_.label.Find(text);
    if (!number) return At(column, "label '" + CsvExcerpt(text) + "' belongs to no class");
    rows.labels.push_back(static_cast<float>(*number));
    return {};
  }
  if (layout_.label_kind == LabelKind::kText) {
    Last& last = last_.back();
    if (!last.valid || last.text != text) {
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
  if (!fault.empty()) return At(column, fault);
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
