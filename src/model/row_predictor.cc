#include "model/row_predictor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "base/bytes.h"
#include "data/csv.h"
#include "data/media_type.h"
#include "data/number.h"
#include "data/recordio.h"
#include "model/accept.h"
#include "model/instances.h"
#include "model/reply.h"

namespace argosy::model {
namespace {

constexpr std::array kTypes = {kJson, kJsonLines, kCsv, kRecordIo};
constexpr const char* kTypesText =
    "text/csv, application/json, application/jsonlines or application/x-recordio-protobuf";
// Rows scored at once: enough for matrix loops to pay, few enough to stay in the cache.
constexpr size_t kNumbersAtOnce = 32 * 1024;
constexpr double kFloatMax = std::numeric_limits<float>::max();

}  // namespace

RowPredictor::RowPredictor(size_t width, std::string list, std::vector<ReplyField> fields)
    : width_(width), list_(std::move(list)), fields_(std::move(fields)) {
  for (const ReplyField& field : fields_) reply_width_ += field.count;
}

// One request: rows gather and are scored and written together.
class RowPredictor::Session final : public InstanceSink {
 public:
  Session(const RowPredictor& model, std::string_view type, std::string& reply)
      : model_(model),
        type_(type),
        reply_(reply),
        rows_(type, model.list_, reply),
        rows_at_once_(std::max<size_t>(1, kNumbersAtOnce / model.width_)) {}

  std::optional<PredictionError> OnRow(std::span<const FieldValue> fields) override {
    if (fields.size() != model_.width_) {
      return PredictionError{400, "the row has " + std::to_string(fields.size()) + " columns where " +
                                      std::to_string(model_.width_) + " are expected"};
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      const FieldValue& field = fields[i];
      if (field.kind != FieldValue::Kind::kNumber || !(std::abs(field.number) <= kFloatMax)) {
        return PredictionError{400, "column " + std::to_string(i + 1) + ": the value is not a number"};
      }
      numbers_.push_back(static_cast<float>(field.number));
    }
    Added();
    return std::nullopt;
  }

  std::optional<PredictionError> ReadCsv(std::string_view body, bool has_label) {
    size_t line_number = 0;
    bool any = false;
    const char* p = body.data();
    const char* const end = p + body.size();
    while (p != end) {
      const data::CsvLine line = data::ReadCsvLine(p, end);
      const std::string_view row(p, static_cast<size_t>(line.end - p));
      p = line.next;
      ++line_number;
      if (Trim(row).empty()) continue;
      if (const std::string fault = model_.ParseCsvRow(row, has_label, numbers_); !fault.empty()) {
        return PredictionError{400, "line " + std::to_string(line_number) + ": " + fault};
      }
      any = true;
      Added();
    }
    if (!any) return PredictionError{400, "the body has no rows"};
    return std::nullopt;
  }

  void Finish() {
    Flush();
    rows_.Finish();
  }

 private:
  void Added() {
    if (++count_ == rows_at_once_) Flush();
  }
  void Flush() {
    values_.resize(count_ * model_.reply_width_);
    if (count_ > 0) model_.Score(numbers_, count_, values_);
    for (size_t r = 0; r < count_; ++r) {
      rows_.Begin();
      model_.Write(std::span(values_).subspan(r * model_.reply_width_, model_.reply_width_), type_, reply_);
      rows_.End();
    }
    numbers_.clear();
    count_ = 0;
  }

