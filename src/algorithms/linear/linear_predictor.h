// Answers requests with a linear model.
//
// In: text/csv (the default), application/json, application/jsonlines, application/x-recordio-protobuf. Out:
// application/json (the default), application/jsonlines, text/csv, application/x-recordio-protobuf.
//
// Columns of a row are the features in table order. Where the training table was more than SageMaker's plain numbers (a
// header, text, a label elsewhere than first), a row may also be as wide as the training table: the field at the
// label's place is then not looked at. With `text/csv; label_size=1` every row has its label; `header=present` skips a
// first line of names.
//
// Thread-safe; see model/predictor.h.
#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/linear/linear_model.h"
#include "data/category_dictionary.h"
#include "model/instances.h"
#include "model/predictor.h"

namespace argosy::algorithms::linear {

class LinearPredictor final : public model::Predictor {
 public:
  explicit LinearPredictor(LinearModel model);

  model::PredictionResult Predict(std::string_view content_type, std::string_view accept,
                                  std::string_view body) const override;
  bool PredictCsvRow(std::string_view row, std::string& out) const override;
  uint64_t unseen_categories() const override { return unseen_.load(std::memory_order_relaxed); }

 private:
  // What a column of the feature table adds to the outputs.
  struct ColumnPlan {
    data::ColumnKind kind;
    size_t place;    // among the numeric or among the categorical columns
    size_t feature;  // the column's first feature
  };
  enum class LabelColumn { kAbsent, kPresent, kEither };
  // What is wrong with a row; no text yet, since the fast path wants none.
  struct RowFault {
    enum class Kind { kNone, kWidth, kQuotes, kNotANumber, kMissing };
    Kind kind = Kind::kNone;
    size_t column = 0;  // of the row, from 0; for kWidth: the number of columns
  };

  RowFault ScoreCsv(std::string_view row, LabelColumn label, std::span<double> outputs) const;
  RowFault ScoreFields(std::span<const model::FieldValue> fields, std::span<double> outputs) const;
  void AddNumber(const ColumnPlan& column, double value, std::span<double> outputs) const;
  void AddCategory(const ColumnPlan& column, std::string_view text, std::span<double> outputs) const;
  std::string Explain(const RowFault& fault, LabelColumn label) const;
  std::optional<model::PredictionError> ReadCsv(std::string_view content_type, std::string_view body,
                                                std::string& reply, std::string_view reply_type) const;

  // Turns raw outputs into scores in place and returns the predicted class (0 for a regressor).
  size_t Finish(std::span<double> outputs) const;
  void Write(std::span<double> outputs, std::string_view type, std::string& out) const;
  void WriteJson(std::span<double> outputs, std::string& out) const;
  void WriteCsv(std::span<double> outputs, std::string& out) const;
  void WriteRecord(std::span<double> outputs, std::string& out) const;

  LinearModel model_;
  std::vector<ColumnPlan> columns_;
  std::vector<double> by_feature_;  // weights as [features × outputs]
  data::CategoryDictionary categories_;
  std::vector<std::string> json_labels_;  // predicted_label by class, as JSON and as CSV
  std::vector<std::string> csv_labels_;
  std::vector<float> record_labels_;  // class numbers: records hold numbers only
  mutable std::atomic<uint64_t> unseen_{0};
};

}  // namespace argosy::algorithms::linear
