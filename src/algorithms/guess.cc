#include "algorithms/guess.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "base/bytes.h"
#include "data/byte_source.h"
#include "data/csv.h"
#include "data/format.h"
#include "data/libsvm.h"
#include "data/number.h"
#include "data/record_reader.h"
#include "data/table_probe.h"

namespace argosy::algorithms {
namespace {

// Text looked at. Sorted files show some labels only at the end, so this is as much as a second or so allows.
constexpr uint64_t kScanBytesMax = 256 << 20;
// Different values told apart in a column; more than these are no classes.
constexpr size_t kDistinctMax = 1000;
// Lines looked at for a header.
constexpr size_t kHeaderLines = 100;
// Integer labels are classes when each occurs this often on average, and are not more than this many.
constexpr uint64_t kRowsPerClassMin = 10;
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

struct ColumnSummary {
  bool numeric = true;  // all that is not missing
  bool integer = true;
  uint64_t missing = 0;
  std::set<std::string, std::less<>> distinct;  // up to kDistinctMax + 1
  std::string last;                             // runs of one value need no look-up
  std::set<std::string, std::less<>> marks;     // what stood for a missing value, if the column is numeric

  std::bitset<256> small;  // integers seen: pixels, counts and flags need no look-up by text

  void Add(std::string_view text) {
    if (const auto number = SmallInteger(text)) {
      if (small.test(*number)) return;
      small.set(*number);
    }
    if (data::IsMissingText(text)) {
      ++missing;
      if (!text.empty() && !marks.contains(text)) marks.emplace(text);
      return;
    }
    if (text == last) return;
    last.assign(text);
    if (numeric) {
      const data::ParsedNumber number = data::ParseNumber(text.data(), text.data() + text.size());
      numeric = number.end == text.data() + text.size();
      integer = integer && numeric && number.value == std::floor(number.value);
    }
    if (distinct.size() <= kDistinctMax && !distinct.contains(text)) distinct.emplace(text);
  }
  // All values have been seen. In a column of text NA and ? are texts like others.
  void Finish() {
    if (numeric || distinct.size() > kDistinctMax) return;
    distinct.merge(marks);
  }
  bool text() const { return !numeric; }
  // Integers 0, 1, … without gaps, at least two.
  bool CountsFromZero() const {
    if (!numeric || !integer || distinct.size() < 2 || distinct.size() > kIntegerClassesMax) return false;
    return std::all_of(distinct.begin(), distinct.end(), [&](const std::string& value) {
      const auto number = ParseDouble(value);
      return number && *number >= 0 && *number < static_cast<double>(distinct.size());
    });
  }
};

struct TableSummary {
  bool header = false;
  std::vector<std::string> names;
  std::vector<ColumnSummary> columns;
  uint64_t rows = 0;
};

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

Result<TableSummary> Summarize(const data::InputFile& file, const std::string& header_option) {
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
      if (lines.empty()) {
        recycled = std::move(text);
        continue;
      }
      table.header = header_option == "true" || (header_option != "false" && data::LooksLikeHeader(lines));
      if (table.header) table.names = lines.front();
      names_pending = table.header;
      table.columns.resize(lines.front().size());
    }
    while (p != end) {
      const data::CsvLine line = data::ReadCsvLine(p, end);
      const char* q = p;
      p = line.next;
      ++line_number;
      if (data::SkipCsvSpaces(q, line.end) == line.end) continue;
      if (names_pending) {
        names_pending = false;
        continue;
      }
      size_t column = 0;
      while (true) {
        const data::CsvField field = data::ReadCsvField(q, line.end, scratch);
        if (field.next == nullptr) {
          return Invalid("line " + std::to_string(line_number) + ": a quote that is not closed");
        }
        if (column < table.columns.size()) table.columns[column].Add(field.text);
        ++column;
        if (field.next == line.end) break;
        q = field.next + 1;
      }
      if (column != table.columns.size()) {
        return Invalid("line " + std::to_string(line_number) + " has " + std::to_string(column) +
                       " columns where the first has " + std::to_string(table.columns.size()));
      }
      ++table.rows;
    }
    recycled = std::move(text);
  }
  if (table.rows == 0) return Invalid("the file has no rows");
  if (table.columns.size() < 2) {
    const auto divides = [&](char c) { return table.columns[0].last.find(c) != std::string::npos; };
    return Invalid("the file has one column: a label and at least one feature are needed" +
                   std::string(divides(';')    ? "; fields are divided by commas, not by semicolons"
                               : divides('\t') ? "; fields are divided by commas, not by tabs"
                                               : ""));
  }
  for (ColumnSummary& column : table.columns) column.Finish();
  return table;
}

