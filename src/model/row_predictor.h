// A predictor over rows of plain numbers: takes requests apart and puts replies together, so that a model only
// computes.
//
// In: text/csv (the default; `label_size=1` when rows begin with a label), application/json, application/jsonlines,
// application/x-recordio-protobuf. Out: application/json (the default), application/jsonlines, text/csv,
// application/x-recordio-protobuf. Every value must be there and be a number.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/predictor.h"

namespace argosy::model {

// What a row's reply holds, in order: {"<name>": value} or, as a vector, {"<name>": [values]}.
struct ReplyField {
  std::string name;
  size_t count = 1;
  bool vector = false;
};

class RowPredictor : public Predictor {
 public:
  PredictionResult Predict(std::string_view content_type, std::string_view accept,
                           std::string_view body) const override;
  bool PredictCsvRow(std::string_view row, std::string& out) const override;
  uint64_t unseen_categories() const override { return 0; }

 protected:
  // `width` numbers to a row; `list` is what JSON calls the rows' replies.
  RowPredictor(size_t width, std::string list, std::vector<ReplyField> fields);

  // `rows`: [count × width]; fills `values`: [count × sum of the fields' counts]. Thread-safe.
  virtual void Score(std::span<const float> rows, size_t count, std::span<float> values) const = 0;

 private:
  class Session;

  // What is wrong with the row, or nothing; its numbers are appended.
  std::string ParseCsvRow(std::string_view row, bool has_label, std::vector<float>& numbers) const;
  void Write(std::span<const float> values, std::string_view type, std::string& out) const;

  size_t width_;
  std::string list_;
  std::vector<ReplyField> fields_;
  size_t reply_width_ = 0;
};

}  // namespace argosy::model
