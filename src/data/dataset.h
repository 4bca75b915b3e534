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
#include "data/row_blocks.h"
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
  const RowBlocks& rows() const { return *rows_; }
  // Fields whose category the schema does not have.
  uint64_t unseen_categories() const { return unseen_; }

 private:
  friend Result<Dataset> ReadNewTable(const TableFiles&, const ProbeOptions&, const ReadOptions&);
  friend Result<Dataset> ReadTable(const TableFiles&, std::shared_ptr<const TableSchema>, const ProbeOptions&,
                                   const ReadOptions&);

  std::shared_ptr<const TableSchema> schema_;
  std::unique_ptr<const RowBlocks> rows_;
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
