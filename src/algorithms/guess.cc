#include "algorithms/guess.h"

#include <algorithm>
#include <array>
#include <optional>

#include "algorithms/table_faults.h"
#include "algorithms/table_summary.h"
#include "base/bytes.h"
#include "data/byte_source.h"
#include "data/csv.h"
#include "data/format.h"
#include "data/libsvm.h"
#include "data/recordio.h"
#include "data/table_probe.h"

namespace argosy::algorithms {
namespace {

// Integer labels are classes when each occurs this often on average.
constexpr uint64_t kRowsPerClassMin = 10;

std::string Given(const Hyperparameters& given, const std::string& name, const std::string& fallback = "") {
  const auto at = given.find(name);
  return at == given.end() ? fallback : std::string(Trim(at->second));
}

std::string Quoted(const data::InputFile& file) {
  return "'" + file.name + "'";
}

Result<TableSummary> Summarize(const data::InputFile& file, const GuessOptions& options) {
  using Broken = SummaryOptions::Broken;
  auto table = SummarizeTable(file, {.header = Given(options.given, "argosy_header", "auto"),
                                     .label = Given(options.given, "argosy_label"),
                                     .broken = BadRecordsMax(options.given) > 0 ? Broken::kPassOver : Broken::kRefuse});
  if (!table) return table.error().Wrap(Quoted(file));
  if (table->columns.size() > 1 || table->columns[0].numeric()) return table;
  const auto divides = [&](char c) { return table->columns[0].last().find(c) != std::string_view::npos; };
  for (const auto& [c, name] : {std::pair(';', "semicolons"), std::pair('\t', "tabs")}) {
    if (!divides(c)) continue;
    return Invalid(Quoted(file) + ": the file has one column: fields are divided by commas, not by " + name);
  }
  return table;
}

// The column that argosy_label names.
Result<size_t> NamedLabel(const TableSummary& table, const std::string& label) {
  return data::FindColumn(label, table.names, table.columns.size(), "argosy_label");
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

void GuessPredictor(const TableSummary& table, const ColumnSummary& label, const Hyperparameters& given, Guess& guess) {
  const auto set = [&](const std::string& name, const std::string& value) {
    if (!given.contains(name)) guess.hyperparameters[name] = value;
  };
  const bool mapped = given.contains("argosy_label_map");
  if (given.contains("predictor_type")) {
    const std::string& type = given.at("predictor_type");
    if (type == "multiclass_classifier" && label.distinct().size() == 2 && !given.contains("num_classes")) {
      guess.sentences.push_back("The label has only 2 different values: a binary_classifier is meant for that.");
    }
    if (type != "regressor" && label.text() && !mapped) set("argosy_label_map", "auto");
    if (type == "multiclass_classifier" && !label.text() && !mapped && label.CountsFromZero() &&
        label.distinct().size() > 2) {
      set("num_classes", std::to_string(label.distinct().size()));
    }
    return;
  }
  if (mapped) {
    const auto encoding = data::ParseLabelMap(given.at("argosy_label_map"));
    const size_t classes =
        given.at("argosy_label_map") == "auto" || !encoding ? label.distinct().size() : encoding->classes.size();
    set("predictor_type", classes == 2 ? "binary_classifier" : "multiclass_classifier");
    guess.sentences.push_back("predictor_type is " + guess.hyperparameters["predictor_type"] + ": the label map has " +
                              std::to_string(classes) + " classes.");
    return;
  }
  const size_t distinct = label.distinct().size();
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

void TellHeader(const TableSummary& table, const Hyperparameters& given, Guess& guess) {
  if (!table.header || given.contains("argosy_header")) return;
  guess.hyperparameters["argosy_header"] = "true";
  guess.sentences.emplace_back("The first line holds column names.");
}

}  // namespace

Result<Guess> InferLinearHyperparameters(const data::InputFile& file, const GuessOptions& options) {
  const Hyperparameters& given = options.given;
  auto summary = Summarize(file, options);
  if (!summary) return summary.error();
  TableSummary& table = *summary;
  if (table.columns.size() < 2) {
    return Invalid(Quoted(file) + ": the file has one column: a label and at least one feature are needed");
  }
  Guess guess;
  const auto set = [&](const std::string& name, const std::string& value) {
    if (!given.contains(name)) guess.hyperparameters[name] = value;
  };
  TellHeader(table, given, guess);
  LabelChoice label{0, ""};
  if (given.contains("argosy_label")) {
    const auto column = NamedLabel(table, Given(given, "argosy_label"));
    if (!column) return column.error();
    label.column = *column;
  } else {
    label = ChooseLabel(table);
    if (label.column != 0) set("argosy_label", table.ReferenceTo(label.column));
    guess.sentences.push_back("The label is " + table.NameOf(label.column) + ": " + label.why + ".");
  }
  if (table.rows == 1 && !table.header) {
    return Invalid(Quoted(file) +
                   " has one line: column names without rows, or one row, from which nothing can be learnt");
  }
  if (table.columns[label.column].missing() == table.rows) {
    return Invalid(Quoted(file) + ": the label, " + table.NameOf(label.column) +
                   ", is empty in every row; name another with argosy_label (argosy train --label)");
  }
  if (!Given(given, "argosy_label_map").empty()) table.columns[label.column].TakeAsText();
  const auto faults = LabelledTableFaults(table, label.column, given);
  if (!faults) return faults.error();
  const auto left_out = JudgeFaults(table, *faults, given);
  if (!left_out) return left_out.error().Wrap(Quoted(file));
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
      text_positions += (text_positions.empty() ? "" : ",") + data::QuoteCsvField(table.ReferenceTo(i));
      text_columns += (text_columns.empty() ? "" : ", ") + table.NameOf(i);
    } else {
      missing += column.missing();
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
  if (!left_out->empty()) guess.sentences.push_back(*left_out);
  return guess;
}

namespace {

std::string HeadOf(const data::InputFile& file) {
  const auto source = data::OpenByteSource(file, data::Compression::kAuto);
  if (!source) return "";
  std::array<char, 4096> head{};
  const auto n = (*source)->Read(head);
  return n ? std::string(head.data(), *n) : "";
}

// Neither RecordIO nor JSON lines.
bool LooksLikeCsv(const data::InputFile& file) {
  const std::string head = HeadOf(file);
  return !data::BeginsFrame(head) && !Trim(head).starts_with('{');
}

// All columns are features but the one that the user names, or that is too many beside a given feature_dim.
Result<Guess> InferUnlabelled(std::string_view algorithm, const data::InputFile& file, const GuessOptions& options) {
  const Hyperparameters& given = options.given;
  if (given.contains("feature_dim") && !LooksLikeCsv(file)) return Guess();  // nothing is left to be guessed
  const auto table = Summarize(file, options);
  if (!table) return table.error();
  Guess guess;
  TellHeader(*table, given, guess);
  const size_t columns = table->columns.size();
  std::optional<size_t> label;
  if (given.contains("argosy_label")) {
    const auto column = NamedLabel(*table, Given(given, "argosy_label"));
    if (!column) return column.error();
    label = *column;
    guess.sentences.push_back("No feature is " + table->NameOf(*label) + ": it is left out.");
  } else if (ParseInt(Given(given, "feature_dim")) == static_cast<int64_t>(columns) - 1) {
    label = 0;
  }
  const auto left_out = JudgeFaults(*table, UnlabelledTableFaults(*table, label, algorithm), given);
  if (!left_out) return left_out.error().Wrap(Quoted(file));
  if (!given.contains("feature_dim")) {
    const std::string features = std::to_string(columns - (label ? 1 : 0));
    guess.hyperparameters["feature_dim"] = features;
    guess.sentences.push_back("There are " + features + " feature columns" + (label ? "." : ", none of them a label."));
  }
  if (!left_out->empty()) guess.sentences.push_back(*left_out);
  return guess;
}

// What XGBoost calls the kinds of predictors.
constexpr std::pair<std::string_view, std::string_view> kObjectives[] = {{"regressor", "reg:squarederror"},
                                                                         {"binary_classifier", "binary:logistic"},
                                                                         {"multiclass_classifier", "multi:softmax"}};
constexpr const char* kRounds = "100";

// As for the linear learner, in XGBoost's words.
Result<Guess> InferXGBoostHyperparameters(const data::InputFile& file, const GuessOptions& options) {
  Guess guess;
  const auto rounds = [&] {
    if (options.given.contains("num_round")) return;
    guess.hyperparameters["num_round"] = kRounds;
    guess.sentences.push_back(std::string("num_round is ") + kRounds + ".");
  };
  if (data::LooksLikeLibsvm(HeadOf(file))) {
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
  auto guess = InferUnlabelled(algorithm, file, options);
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
