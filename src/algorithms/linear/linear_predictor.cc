#include "algorithms/linear/linear_predictor.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/json.h"
#include "data/csv.h"
#include "data/media_type.h"
#include "data/number.h"
#include "data/recordio.h"
#include "model/accept.h"
#include "model/reply.h"

namespace argosy::algorithms::linear {
namespace {

using Names = std::vector<std::string>;

// Outputs of a row are kept on the stack up to this many classes.
constexpr size_t kStackOutputs = 64;
// A reply's length is known only once it is written; this much per row is room to begin with.
constexpr size_t kReplyBytesPerRow = 48;

constexpr std::array kReplyTypes = {model::kJson, model::kJsonLines, model::kCsv, model::kRecordIo};
constexpr const char* kTypesText =
    "text/csv, application/json, application/jsonlines or application/x-recordio-protobuf";

using model::AppendNumber;

std::vector<const std::vector<std::string>*> CategoryLists(const data::TableSchema& schema) {
  std::vector<const std::vector<std::string>*> lists;
  for (const data::Column& column : schema.columns) {
    if (column.kind == data::ColumnKind::kCategorical) lists.push_back(&column.categories);
  }
  return lists;
}

double Sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

// Classes that are numbers are answered as numbers.
bool NamesAreNumbers(const std::vector<std::string>& classes) {
  for (size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] != std::to_string(i)) return false;
  }
  return true;
}

}  // namespace

LinearPredictor::LinearPredictor(LinearModel model)
    : model_(std::move(model)), categories_(CategoryLists(model_.schema)) {
  const size_t features = model_.features();
  by_feature_.resize(model_.weights.size());
  for (size_t o = 0; o < model_.outputs; ++o) {
    for (size_t j = 0; j < features; ++j) by_feature_[j * model_.outputs + o] = model_.weights[o * features + j];
  }
  size_t numeric = 0;
  size_t categorical = 0;
  size_t next_category = model_.schema.numeric_count();
  for (const data::Column& column : model_.schema.columns) {
    if (column.kind == data::ColumnKind::kNumeric) {
      columns_.push_back({column.kind, numeric, numeric});
      ++numeric;
    } else {
      columns_.push_back({column.kind, categorical++, next_category});
      next_category += column.categories.size();
    }
  }
  const size_t classes = model_.predictor == PredictorType::kRegressor          ? 0
                         : model_.predictor == PredictorType::kBinaryClassifier ? 2
                                                                                : model_.outputs;
  const std::vector<std::string>& names = model_.schema.label.classes;
  const bool numbers = NamesAreNumbers(names);
  for (size_t k = 0; k < classes; ++k) {
    record_labels_.push_back(static_cast<float>(k));
    if (numbers || k >= names.size()) {
      json_labels_.push_back(std::to_string(k));
      csv_labels_.push_back(std::to_string(k));
    } else {
      json_labels_.push_back(DumpJson(Json(names[k])));
      csv_labels_.push_back(data::QuoteCsvField(names[k]));
    }
  }
}

void LinearPredictor::AddNumber(const ColumnPlan& column, double value, std::span<double> outputs) const {
  double x = (value - model_.mean[column.place]) * model_.scale[column.place];
  if (model_.clip > 0) x = std::clamp(x, -model_.clip, model_.clip);
  const double* const weights = by_feature_.data() + column.feature * outputs.size();
  for (size_t o = 0; o < outputs.size(); ++o) outputs[o] += weights[o] * x;
}

