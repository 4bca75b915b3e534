// Values that a training would refuse, seen in a summary of its table before there is a job.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/algorithm.h"
#include "algorithms/table_summary.h"
#include "base/result.h"

namespace argosy::algorithms {

// Those of one kind in a column.
struct TableFault {
  size_t column = 0;
  uint64_t line = 0;   // of the first
  uint64_t count = 1;  // of rows
  std::string what;    // is wrong with the first
  std::string remedy;  // besides mending or leaving out the rows: what to say when the values are meant so; or empty
};

// The value of argosy_bad_records_max, 0 when there is none or it is no number.
uint64_t BadRecordsMax(const Hyperparameters& given);

// Of a table with a label: missing labels; values that are no numbers in a column whose others are, unless the given
// hyperparameters say that it is text. kInvalidArgument when these name a column that is not there.
Result<std::vector<TableFault>> LabelledTableFaults(const TableSummary& table, size_t label,
                                                    const Hyperparameters& given);

// Of a table all whose columns but `label` must be numbers in every row, for the algorithm of that name.
std::vector<TableFault> UnlabelledTableFaults(const TableSummary& table, std::optional<size_t> label,
                                              std::string_view algorithm);

// kInvalidArgument naming the first fault in the table when there are more than argosy_bad_records_max. Else a sentence
// on what is left out, empty when nothing is.
Result<std::string> JudgeFaults(const TableSummary& table, const std::vector<TableFault>& faults,
                                const Hyperparameters& given);

}  // namespace argosy::algorithms