struct LabelChoice {
  size_t column;
  std::string why;
};

LabelChoice ChooseLabel(const TableSummary& table) {
  for (const char* name : {"label", "class", "target", "y"}) {
    for (size_t i = 0; i < table.names.size(); ++i) {
      if (EqualsIgnoreCase(table.names[i], name)) return {i, "by its name"};
    }
  }
  const ColumnSummary& first = table.columns.front();
  const ColumnSummary& last = table.columns.back();
  if (last.text()) return {table.columns.size() - 1, "it is the last and holds text"};
  if (first.text()) return {table.columns.size() - 1, "it is the last, and the first holds text"};
  if (!first.CountsFromZero() && last.CountsFromZero()) {
    return {table.columns.size() - 1, "it is the last and holds class numbers"};
  }
  return {0, "it is the first, as SageMaker has it"};
}

std::string NameOf(const TableSummary& table, size_t column) {
  std::string name = "column " + std::to_string(column + 1);
  if (!table.names.empty()) name += " ('" + table.names[column] + "')";
  return name;
}

void GuessPredictor(const TableSummary& table, const ColumnSummary& label, const Hyperparameters& given, Guess& guess) {
  const auto set = [&](const std::string& name, const std::string& value) {
    if (!given.contains(name)) guess.hyperparameters[name] = value;
  };
  const bool mapped = given.contains("argosy_label_map");
  if (given.contains("predictor_type")) {
    const std::string& type = given.at("predictor_type");
    if (type == "multiclass_classifier" && label.distinct.size() == 2 && !given.contains("num_classes")) {
      guess.sentences.push_back("The label has only 2 different values: a binary_classifier is meant for that.");
    }
    if (type != "regressor" && label.text() && !mapped) set("argosy_label_map", "auto");
    if (type == "multiclass_classifier" && !label.text() && !mapped && label.CountsFromZero() &&
        label.distinct.size() > 2) {
      set("num_classes", std::to_string(label.distinct.size()));
    }
    return;
  }
  if (mapped) {
    const auto encoding = data::ParseLabelMap(given.at("argosy_label_map"));
    const size_t classes =
        given.at("argosy_label_map") == "auto" || !encoding ? label.distinct.size() : encoding->classes.size();
    set("predictor_type", classes == 2 ? "binary_classifier" : "multiclass_classifier");
    guess.sentences.push_back("predictor_type is " + guess.hyperparameters["predictor_type"] + ": the label map has " +
                              std::to_string(classes) + " classes.");
    return;
  }
  const size_t distinct = label.distinct.size();
  const std::string count =
      distinct > kDistinctMax ? "more than " + std::to_string(kDistinctMax) : std::to_string(distinct);
  const bool few = distinct <= kDistinctMax && table.rows >= kRowsPerClassMin * distinct;
  const bool classes = label.text() || distinct == 2 || (label.CountsFromZero() && few);
  if (!classes) {
    set("predictor_type", "regressor");
    guess.sentences.push_back("predictor_type is regressor: the label is a number with " + count +
                              " different values.");
    return;
  }
  const bool numbered = label.CountsFromZero();
  set("predictor_type", distinct == 2 ? "binary_classifier" : "multiclass_classifier");
  guess.sentences.push_back("predictor_type is " + guess.hyperparameters["predictor_type"] + ": the label has " +
                            count + " different values.");
  if (!numbered) {
    set("argosy_label_map", "auto");
    guess.sentences.push_back("argosy_label_map is auto: each of the label's values is a class.");
  } else if (distinct > 2) {
    set("num_classes", std::to_string(distinct));
  }
}

}  // namespace

