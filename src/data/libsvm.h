// Rows in LIBSVM's sparse text form, one to a line:
//
//   <label>[:<weight>] [qid:<group>] <column>:<value> <column>:<value> …   # a comment
//
// A column's number is its place as it stands, from 0 (files that count from 1 have an empty column 0); what a row does
// not name is missing. Source: the format notes of LIBSVM, and of XGBoost for weights and groups.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/dataset.h"
#include "data/record_reader.h"

namespace argosy::data {

// Rows by what they have (compressed sparse rows).
struct SparseRows {
  std::vector<float> labels;      // [rows]
  std::vector<float> weights;     // [rows], or empty: 1
  std::vector<uint32_t> groups;   // [rows], or empty: none were named
  std::vector<uint64_t> begins;   // [rows + 1]: where each row's values begin
  std::vector<uint32_t> columns;  // by value
  std::vector<float> values;
  uint32_t width = 0;  // columns: the highest named, plus one, on any host
  uint64_t rows_of_all = 0;
  bool divided = false;  // other hosts have other rows

  size_t rows() const { return labels.size(); }
};

enum class LibsvmLabel {
  kRequired,
  kOptional,  // 0 when a row begins with a column: rows to be predicted
};

// Appends the row in `line` (no line end). False when there is none: blank, or a comment. kInvalidArgument names the
// value and the rule; `rows` is then as it was.
Result<bool> AppendLibsvmRow(std::string_view line, LibsvmLabel label, SparseRows& rows);

// Whether a file that begins so looks like this form: pairs, and no commas, in its first line.
bool LooksLikeLibsvm(std::string_view start);

// The rows of the files, in order: of several hosts each its part, or all where there are few. As ReadTable.
Result<SparseRows> ReadLibsvm(const TableFiles& table, const ReadOptions& read);

}  // namespace argosy::data
