#include "algorithms/xgboost/rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_set>

#include "data/host_share.h"
#include "data/parallel_read.h"

namespace argosy::algorithms::xgboost {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

Error InvalidChannel(std::string_view channel, const std::string& message) {
  return Invalid("channel '" + std::string(channel) + "': " + message);
}

std::string Text(float value) {
  std::array<char, 32> text;
  const auto [end, code] = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end);
}

// Rows before the library has them: `sparse` has all of libsvm's, of tables labels and weights.
struct Rows {
  bool is_sparse = false;
  data::SparseRows sparse;
  std::vector<float> dense;  // [rows × columns]
  size_t columns = 0;
  uint64_t rows_of_all = 0;
  bool divided = false;

  size_t count() const { return sparse.labels.size(); }
};

// "row 7", as it is counted here.
std::string RowName(const Rows& rows, size_t index) {
  return "row " + std::to_string(index + 1) + (rows.divided ? " of those that this host reads" : "");
}

Status CheckLabels(const Rows& rows, const XGBoostSettings& settings, size_t classes, std::string_view channel) {
  const auto faulty = [&](float label) {
    if (settings.task == Task::kBinary) return !(label >= 0 && label <= 1);
    if (settings.task == Task::kMulticlass) {
      return !(label >= 0 && label < static_cast<float>(classes) && label == std::floor(label));
    }
    return false;
  };
  const auto at = std::ranges::find_if(rows.sparse.labels, faulty);
  if (at == rows.sparse.labels.end()) return {};
  const std::string range = settings.task == Task::kBinary ? "a number from 0 to 1"
                                                           : "an integer between 0 and " + std::to_string(classes - 1);
  const std::string row = RowName(rows, static_cast<size_t>(at - rows.sparse.labels.begin()));
  return InvalidChannel(channel, "label '" + Text(*at) + "' of " + row + " is not " + range + ", as objective " +
                                     settings.objective + " needs");
}

class Reader {
 public:
  Reader(const ChannelReader& channels, const XGBoostSettings& settings, unsigned threads)
      : channels_(channels), settings_(settings), threads_(threads) {}

  Result<TrainingRows> Read() {
    std::vector<std::pair<std::string_view, Rows>> all;
    for (const std::string_view name : {"train", "validation"}) {
      if (!channels_.Has(name)) continue;
      auto rows = ReadChannel(name);
      if (!rows) return rows.error();
      if (name == "train") divided_ = rows->divided;
      all.emplace_back(name, std::move(*rows));
    }
    TrainingRows out;
    // What only one of two sparse channels names is a column of both.
    for (const auto& [name, rows] : all) out.columns = std::max(out.columns, rows.columns);
    out.classes = settings_.task == Task::kMulticlass ? settings_.classes : 2;
    if (settings_.table.label_text && schema_ != nullptr) {
      out.classes = schema_->label.classes.size();
      if (settings_.task == Task::kBinary && out.classes != 2) {
        return InvalidChannel("train",
                              "a binary objective needs two kinds of labels, there are " + std::to_string(out.classes));
      }
      if (settings_.classes > 0) out.classes = std::max<size_t>(out.classes, settings_.classes);
    }
    for (auto& [name, rows] : all) {
      if (Status s = CheckLabels(rows, settings_, out.classes, name); !s) return s.error();
      auto matrix = MatrixOf(rows, out.columns);
      if (!matrix) return matrix.error();
      out.channels.push_back({name, std::move(*matrix), std::move(rows.sparse.labels), rows.rows_of_all, rows.divided});
      rows = Rows();
    }
    if (schema_ != nullptr) out.table = TableOfPredictions();
    return out;
  }

 private:
  Result<Rows> ReadChannel(std::string_view name) {
    const auto format = channels_.FormatOf(name);
    if (!format) return format.error();
    if (name != "train" && (*format == data::Format::kLibsvm) != (schema_ == nullptr)) {
      return InvalidChannel(name, "its format differs from the train channel's: one is text/libsvm, the other a table");
    }
    if (*format == data::Format::kLibsvm) {
      if (settings_.table.label_text || !settings_.table.options.label_encoding.numeric()) {
        return InvalidChannel(name, "argosy_label_map: labels of text/libsvm are numbers");
      }
      auto sparse = channels_.ReadSparse(name, RowsPerHostMin(name));
      if (!sparse) return sparse.error();
      Rows rows{.is_sparse = true, .sparse = std::move(*sparse)};
      rows.rows_of_all = rows.sparse.rows_of_all;
      rows.divided = rows.sparse.divided;
      rows.columns = rows.sparse.width;
      if (rows.columns == 0) return InvalidChannel(name, "no row has a value");
      return rows;
    }
    data::ProbeOptions options = settings_.table.options;
    if (name == "train") {
      auto table = channels_.ReadTrain(options);
      if (!table) return table.error();
      schema_ = std::make_shared<const data::TableSchema>(table->schema());
      return Gather(*table, name);
    }
    if (settings_.table.label_text) options.label_kind = data::LabelKind::kEncoded;
    auto table = channels_.ReadOther(name, schema_, options, std::nullopt, RowsPerHostMin(name));
    if (!table) return table.error();
    return Gather(**table, name);
  }

  // Hosts that train by themselves must also judge by themselves.
  uint64_t RowsPerHostMin(std::string_view name) const {
    return name == "train" || divided_ ? kRowsPerHostMin : std::numeric_limits<uint64_t>::max();
  }