Result<Guess> InferLinearHyperparameters(const data::InputFile& file, const GuessOptions& options) {
  const Hyperparameters& given = options.given;
  const auto header = given.find("argosy_header");
  auto summary = Summarize(file, header == given.end() ? "auto" : header->second);
  if (!summary) return summary.error().Wrap("'" + file.name + "'");
  const TableSummary& table = *summary;
  Guess guess;
  const auto set = [&](const std::string& name, const std::string& value) {
    if (!given.contains(name)) guess.hyperparameters[name] = value;
  };
  if (table.header && header == given.end()) {
    set("argosy_header", "true");
    guess.sentences.push_back("The first line holds column names.");
  }
  LabelChoice label{0, ""};
  if (const auto at = given.find("argosy_label"); at != given.end()) {
    auto column = data::FindColumn(Trim(at->second), table.names, table.columns.size(), "argosy_label");
    if (!column) return column.error();
    label.column = *column;
  } else {
    label = ChooseLabel(table);
    if (label.column != 0) set("argosy_label", std::to_string(label.column));
    guess.sentences.push_back("The label is " + NameOf(table, label.column) + ": " + label.why + ".");
  }
  if (table.rows == 1 && !table.header) {
    return Invalid("'" + file.name +
                   "' has one line: column names without rows, or one row, from which nothing can be learnt");
  }
  if (table.columns[label.column].missing == table.rows) {
    return Invalid("'" + file.name + "': the label, " + NameOf(table, label.column) +
                   ", is empty in every row; name another with argosy_label (argosy train --label)");
  }
  GuessPredictor(table, table.columns[label.column], given, guess);

  const size_t features = table.columns.size() - 1;
  set("feature_dim", std::to_string(features));
  guess.sentences.push_back("There are " + std::to_string(features) + " feature columns.");
  std::string text_columns;
  std::string text_positions;
  uint64_t missing = 0;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (i == label.column) continue;
    const ColumnSummary& column = table.columns[i];
    if (column.text()) {
      text_positions += (text_positions.empty() ? "" : ",") + std::to_string(i);
      text_columns += (text_columns.empty() ? "" : ", ") + NameOf(table, i);
    } else {
      missing += column.missing;
    }
  }
  if (!text_positions.empty() && !given.contains("argosy_categorical")) {
    set("argosy_categorical", text_positions);
    guess.sentences.push_back("Text is encoded one feature per category: " + text_columns + ".");
  }
  if (missing > 0 && !given.contains("argosy_missing")) {
    set("argosy_missing", "mean");
    guess.sentences.push_back(std::to_string(missing) +
                              " numeric fields are empty: each stands for its column's mean.");
  }
  return guess;
}