void LinearPredictor::AddCategory(const ColumnPlan& column, std::string_view text, std::span<double> outputs) const {
  const uint32_t category = categories_.Find(column.place, text);
  if (category == data::kUnseenCategory) {
    unseen_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const double* const weights = by_feature_.data() + (column.feature + category) * outputs.size();
  for (size_t o = 0; o < outputs.size(); ++o) outputs[o] += weights[o];
}

LinearPredictor::RowFault LinearPredictor::ScoreCsv(std::string_view row, LabelColumn label,
                                                    std::span<double> outputs) const {
  using Kind = RowFault::Kind;
  std::copy(model_.biases.begin(), model_.biases.end(), outputs.begin());
  const char* p = row.data();
  const char* const end = p + row.size();
  bool skip_label = label == LabelColumn::kPresent;
  if (label == LabelColumn::kEither) {
    // As many commas as the training table has? Quoted ones mislead, so then the fields are counted properly.
    size_t commas = static_cast<size_t>(std::count(p, end, ','));
    if (commas >= columns_.size() && row.find('"') != std::string_view::npos) {
      std::string scratch;
      commas = 0;
      for (const char* q = p;; ++commas) {
        const data::CsvField field = data::ReadCsvField(q, end, scratch);
        if (field.next == nullptr) return {Kind::kQuotes, commas};
        if (field.next == end) break;
        q = field.next + 1;
      }
    }
    skip_label = commas == columns_.size();
  }
  const size_t width = columns_.size() + (skip_label ? 1 : 0);
  const size_t label_position = skip_label ? model_.schema.label_position : width;
  std::string scratch;
  size_t column = 0;
  const ColumnPlan* plan = columns_.data();
  while (true) {
    const char* next = nullptr;
    const bool is_label = column == label_position;
    if (column == width) return {Kind::kWidth, column + 1 + static_cast<size_t>(std::count(p, end, ','))};
    if (!is_label && plan->kind == data::ColumnKind::kNumeric) {
      const data::ParsedNumber number = data::ParseNumber(data::SkipCsvSpaces(p, end), end);
      if (number.end != nullptr) {
        const char* const behind = data::SkipCsvSpaces(number.end, end);
        if (behind == end || *behind == ',') [[likely]] {
          AddNumber(*plan, number.value, outputs);
          next = behind;
        }
      }
    }
    if (next == nullptr) {
      const data::CsvField field = data::ReadCsvField(p, end, scratch);
      if (field.next == nullptr) return {Kind::kQuotes, column};
      next = field.next;
      if (is_label) {
        // Not looked at.
      } else if (plan->kind == data::ColumnKind::kCategorical) {
        AddCategory(*plan, field.text, outputs);
      } else if (data::IsMissingText(field.text)) {
        if (model_.schema.missing == data::MissingValues::kRefuse) return {Kind::kMissing, column};
        AddNumber(*plan, model_.fill[plan->place], outputs);
      } else {
        const data::ParsedNumber number = data::ParseNumber(field.text.data(), field.text.data() + field.text.size());
        if (number.end != field.text.data() + field.text.size()) return {Kind::kNotANumber, column};
        AddNumber(*plan, number.value, outputs);
      }
    }
    if (!is_label) ++plan;
    ++column;
    if (next == end) break;
    p = next + 1;
  }
  return column == width ? RowFault{} : RowFault{Kind::kWidth, column};
}

LinearPredictor::RowFault LinearPredictor::ScoreFields(std::span<const model::FieldValue> fields,
                                                       std::span<double> outputs) const {
  using Kind = RowFault::Kind;
  std::copy(model_.biases.begin(), model_.biases.end(), outputs.begin());
  const bool with_label = model_.raw_rows && fields.size() == columns_.size() + 1;
  if (!with_label && fields.size() != columns_.size()) return {Kind::kWidth, fields.size()};
  for (size_t i = 0; i < columns_.size(); ++i) {
    const ColumnPlan& plan = columns_[i];
    const size_t at = with_label && i >= model_.schema.label_position ? i + 1 : i;
    const model::FieldValue& field = fields[at];
    if (plan.kind == data::ColumnKind::kCategorical) {
      if (field.kind != model::FieldValue::Kind::kNumber) {
        AddCategory(plan, field.text, outputs);
        continue;
      }
      // A category that looks like a number, written as one.
      std::array<char, 32> text;
      const auto [end, code] = std::to_chars(text.data(), text.data() + text.size(), field.number);
      AddCategory(plan, std::string_view(text.data(), static_cast<size_t>(end - text.data())), outputs);
      continue;
    }
    double value = field.number;
    if (field.kind == model::FieldValue::Kind::kText) {
      const std::string_view text = Trim(field.text);
      const data::ParsedNumber number = data::ParseNumber(text.data(), text.data() + text.size());
      if (number.end != text.data() + text.size()) return {Kind::kNotANumber, at};
      value = number.value;
    } else if (field.kind == model::FieldValue::Kind::kMissing) {
      if (model_.schema.missing == data::MissingValues::kRefuse) return {Kind::kMissing, at};
      value = model_.fill[plan.place];
    }
    AddNumber(plan, value, outputs);
  }
  return {};
}

std::string LinearPredictor::Explain(const RowFault& fault, LabelColumn label) const {
  using Kind = RowFault::Kind;
  const std::string column = "column " + std::to_string(fault.column + 1);
  switch (fault.kind) {
    case Kind::kNone:
      return "";
    case Kind::kWidth: {
      std::string expected = std::to_string(columns_.size() + (label == LabelColumn::kPresent ? 1 : 0));
      if (label == LabelColumn::kEither) expected += " (or " + std::to_string(columns_.size() + 1) + " with the label)";
      return "the row has " + std::to_string(fault.column) + " columns where " + expected + " are expected";
    }
    case Kind::kQuotes:
      return column + ": a quote that is not closed, or text behind the closing one";
    case Kind::kNotANumber:
      return column + ": the value is not a number";
    case Kind::kMissing:
      return column + ": the value is missing";
  }
  return "";
}

size_t LinearPredictor::Finish(std::span<double> outputs) const {
  switch (model_.predictor) {
    case PredictorType::kRegressor:
      return 0;
    case PredictorType::kBinaryClassifier: {
      const bool positive = outputs[0] >= model_.threshold;
      if (model_.loss == LossKind::kLogistic) outputs[0] = Sigmoid(outputs[0]);
      return positive ? 1 : 0;
    }
    case PredictorType::kMulticlassClassifier: {
      const size_t best = static_cast<size_t>(std::max_element(outputs.begin(), outputs.end()) - outputs.begin());
      const double largest = outputs[best];
      double sum = 0;
      for (double& output : outputs) sum += output = std::exp(output - largest);
      for (double& output : outputs) output /= sum;
      return best;
    }
  }
  return 0;
}

void LinearPredictor::WriteJson(std::span<double> outputs, std::string& out) const {
  const size_t label = Finish(outputs);
  out += "{\"score\":";
  if (model_.predictor == PredictorType::kMulticlassClassifier) {
    char separator = '[';
    for (const double score : outputs) {
      out += separator;
      AppendNumber(score, out);
      separator = ',';
    }
    out += ']';
  } else {
    AppendNumber(outputs[0], out);
  }
  if (model_.predictor != PredictorType::kRegressor) {
    out += ",\"predicted_label\":";
    out += json_labels_[label];
  }
  out += '}';
}

void LinearPredictor::WriteCsv(std::span<double> outputs, std::string& out) const {
  const size_t label = Finish(outputs);
  if (model_.predictor != PredictorType::kRegressor) {
    out += csv_labels_[label];
    out += ',';
  }
  AppendNumber(outputs[model_.predictor == PredictorType::kMulticlassClassifier ? label : 0], out);
}

void LinearPredictor::WriteRecord(std::span<double> outputs, std::string& out) const {
  const size_t label = Finish(outputs);
  const std::vector<float> scores(outputs.begin(), outputs.end());
  const float predicted = record_labels_.empty() ? 0 : record_labels_[label];
  const std::array<data::NamedValues, 2> values = {{{"score", scores}, {"predicted_label", {&predicted, 1}}}};
  data::AppendLabelRecord(std::span(values).first(record_labels_.empty() ? 1 : 2), out);
}

void LinearPredictor::Write(std::span<double> outputs, std::string_view type, std::string& out) const {
  if (type == model::kCsv) return WriteCsv(outputs, out);
  if (type == model::kRecordIo) return WriteRecord(outputs, out);
  WriteJson(outputs, out);
}

bool LinearPredictor::PredictCsvRow(std::string_view row, std::string& out) const {
  std::array<double, kStackOutputs> few;
  std::vector<double> many;
  if (model_.outputs > kStackOutputs) many.resize(model_.outputs);
  const std::span<double> outputs = many.empty() ? std::span<double>(few.data(), model_.outputs) : std::span(many);
  const LabelColumn label = model_.raw_rows ? LabelColumn::kEither : LabelColumn::kAbsent;
  if (ScoreCsv(row, label, outputs).kind != RowFault::Kind::kNone) return false;
  WriteCsv(outputs, out);
  return true;
}

std::optional<model::PredictionError> LinearPredictor::ReadCsv(std::string_view content_type, std::string_view body,
                                                               std::string& reply, std::string_view reply_type) const {
  LabelColumn label = model_.raw_rows ? LabelColumn::kEither : LabelColumn::kAbsent;
  bool header = false;
  if (const auto media = data::ParseMediaType(content_type); media) {
    if (const auto at = media->parameters.find("label_size"); at != media->parameters.end()) {
      if (at->second != "0" && at->second != "1") {
        return model::PredictionError{400, "label_size may be 0 or 1, not '" + data::CsvExcerpt(at->second) + "'"};
      }
      label = at->second == "1" ? LabelColumn::kPresent : LabelColumn::kAbsent;
    }
    const auto at = media->parameters.find("header");
    header = at != media->parameters.end() && at->second == "present";
  }
  std::vector<double> outputs(model_.outputs);
  if (body.starts_with(data::kByteOrderMark)) body.remove_prefix(data::kByteOrderMark.size());
  const char* p = body.data();
  const char* const end = p + body.size();
  reply.reserve(static_cast<size_t>(std::count(p, end, '\n') + 1) * kReplyBytesPerRow);
  model::ReplyRows rows(reply_type, "predictions", reply);
  size_t line_number = 0;
  bool any = false;
  while (p != end) {
    const data::CsvLine line = data::ReadCsvLine(p, end);
    const std::string_view row(p, static_cast<size_t>(line.end - p));
    p = line.next;
    ++line_number;
    if (Trim(row).empty()) continue;
    if (std::exchange(header, false)) {
      const std::string fault = data::NamesFault(model_.schema, data::SplitCsvLine(row).value_or(Names()));
      if (!fault.empty()) return model::PredictionError{400, "line " + std::to_string(line_number) + ": " + fault};
      continue;
    }
    if (const RowFault fault = ScoreCsv(row, label, outputs); fault.kind != RowFault::Kind::kNone) {
      return model::PredictionError{400, "line " + std::to_string(line_number) + ": " + Explain(fault, label)};
    }
    any = true;
    rows.Begin();
    Write(outputs, reply_type, reply);
    rows.End();
  }
  if (!any) return model::PredictionError{400, "the body has no rows"};
  rows.Finish();
  return std::nullopt;
}

model::PredictionResult LinearPredictor::Predict(std::string_view content_type, std::string_view accept,
                                                 std::string_view body) const {
  const auto reply_type = model::ChooseContentType(accept, kReplyTypes);
  if (!reply_type) {
    return model::PredictionError{406,
                                  "Accept type '" + data::CsvExcerpt(accept) + "' is not supported: use " + kTypesText};
  }
  if (Trim(content_type).empty()) content_type = model::kCsv;
  const auto media = data::ParseMediaType(content_type);
  const std::string type = media ? media->type : "";
  std::string reply;
  std::optional<model::PredictionError> error;
  if (type == model::kCsv) {
    error = ReadCsv(content_type, body, reply, *reply_type);
  } else if (type == model::kJson || type == model::kJsonLines || type == model::kRecordIo) {
    class Scorer final : public model::InstanceSink {
     public:
      Scorer(const LinearPredictor& predictor, std::string_view reply_type_in, std::string& reply_in)
          : predictor_(predictor),
            reply_type_(reply_type_in),
            reply_(reply_in),
            rows_(reply_type_in, "predictions", reply_in),
            outputs_(predictor.model_.outputs) {}
      std::optional<model::PredictionError> OnRow(std::span<const model::FieldValue> fields) override {
        const RowFault fault = predictor_.ScoreFields(fields, outputs_);
        if (fault.kind != RowFault::Kind::kNone) {
          const auto label = predictor_.model_.raw_rows ? LabelColumn::kEither : LabelColumn::kAbsent;
          return model::PredictionError{400, predictor_.Explain(fault, label)};
        }
        rows_.Begin();
        predictor_.Write(outputs_, reply_type_, reply_);
        rows_.End();
        return std::nullopt;
      }
      void Finish() { rows_.Finish(); }

     private:
      const LinearPredictor& predictor_;
      std::string_view reply_type_;
      std::string& reply_;
      model::ReplyRows rows_;
      std::vector<double> outputs_;
    } scorer(*this, *reply_type, reply);
    const size_t width_max = columns_.size() + 1;
    error = type == model::kJson        ? model::ReadJsonInstances(body, width_max, {}, scorer)
            : type == model::kJsonLines ? model::ReadJsonLines(body, width_max, {}, scorer)
                                        : model::ReadRecords(body, width_max, {}, scorer);
    if (!error) scorer.Finish();
  } else {
    return model::PredictionError{
        415, "Content-type '" + data::CsvExcerpt(content_type) + "' is not supported: use " + kTypesText};
  }
  if (error) return *error;
  return model::Prediction{std::string(*reply_type), std::move(reply)};
}

}  // namespace argosy::algorithms::linear