  // A table's blocks as one matrix, columns in the table's order; with csv_weights its first column is the weights.
  Result<Rows> Gather(const data::Dataset& dataset, std::string_view name) const {
    const data::RowBlocks& store = dataset.rows();
    const std::vector<data::Column>& columns = schema_->columns;
    const size_t skipped = settings_.csv_weights ? 1 : 0;
    if (skipped == columns.size()) return InvalidChannel(name, "it has a label, a weight and no feature columns");
    if (skipped > 0 && columns[0].kind != data::ColumnKind::kNumeric) {
      return InvalidChannel(name, "csv_weights: the weight's column holds text");
    }
    Rows rows;
    rows.columns = columns.size() - skipped;
    // This host's blocks, which are all when there is no other.
    const data::HostShare share(dataset.group().rank(), dataset.group().size());
    const size_t begin = share.First(store.blocks());
    const size_t blocks = share.End(store.blocks()) - begin;
    std::vector<size_t> first_rows(blocks + 1);
    for (size_t b = 0; b < blocks; ++b) first_rows[b + 1] = first_rows[b] + store.rows(begin + b);
    const size_t count = first_rows[blocks];
    rows.rows_of_all = store.row_count();
    rows.divided = dataset.group().size() > 1;
    rows.sparse.labels.resize(count);
    rows.sparse.weights.resize(skipped * count);
    rows.dense.resize(count * rows.columns);
    std::vector<Status> outcomes(blocks);
    data::RunParallel(blocks, threads_, [&](size_t b) {
      auto block = store.Get(begin + b);
      if (!block) {
        outcomes[b] = block.error();
        return;
      }
      for (size_t r = 0; r < (*block)->rows; ++r) CopyRow(dataset, **block, r, first_rows[b] + r, rows);
    });
    for (const Status& outcome : outcomes) {
      if (!outcome) return outcome.error();
    }
    const auto bad = std::ranges::find_if(rows.sparse.weights, [](float weight) { return !(weight >= 0); });
    if (bad != rows.sparse.weights.end()) {
      const std::string row = RowName(rows, static_cast<size_t>(bad - rows.sparse.weights.begin()));
      return InvalidChannel(name, "csv_weights: the weight of " + row + " is no number of 0 or more");
    }
    return rows;
  }

  void CopyRow(const data::Dataset& dataset, const data::RowView& block, size_t from, size_t to, Rows& rows) const {
    const data::RowShape& shape = dataset.rows().shape();
    rows.sparse.labels[to] = block.labels[from];
    const float* numeric = block.numeric.data() + from * shape.numeric;
    const uint32_t* category = block.categories.data() + from * shape.categorical;
    if (settings_.csv_weights) rows.sparse.weights[to] = *numeric++;
    float* out = rows.dense.data() + to * rows.columns;
    size_t categorical = 0;
    const std::vector<data::Column>& columns = schema_->columns;
    for (size_t c = settings_.csv_weights ? 1 : 0; c < columns.size(); ++c) {
      if (columns[c].kind == data::ColumnKind::kNumeric) {
        *out++ = *numeric++;
        continue;
      }
      const uint32_t number = category[categorical++];
      *out++ = number == data::kUnseenCategory ? kMissing : static_cast<float>(number);
    }
  }

  Result<DMatrix> MatrixOf(const Rows& rows, size_t columns) const {
    auto matrix = rows.is_sparse ? DMatrix::Sparse(rows.sparse, columns, threads_)
                                 : DMatrix::Dense(rows.dense, rows.count(), columns, threads_);
    if (!matrix) return matrix;
    if (Status s = matrix->Set("label", rows.sparse.labels); !s) return s.error();
    if (settings_.objective == "survival:aft") {  // every row is an event seen
      for (const char* bound : {"label_lower_bound", "label_upper_bound"}) {
        if (Status s = matrix->Set(bound, rows.sparse.labels); !s) return s.error();
      }
    }
    if (!rows.sparse.weights.empty()) {
      if (Status s = matrix->Set("weight", rows.sparse.weights); !s) return s.error();
    }
    if (!rows.sparse.groups.empty()) {
      std::vector<uint32_t> sizes;
      std::unordered_set<uint32_t> seen;
      for (size_t r = 0; r < rows.count(); ++r) {
        const uint32_t group = rows.sparse.groups[r];
        if (r == 0 || group != rows.sparse.groups[r - 1]) {
          if (!seen.insert(group).second) {
            return Error(ErrorCode::kInvalidArgument, "qid:" + std::to_string(group) + " comes again in " +
                                                          RowName(rows, r) +
                                                          ": the rows of a group must stand together");
          }
          sizes.push_back(0);
        }
        ++sizes.back();
      }
      if (Status s = matrix->SetGroups(sizes); !s) return s.error();
    }
    return matrix;
  }

  // Nothing when rows to be predicted are plain numbers.
  std::optional<data::TableSchema> TableOfPredictions() const {
    const data::TableSchema& schema = *schema_;
    const bool plain = !schema.has_categories() && !schema.header && schema.label.numeric() &&
                       settings_.table.options.label == data::ProbeOptions().label;
    if (plain) return std::nullopt;
    data::TableSchema table = schema;
    if (settings_.csv_weights) table.columns.erase(table.columns.begin());
    return table;
  }

  const ChannelReader& channels_;
  const XGBoostSettings& settings_;
  const unsigned threads_;
  std::shared_ptr<const data::TableSchema> schema_;  // of the train channel; null when it is sparse
  bool divided_ = false;                             // the train channel
};

}  // namespace

Result<TrainingRows> ReadRows(const ChannelReader& reader, const XGBoostSettings& settings, unsigned threads) {
  return Reader(reader, settings, threads).Read();
}

}  // namespace argosy::algorithms::xgboost
