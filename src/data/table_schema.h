// What the columns of a table mean and how a row becomes numbers. Kept in the artifact as schema.json, so that an
// endpoint reads rows as the training did.
//
// Feature order: the numeric columns in table order, then for each categorical column, in table order, one feature per
// category (1 where the row has it, else 0).
// JSON form: docs/formats/table_schema.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace argosy::data {

// Bounds on what a schema may hold, so that neither data nor an artifact can ask for unbounded memory.
inline constexpr size_t kColumnsMax = 1'000'000;
inline constexpr size_t kCategoriesMax = 1'000'000;  // over all columns; beyond it a column is an id, not a category
inline constexpr size_t kCategoryBytesMax = 4096;    // of one category's text
inline constexpr uint32_t kClassesMax = 1'000'000;   // SageMaker's bound on num_classes
inline constexpr uint32_t kUnseenCategory = UINT32_MAX;  // stands for a category that is not in the schema

enum class ColumnKind { kNumeric, kCategorical };

struct Column {
  std::string name;  // from the header, or empty
  ColumnKind kind = ColumnKind::kNumeric;
  std::vector<std::string> categories;  // of a categorical column: sorted, no two alike

  bool operator==(const Column&) const = default;
};

// How label text becomes a number: as the number it is written as, or through named classes.
struct LabelEncoding {
  std::vector<std::string> classes;                       // by number; empty: labels are numbers
  std::vector<std::pair<std::string, uint32_t>> members;  // label text → class number, sorted by text
  std::optional<uint32_t> others;                         // class of every text that `members` does not have

  bool numeric() const { return classes.empty(); }
  // Whether `text` is named itself, and not among the others.
  bool Names(std::string_view text) const;
  // The class of `text`, nothing when it has none. Only when not numeric().
  std::optional<uint32_t> Find(std::string_view text) const;

  bool operator==(const LabelEncoding&) const = default;
};

enum class MissingValues {
  kRefuse,  // an empty numeric field is an error
  kMean,    // it stands for the column's mean over the training data
  kKeep,    // it is left out: a learner for which a missing value is one of its own gets NaN
};

struct TableSchema {
  std::vector<Column> columns;  // of the features: the label is not among them
  size_t label_position = 0;    // among all columns of the training table, label included
  LabelEncoding label;
  MissingValues missing = MissingValues::kRefuse;
  bool header = false;  // the training files began with names

  size_t numeric_count() const;
  size_t feature_count() const;
  bool has_categories() const;
  // kInvalidArgument naming the rule when a bound or an order above is broken.
  Status Validate() const;

  bool operator==(const TableSchema&) const = default;
};

// What is wrong with a line of names before rows of this table, with or without the label's; empty: nothing, also when
// the columns have no names.
std::string NamesFault(const TableSchema& schema, std::vector<std::string> names);

Json ToJson(const TableSchema& schema);
// kCorrupt when `json` is not a valid schema.
Result<TableSchema> TableSchemaFromJson(const Json& json);

// "normal.=0,*=1", "normal.=normal,*=attack" or the same as a JSON object: label text to class, `*` for all others.
// When every class is a number below the count of classes these are the class numbers, else classes are numbered in the
// order of their first appearance. kInvalidArgument with the rule that is broken.
Result<LabelEncoding> ParseLabelMap(std::string_view text);

// One class per text, numbered in sorted order.
LabelEncoding LabelEncodingOf(std::vector<std::string> texts);

}  // namespace argosy::data
