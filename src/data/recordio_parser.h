// Blocks of RecordIO-protobuf records into rows of numbers. One parser per thread.
#pragma once

#include <string_view>

#include "base/result.h"
#include "data/record_reader.h"
#include "data/recordio.h"
#include "data/row_block.h"
#include "data/table_parser.h"
#include "data/table_probe.h"

namespace argosy::data {

class RecordIoParser {
 public:
  // `layout` must outlive the parser and have numeric columns only; its label is no text.
  explicit RecordIoParser(const TableLayout& layout) : layout_(layout) {}

  // Sparse rows are written out, zeros and all. Errors are kInvalidArgument and name file, record, column and value.
  Status Parse(const RecordBlock& block, std::string_view file_name, RowBlock& rows);
  void LeaveOut(BadRecords* bad) { bad_ = bad; }

 private:
  Status AppendRow(RowBlock& rows);
  Status AppendLabel(RowBlock& rows);

  const TableLayout& layout_;
  RecordDecoder decoder_;
  BadRecords* bad_ = nullptr;
};

// What the records are, from the first one of a file's start. `options` must not ask for what only text has.
// kInvalidArgument when there is no whole record, or it has no features.
Result<TableLayout> ProbeRecordIo(std::string_view sample, std::string_view file_name, const ProbeOptions& options);

}  // namespace argosy::data
