// A predictor over rows of numbers: takes requests apart and puts replies together, so that a model only computes.
//
// In: text/csv (the default; `label_size=1` when rows begin with a label, `header=present` when a line of names comes
// first), application/json, application/jsonlines, application/x-recordio-protobuf, and text/libsvm where rows may lack
// values. Out: application/json, application/jsonlines, text/csv, application/x-recordio-protobuf.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/category_dictionary.h"
#include "data/table_schema.h"
#include "model/accept.h"
#include "model/instances.h"
#include "model/predictor.h"

namespace argosy::model {

// What a row's reply holds, in order: {"<name>": value} or, as a vector, {"<name>": [values]}.
struct ReplyField {
  std::string name;
  size_t count = 1;
  bool vector = false;
};

// How a row of a request becomes numbers.
struct RowRules {
  size_t width = 0;  // numbers to a row
  // A value may be missing, also by not being named in a sparse row: it is NaN then. Else it is an error, but what a
  // sparse row does not name is 0.
  bool missing = false;
  // Set for rows of a table that is more than SageMaker's plain numbers. A text column becomes the number of its
  // category, NaN when it is not known; a row one column wider has the label at its place, which is not looked at.
  std::optional<data::TableSchema> table;
};

class RowPredictor : public Predictor {
 public:
  PredictionResult Predict(std::string_view content_type, std::string_view accept,
                           std::string_view body) const override;
  bool PredictCsvRow(std::string_view row, std::string& out) const override;
  uint64_t unseen_categories() const override { return unseen_.load(std::memory_order_relaxed); }

 protected:
  // `list` is what JSON calls the rows' replies; `reply_type` the content type when none is asked for: kJson or kCsv.
  RowPredictor(RowRules rules, std::string list, std::vector<ReplyField> fields, std::string_view reply_type = kJson);

  // `rows`: [count × width]; fills `values`: [count × sum of the fields' counts]. Thread-safe.
  virtual void Score(std::span<const float> rows, size_t count, std::span<float> values) const = 0;

 private:
  class Session;
  enum class LabelColumn { kAbsent, kPresent, kEither };

  LabelColumn DefaultLabel() const { return rules_.table ? LabelColumn::kEither : LabelColumn::kAbsent; }
  bool IsCategorical(size_t column) const { return rules_.table && category_places_[column] != kNotCategorical; }
  float CategoryOf(size_t column, std::string_view text) const;
  // What is wrong with the row, or nothing; its numbers are appended.
  std::string ParseCsvRow(std::string_view row, LabelColumn label, std::vector<float>& numbers) const;
  std::string ParseFields(std::span<const FieldValue> fields, std::vector<float>& numbers) const;
  std::string HeaderFault(std::string_view line) const;
  std::string WidthFault(size_t found, LabelColumn label) const;
  void Write(std::span<const float> values, std::string_view type, std::string& out) const;

  static constexpr size_t kNotCategorical = static_cast<size_t>(-1);

  RowRules rules_;
  std::vector<size_t> category_places_;  // by column: its place among the categorical ones
  data::CategoryDictionary categories_;
  std::string list_;
  std::vector<ReplyField> fields_;
  std::array<std::string_view, 4> reply_types_;
  size_t reply_width_ = 0;
  mutable std::atomic<uint64_t> unseen_ = 0;
};

}  // namespace argosy::model
