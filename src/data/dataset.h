// The rows of a channel, parsed once and kept for as many passes as a training makes.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/bad_records.h"
#include "data/format.h"
#include "data/row_store.h"
#include "data/table_probe.h"
#include "data/table_schema.h"

namespace argosy::data {

struct ReadOptions {
  unsigned threads = 1;
  size_t memory_bytes_max = 128 << 20;  // of parsed rows; the rest goes to the scratch directory
  std::filesystem::path scratch_dir;
  std::function<bool()> stop;  // asked before every block, from any thread; empty: never
  BadRecords* bad = nullptr;   // what may be left out; null: nothing
};

struct TableFiles {
  std::string channel;                       // for messages
  std::vector<std::filesystem::path> files;  // in order
  Compression compression = Compression::kAuto;
  Format format = Format::kCsv;
};

class Dataset {
 public:
  const TableSchema& schema() const { return *schema_; }
  const RowStore& rows() const { return *rows_; }
  // Fields whose category the schema does not have.
  uint64_t unseen_categories() const { return unseen_; }

  // What a block's numbers mean: the place of a category in its column's list, kUnseenCategory when it has none …
  uint32_t CategoryOf(const RowView& block, size_t column, uint32_t number) const {
    if (number == kUnseenCategory || translations_.empty()) return number;
    return translations_[block.dictionary][column][number];
  }
  // … and the label as a number or class number.
  float LabelOf(const RowView& block, float label) const {
    if (label_column_ == kNoLabelColumn) return label;
    return static_cast<float>(translations_[block.dictionary][label_column_][static_cast<size_t>(label)]);
  }

 private:
  friend Result<Dataset> ReadNewTable(const TableFiles&, const ProbeOptions&, const ReadOptions&);
  friend Result<Dataset> ReadTable(const TableFiles&, std::shared_ptr<const TableSchema>, const ProbeOptions&,
                                   const ReadOptions&);
  static constexpr size_t kNoLabelColumn = static_cast<size_t>(-1);

  std::shared_ptr<const TableSchema> schema_;
  std::unique_ptr<RowStore> rows_;
  // [dictionary][column][number]; empty when numbers are places already.
  std::vector<std::vector<std::vector<uint32_t>>> translations_;
  size_t label_column_ = kNoLabelColumn;
  uint64_t unseen_ = 0;
};

// Reads a table whose schema is not known yet: columns from the first lines and the options, categories and text labels
// from all rows. kInvalidArgument with the place for what the user has to mend (no file, no row, a bad value);
// kCancelled when told to stop.
Result<Dataset> ReadNewTable(const TableFiles& table, const ProbeOptions& options, const ReadOptions& read);

// Reads a table of a known schema. `options` say how labels and headers are written, as they did for the first table.
Result<Dataset> ReadTable(const TableFiles& table, std::shared_ptr<const TableSchema> schema,
                          const ProbeOptions& options, const ReadOptions& read);

}  // namespace argosy::data
