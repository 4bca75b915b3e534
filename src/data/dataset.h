// The rows of a channel, parsed once and kept for as many passes as a training makes.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "collective/group.h"
#include "data/bad_records.h"
#include "data/format.h"
#include "data/input_file.h"
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
  // Who read the table together, each its part, and share out the rows (data/share_out.h).
  collective::Group* group = &collective::Alone();
  uint64_t rows_per_host_min = 0;
};

struct TableFiles {
  std::string channel;           // for messages
  std::vector<InputFile> files;  // in order
  Compression compression = Compression::kAuto;
  Format format = Format::kCsv;
  bool own = false;  // of a group each host has files of its own: it reads them whole
};

class Dataset {
 public:
  const TableSchema& schema() const { return *schema_; }
  const RowBlocks& rows() const { return *rows_; }
  // The hosts that its rows are divided among.
  collective::Group& group() const { return *group_; }
  // By this host: text or records, unpacked.
  uint64_t bytes_read() const { return bytes_read_; }
  uint64_t rows_read() const { return rows_read_; }
  // Fields whose category the schema does not have, on this host.
  uint64_t unseen_categories() const { return unseen_; }

  struct Parsed {
    uint64_t unseen = 0;  // categories
    uint64_t bytes = 0;
  };

 private:
  friend Result<Dataset> ReadNewTable(const TableFiles&, const ProbeOptions&, const ReadOptions&);
  friend Result<Dataset> ReadTable(const TableFiles&, std::shared_ptr<const TableSchema>, const ProbeOptions&,
                                   const ReadOptions&);

  Status Take(const TableFiles& table, const Parsed& parsed, std::unique_ptr<RowStore> store, Translations translations,
              const ReadOptions& read);

  std::shared_ptr<const TableSchema> schema_;
  std::unique_ptr<const RowBlocks> rows_;
  collective::Group* group_ = &collective::Alone();
  uint64_t unseen_ = 0;
  uint64_t bytes_read_ = 0;
  uint64_t rows_read_ = 0;
};

// Reads a table whose schema is not known yet: columns from the first lines and the options, categories and text labels
// from all rows. kInvalidArgument with the place for what the user has to mend (no file, no row, a bad value);
// kCancelled when told to stop.
Result<Dataset> ReadNewTable(const TableFiles& table, const ProbeOptions& options, const ReadOptions& read);

// Reads a table of a known schema. `options` say how labels and headers are written, as they did for the first table.
Result<Dataset> ReadTable(const TableFiles& table, std::shared_ptr<const TableSchema> schema,
                          const ProbeOptions& options, const ReadOptions& read);

}  // namespace argosy::data
