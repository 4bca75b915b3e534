// Rows as JSON objects, one to a line, in one of two forms:
//
//   {"label": 1, "features": [2.5, "red", null]}     values in their order; also SageMaker's longer
//                                                    {"label": 1, "data": {"features": {"values": [2.5, "red"]}}}
//   {"size": 2.5, "colour": "red", "kind": "b"}      a table whose columns are named, as the first line names them
//
// null, and a name that a line does not have, are missing values; true and false are 1 and 0.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/record_reader.h"
#include "data/row_block.h"
#include "data/table_parser.h"
#include "data/table_probe.h"

namespace argosy::data {

// What the fields of a line are, in the order of a table's columns.
struct JsonColumns {
  std::vector<std::string> names;  // of all columns, the label's too; empty: values in their order …
  bool label_first = false;        // … behind the label, when there is one
};

// One to a thread.
class JsonLineReader {
 public:
  explicit JsonLineReader(JsonColumns columns);
  ~JsonLineReader();
  JsonLineReader(JsonLineReader&&) noexcept;
  JsonLineReader& operator=(JsonLineReader&&) = delete;

  // The fields of one line (not blank), as text: valid until the next call. kInvalidArgument says what is wrong.
  Result<std::span<const std::string_view>> Read(std::string_view line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Blocks of lines into rows of numbers.
class JsonLinesParser {
 public:
  // Both must outlive the parser; see TableParser.
  JsonLinesParser(const TableLayout& layout, JsonColumns columns, CategoryDictionary& dictionary,
                  UnknownCategories unknown)
      : reader_(std::move(columns)), table_(layout, dictionary, unknown) {}

  // Errors are kInvalidArgument and name file, line, column and value. Blank lines are skipped.
  Status Parse(const RecordBlock& block, std::string_view file_name, RowBlock& rows);
  void LeaveOut(BadRecords* bad) { bad_ = bad; }
  uint64_t unseen_categories() const { return table_.unseen_categories(); }

 private:
  JsonLineReader reader_;
  TableParser table_;
  BadRecords* bad_ = nullptr;
};

struct ProbedJson {
  ProbedTable table;
  JsonColumns columns;
};
// What the rows are, from the first lines. As ProbeTable; a column named `label` is the label unless the options name
// another.
Result<ProbedJson> ProbeJsonLines(std::string_view sample, std::string_view file_name, const ProbeOptions& options);

// What the rows of a further table are, whose schema is known.
JsonColumns JsonColumnsOf(const ProbedJson& own, const TableSchema& schema, const ProbeOptions& options);

}  // namespace argosy::data