  const RowPredictor& model_;
  const std::string_view type_;
  std::string& reply_;
  ReplyRows rows_;
  const size_t rows_at_once_;
  std::vector<float> numbers_;
  std::vector<float> values_;
  size_t count_ = 0;
};

std::string RowPredictor::ParseCsvRow(std::string_view row, bool has_label, std::vector<float>& numbers) const {
  const char* p = row.data();
  const char* const end = p + row.size();
  const size_t before = numbers.size();
  std::string scratch;
  const size_t width = width_ + (has_label ? 1 : 0);
  size_t column = 0;
  while (true) {
    const data::ParsedNumber number = data::ParseNumber(data::SkipCsvSpaces(p, end), end);
    const char* next = number.end == nullptr ? nullptr : data::SkipCsvSpaces(number.end, end);
    double value = number.value;
    const bool is_label = has_label && column == 0;
    if (next == nullptr || (next != end && *next != ',')) {
      const data::CsvField field = data::ReadCsvField(p, end, scratch);
      if (field.next == nullptr) return "column " + std::to_string(column + 1) + ": a quote that is not closed";
      const data::ParsedNumber quoted = data::ParseNumber(field.text.data(), field.text.data() + field.text.size());
      if (!is_label && (quoted.end == nullptr || quoted.end != field.text.data() + field.text.size())) {
        return "column " + std::to_string(column + 1) + ": the value " +
               (field.text.empty() ? "is missing" : "is not a number");
      }
      value = quoted.value;
      next = field.next;
    }
    if (!is_label) {
      if (!(std::abs(value) <= kFloatMax)) return "column " + std::to_string(column + 1) + ": the value is too large";
      if (numbers.size() - before < width_) numbers.push_back(static_cast<float>(value));
    }
    ++column;
    if (next == end) break;
    p = next + 1;
  }
  if (column == width) return "";
  return "the row has " + std::to_string(column) + " columns where " + std::to_string(width) + " are expected";
}

void RowPredictor::Write(std::span<const float> values, std::string_view type, std::string& out) const {
  if (type == kRecordIo) {
    std::vector<data::NamedValues> named;
    for (const ReplyField& field : fields_) {
      named.emplace_back(field.name, values.first(field.count));
      values = values.subspan(field.count);
    }
    return data::AppendLabelRecord(named, out);
  }
  if (type == kCsv) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out += ',';
      AppendNumber(values[i], out);
    }
    return;
  }
  char separator = '{';
  for (const ReplyField& field : fields_) {
    out += separator;
    separator = ',';
    out.append("\"").append(field.name).append("\":");
    if (field.vector) out += '[';
    for (size_t i = 0; i < field.count; ++i) {
      if (i > 0) out += ',';
      AppendNumber(values[i], out);
    }
    if (field.vector) out += ']';
    values = values.subspan(field.count);
  }
  out += '}';
}

bool RowPredictor::PredictCsvRow(std::string_view row, std::string& out) const {
  std::vector<float> numbers;
  numbers.reserve(width_);
  if (!ParseCsvRow(row, false, numbers).empty()) return false;
  std::vector<float> values(reply_width_);
  Score(numbers, 1, values);
  Write(values, kCsv, out);
  return true;
}

PredictionResult RowPredictor::Predict(std::string_view content_type, std::string_view accept,
                                       std::string_view body) const {
  const auto reply_type = ChooseContentType(accept, kTypes);
  if (!reply_type) {
    return PredictionError{
        406, "Accept type '" + data::CsvExcerpt(accept) + "' is not supported: use " + std::string(kTypesText)};
  }
  const auto media = data::ParseMediaType(Trim(content_type).empty() ? kCsv : content_type);
  const std::string type = media ? media->type : "";
  Prediction reply{std::string(*reply_type), ""};
  Session session(*this, *reply_type, reply.body);
  std::optional<PredictionError> error;
  if (type == kCsv) {
    const auto label_size = media->parameters.find("label_size");
    if (label_size != media->parameters.end() && label_size->second != "0" && label_size->second != "1") {
      return PredictionError{400, "label_size may be 0 or 1, not '" + data::CsvExcerpt(label_size->second) + "'"};
    }
    error = session.ReadCsv(body, label_size != media->parameters.end() && label_size->second == "1");
  } else if (type == kJson) {
    error = ReadJsonInstances(body, width_, session);
  } else if (type == kJsonLines) {
    error = ReadJsonLines(body, width_, session);
  } else if (type == kRecordIo) {
    error = ReadRecords(body, width_, session);
  } else {
    return PredictionError{
        415, "Content-type '" + data::CsvExcerpt(content_type) + "' is not supported: use " + std::string(kTypesText)};
  }
  if (error) return *error;
  session.Finish();
  return reply;
}

}  // namespace argosy::model
