// Blocks of CSV records into rows of numbers, at a known layout of columns. One parser per thread; no allocation per
// field.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/bad_records.h"
#include "data/category_dictionary.h"
#include "data/delimiters.h"
#include "data/record_reader.h"
#include "data/row_block.h"
#include "data/table_schema.h"

namespace argosy::data {

enum class LabelKind {
  kNone,         // the table has no label column
  kNumber,       // any finite number
  kClassNumber,  // an integer from 0 to class_count - 1
  kEncoded,      // text, by the layout's encoding
  kText,         // text whose classes are being collected: the dictionary's last column
  kIgnored,      // there is one, and nobody looks at it
};

// What a table's columns are, before or after its categories are known.
struct TableLayout {
  std::vector<ColumnKind> columns;  // of the features, in table order
  std::vector<std::string> names;   // of the features, or empty
  size_t label_position = 0;        // among all columns, when there is a label
  LabelKind label_kind = LabelKind::kNumber;
  uint32_t class_count = 0;  // for kClassNumber
  LabelEncoding label;       // for kEncoded
  MissingValues missing = MissingValues::kRefuse;

  RowShape shape() const;
  size_t table_width() const { return columns.size() + (label_kind == LabelKind::kNone ? 0 : 1); }
};

// What is wrong with `text`, which is not missing, in a numeric column; empty: nothing.
std::string NumberFault(std::string_view text);

// What is wrong with the number that `text` was read as, as a label of kind kNumber or kClassNumber; empty: nothing.
std::string LabelFault(const TableLayout& layout, std::string_view text, double value);

enum class UnknownCategories {
  kAdd,    // to the dictionary
  kCount,  // leave the dictionary alone, count them, and write kUnseenCategory
};

class TableParser {
 public:
  // Both must outlive the parser. `dictionary` has a column for each categorical one, and one more for kText.
  TableParser(const TableLayout& layout, CategoryDictionary& dictionary, UnknownCategories unknown);
  // Rows that cannot be read are put to `bad`, which must outlive the parser.
  void LeaveOut(BadRecords* bad) { bad_ = bad; }

  // Into `rows`, which is cleared before. Errors are kInvalidArgument and name file, line, column and value. Blank
  // lines are skipped.
  enum class FirstLine { kData, kNames };
  Status Parse(const RecordBlock& block, std::string_view file_name, FirstLine first_line, RowBlock& rows);

  // One more row, of fields that something else has taken apart; named as by Parse, but for file and line. A row that
  // is refused leaves `rows` as it was.
  Status AppendRow(std::span<const std::string_view> fields, RowBlock& rows);

  uint64_t unseen_categories() const { return unseen_; }

 private:
  enum class Role : uint8_t { kNumeric, kCategorical, kLabel };

  const char* ParsePlainLine(const char* p, const uint32_t*& delimiter, RowBlock& rows);
  Status ParseLine(const char* p, const char* end, RowBlock& rows);
  void TakeBack(RowBlock& rows) const;  // what a refused row has left behind the last whole one
  Status AppendField(std::string_view text, size_t column, size_t& categorical, RowBlock& rows);
  Status ReadNumeric(std::string_view text, size_t column, float& value) const;
  Status AppendCategory(std::string_view text, size_t column, size_t categorical, RowBlock& rows);
  Status AppendLabel(std::string_view text, size_t column, RowBlock& rows);
  Error At(size_t column, std::string_view what) const;

  const TableLayout& layout_;
  const RowShape shape_;
  CategoryDictionary& dictionary_;
  UnknownCategories unknown_;
  std::vector<Role> roles_;           // of all columns of the table
  std::string_view bytes_;            // of the block that is parsed
  Delimiters delimiters_;             // in them
  std::vector<size_t> numeric_runs_;  // by column: numeric ones from it on, without another between
  std::string scratch_;
  uint64_t unseen_ = 0;
  BadRecords* bad_ = nullptr;
  // Runs of one value are common: the last text of each categorical column and its number.
  struct Last {
    std::string text;
    uint32_t number = kUnseenCategory;
    bool valid = false;
  };
  std::vector<Last> last_;
};

}  // namespace argosy::data
