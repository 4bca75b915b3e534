#include "algorithms/table_faults.h"

#include <algorithm>
#include <utility>

#include "algorithms/hyperparameters.h"
#include "base/bytes.h"
#include "data/csv.h"
#include "data/table_parser.h"
#include "data/table_probe.h"

namespace argosy::algorithms {
namespace {

// What argosy_categorical and argosy_label take.
std::string Reference(const TableSummary& table, size_t column) {
  if (table.names.empty()) return std::to_string(column);
  const std::string& name = table.names[column];
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
  return plain && name != "auto" ? name : std::to_string(column);
}

std::string Odd(const ColumnSummary& column) {
  std::string what = data::NumberFault(column.odd().text);
  if (column.numbers() > 0) what += ", and " + std::to_string(column.numbers()) + " others of the column are";
  return what;
}

// The columns that argosy_categorical names; nothing when the user leaves it open which they are.
Result<std::optional<std::vector<size_t>>> GivenCategorical(const TableSummary& table, const Hyperparameters& given) {
  std::vector<size_t> columns;
  const auto at = given.find("argosy_categorical");
  if (at == given.end()) return std::optional<std::vector<size_t>>();
  bool open = false;
  const auto names = data::SplitCsvLine(Trim(at->second));
  if (!names) return InvalidHyperparameter("argosy_categorical", at->second, "a quote is not closed");
  for (const std::string& name : *names) {
    open = open || name == "auto";
    if (name == "auto" || name.empty()) continue;
    const auto column = data::FindColumn(name, table.names, table.columns.size(), "argosy_categorical");
    if (!column) return column.error();
    columns.push_back(*column);
  }
  if (!open) return std::optional(std::move(columns));
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].text()) columns.push_back(i);
  }
  return std::optional(std::move(columns));
}

void AddLabelFaults(const TableSummary& table, size_t label, const Hyperparameters& given,
                    std::vector<TableFault>& faults) {
  const ColumnSummary& column = table.columns[label];
  const auto map = given.find("argosy_label_map");
  const bool mapped = map != given.end() && !Trim(map->second).empty();
  const Result<data::LabelEncoding> encoding =
      mapped && map->second != "auto" ? data::ParseLabelMap(map->second) : Result(data::LabelEncoding());
  for (const auto& [text, place] : column.missing_places()) {
    if (!data::IsMissingLabel(text) || (encoding.ok() && encoding->Names(text))) continue;
    faults.push_back({.column = label,
                      .line = place.line,
                      .count = place.count,
                      .what = (text.empty() ? "" : "'" + text + "': ") + std::string("the label is missing"),
                      .remedy = {}});
  }
  const auto type = given.find("predictor_type");
  const bool regression = type != given.end() && type->second == "regressor";
  if (column.odd().count == 0 || mapped || (column.text() && !regression)) return;
  faults.push_back({.column = label,
                    .line = column.odd().line,
                    .count = column.odd().count,
                    .what = "label " + Odd(column),
                    .remedy = regression ? "" : "--set argosy_label_map=auto takes each text for a class"});
}

// "line 4, column 3 ('width'): 'x16' is not a number, and 199 others of the column are"
std::string Tell(const TableSummary& table, const TableFault& fault) {
  return "line " + std::to_string(fault.line) + ", " + table.NameOf(fault.column) + ": " + fault.what;
}

}  // namespace

uint64_t BadRecordsMax(const Hyperparameters& given) {
  const auto at = given.find(std::string(declare::kBadRecordsMax));
  const auto number = at == given.end() ? std::nullopt : ParseInt(Trim(at->second));
  return number && *number > 0 ? static_cast<uint64_t>(*number) : 0;
}

Result<std::vector<TableFault>> LabelledTableFaults(const TableSummary& table, size_t label,
                                                    const Hyperparameters& given) {
  std::vector<TableFault> faults;
  AddLabelFaults(table, label, given, faults);
  const auto named = GivenCategorical(table, given);
  if (!named) return named.error();
  // The columns of text beside the one that would be text, too.
  std::string categorical;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const bool text = *named ? std::ranges::find(**named, i) != (*named)->end() : table.columns[i].text();
    if (text && i != label) categorical += Reference(table, i) + ",";
  }
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnSummary& column = table.columns[i];
    if (i == label || column.odd().count == 0) continue;
    if (*named ? std::ranges::find(**named, i) != (*named)->end() : column.text()) continue;
    faults.push_back({.column = i,
                      .line = column.odd().line,
                      .count = column.odd().count,
                      .what = Odd(column),
                      .remedy = "--set argosy_categorical=" + categorical + Reference(table, i) +
                                " takes the column for categories"});
  }
  return faults;
}

std::vector<TableFault> UnlabelledTableFaults(const TableSummary& table, std::optional<size_t> label,
                                              std::string_view algorithm) {
  std::vector<TableFault> faults;
  size_t texts = 0;
  for (size_t i = 0; i < table.columns.size(); ++i) texts += i != label && table.columns[i].text() ? 1 : 0;
  const bool can_name = !label && texts < 2;  // --label names one column
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (i == label) continue;
    const ColumnSummary& column = table.columns[i];
    if (column.odd().count > 0) {
      faults.push_back({.column = i,
                        .line = column.odd().line,
                        .count = column.odd().count,
                        .what = Odd(column) + "; " + std::string(algorithm) + " takes numbers only",
                        .remedy = can_name ? "--label " + Reference(table, i) + " leaves the column out"
                                           : "take the columns of text out of the file"});
    }
    for (const auto& [text, place] : column.missing_places()) {
      faults.push_back({.column = i,
                        .line = place.line,
                        .count = place.count,
                        .what = (text.empty() ? "" : "'" + text + "': ") + std::string("the value is missing; ") +
                                std::string(algorithm) + " needs all of them",
                        .remedy = {}});
    }
  }
  return faults;
}

Result<std::string> JudgeFaults(const TableSummary& table, const std::vector<TableFault>& faults,
                                const Hyperparameters& given) {
  if (faults.empty() && table.broken == 0) return std::string();
  const auto first =
      std::ranges::min_element(faults, {}, [](const TableFault& fault) { return std::pair(fault.line, fault.column); });
  const std::string told = first == faults.end() ? table.first_broken : Tell(table, *first);
  const uint64_t max = BadRecordsMax(given);
  uint64_t values = 0;
  uint64_t rows = 0;  // at least: a row may have several odd values, but one in a column
  for (size_t i = 0; i < faults.size();) {
    uint64_t in_column = 0;
    for (const size_t column = faults[i].column; i < faults.size() && faults[i].column == column; ++i) {
      in_column += faults[i].count;
    }
    values += in_column;
    rows = std::max(rows, in_column);
  }
  const std::string option(declare::kBadRecordsMax);
  if (max > 0 && table.broken + rows > max) {
    return Invalid("more than " + std::to_string(max) + " records (" + option + ") cannot be read, the first: " + told);
  }
  if (max > 0) {
    return "Rows that cannot be read are left out, at most " + std::to_string(max) + " (" + option + "); one is " +
           told + ".";
  }
  std::string message = told;
  if (values > 1) message += " (" + std::to_string(values) + " values are odd)";
  const bool remedied = first != faults.end() && !first->remedy.empty();
  // A whole column of text is no slip of the pen.
  if (remedied && table.columns[first->column].text()) return Invalid(message + "; " + first->remedy);
  message += "; mend it, or --set " + option + "=N leaves up to N such rows out";
  return Invalid(remedied ? message + ", or " + first->remedy : message);
}

}  // namespace argosy::algorithms