namespace {

// All columns are features, unless the user has said how many there are.
Result<Guess> InferWidth(const data::InputFile& file, const GuessOptions& options) {
  Guess guess;
  if (options.given.contains("feature_dim")) return guess;
  auto table = Summarize(file, "false");
  if (!table) return table.error().Wrap("'" + file.name + "'");
  const std::string columns = std::to_string(table->columns.size());
  guess.hyperparameters["feature_dim"] = columns;
  guess.sentences.push_back("There are " + columns + " feature columns, none of them a label.");
  return guess;
}

// What XGBoost calls the kinds of predictors.
constexpr std::pair<std::string_view, std::string_view> kObjectives[] = {{"regressor", "reg:squarederror"},
                                                                         {"binary_classifier", "binary:logistic"},
                                                                         {"multiclass_classifier", "multi:softmax"}};
constexpr const char* kRounds = "100";

bool IsLibsvm(const data::InputFile& file) {
  const auto source = data::OpenByteSource(file, data::Compression::kAuto);
  if (!source) return false;
  std::array<char, 4096> head{};
  const auto n = (*source)->Read(head);
  return n && data::LooksLikeLibsvm(std::string_view(head.data(), *n));
}

// As for the linear learner, in XGBoost's words.
Result<Guess> InferXGBoostHyperparameters(const data::InputFile& file, const GuessOptions& options) {
  Guess guess;
  const auto rounds = [&] {
    if (options.given.contains("num_round")) return;
    guess.hyperparameters["num_round"] = kRounds;
    guess.sentences.push_back(std::string("num_round is ") + kRounds + ".");
  };
  if (IsLibsvm(file)) {
    guess.content_type = "text/libsvm";
    guess.sentences.push_back("The data is LIBSVM's sparse text.");
    rounds();
    return guess;
  }
  GuessOptions linear = options;
  const auto objective = options.given.find("objective");
  if (objective != options.given.end()) {
    const std::string& name = objective->second;
    linear.given["predictor_type"] = name.starts_with("multi:")    ? "multiclass_classifier"
                                     : name.starts_with("binary:") ? "binary_classifier"
                                                                   : "regressor";
  }
  if (const auto classes = options.given.find("num_class"); classes != options.given.end()) {
    linear.given["num_classes"] = classes->second;
  }
  linear.given.emplace("argosy_missing", "");  // an empty field is nothing to guess about
  auto found = InferLinearHyperparameters(file, linear);
  if (!found) return found;
  guess = std::move(*found);
  guess.hyperparameters.erase("feature_dim");
  if (auto node = guess.hyperparameters.extract("num_classes"); !node.empty()) {
    guess.hyperparameters["num_class"] = node.mapped();
  }
  if (auto node = guess.hyperparameters.extract("predictor_type"); !node.empty()) {
    for (const auto& [type, name] : kObjectives) {
      if (type == node.mapped()) guess.hyperparameters["objective"] = name;
    }
  }
  for (std::string& sentence : guess.sentences) {
    for (const auto& [type, name] : kObjectives) {
      const std::string told = "predictor_type is " + std::string(type);
      if (sentence.starts_with(told)) sentence.replace(0, told.size(), "objective is " + std::string(name));
    }
    constexpr std::string_view kEncoded = "Text is encoded one feature per category";
    if (sentence.starts_with(kEncoded)) sentence.replace(0, kEncoded.size(), "Text is numbered by category");
  }
  rounds();
  return guess;
}

Result<Guess> Infer(std::string_view algorithm, const data::InputFile& file, const GuessOptions& options) {
  if (algorithm == "linear-learner") return InferLinearHyperparameters(file, options);
  if (algorithm == "xgboost") return InferXGBoostHyperparameters(file, options);
  if (algorithm != "kmeans" && algorithm != "pca") return Guess();
  auto guess = InferWidth(file, options);
  if (guess && algorithm == "pca" && !options.given.contains("mini_batch_size")) {
    guess->hyperparameters["mini_batch_size"] = "500";  // required, and of no effect
  }
  return guess;
}

}  // namespace

Result<Guess> InferHyperparameters(std::string_view algorithm, const data::InputFile& file,
                                   const GuessOptions& options) {
  if (!data::IsParquet(file.path)) return Infer(algorithm, file, options);
  GuessOptions with_names = options;
  with_names.given["argosy_header"] = "true";
  auto guess = Infer(algorithm, file, with_names);
  if (!guess) return guess;
  guess->content_type = data::MediaTypeOf(data::Format::kParquet);
  guess->sentences.insert(guess->sentences.begin(), "The data is Parquet.");
  if (algorithm == "linear-learner" || algorithm == "xgboost") guess->hyperparameters["argosy_header"] = "true";
  return guess;
}

}  // namespace argosy::algorithms
