// XGBoost's channels as the library takes them.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "algorithms/channels.h"
#include "algorithms/xgboost/library.h"
#include "algorithms/xgboost/settings.h"
#include "data/table_schema.h"

namespace argosy::algorithms::xgboost {

// With fewer each host has all rows, and trains by itself.
inline constexpr uint64_t kRowsPerHostMin = 8192;

// Of several hosts, this one's.
struct ChannelRows {
  std::string_view name;
  DMatrix matrix;
  std::vector<float> labels;
  uint64_t rows_of_all = 0;
  bool divided = false;  // other hosts have other rows
};

struct TrainingRows {
  std::vector<ChannelRows> channels;  // train, and validation where there is one
  size_t columns = 0;
  size_t classes = 0;                      // of kMulticlass, and 2 for kBinary
  std::optional<data::TableSchema> table;  // when it is more than plain numbers: what predictions need
};

// Features are the columns in the table's order: numbers as they are, a category as its number; what is missing is NaN.
// Errors as ChannelReader's, and kInvalidArgument for labels and weights that the objective cannot take.
Result<TrainingRows> ReadRows(const ChannelReader& reader, const XGBoostSettings& settings, unsigned threads);

}  // namespace argosy::algorithms::xgboost
