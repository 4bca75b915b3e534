#include "model/row_predictor.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "data/csv.h"
#include "data/format.h"
#include "data/libsvm.h"
#include "data/media_type.h"
#include "data/number.h"
#include "data/recordio.h"
#include "model/reply.h"

namespace argosy::model {
namespace {

constexpr std::string_view kTypesText =
    "text/csv, application/json, application/jsonlines or application/x-recordio-protobuf";
// Rows scored at once: enough for matrix loops to pay, few enough to stay in the cache.
constexpr size_t kNumbersAtOnce = 32 * 1024;
constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

using CategoryLists = std::vector<const std::vector<std::string>*>;
CategoryLists CategoryListsOf(const data::TableSchema& table) {
  CategoryLists lists;
  for (const data::Column& column : table.columns) {
    if (column.kind == data::ColumnKind::kCategorical) lists.push_back(&column.categories);
  }
  return lists;
}

std::string AtColumn(size_t column, std::string_view what) {
  return "column " + std::to_string(column + 1) + ": " + std::string(what);
}

}  // namespace

RowPredictor::RowPredictor(RowRules rules, std::string list, std::vector<ReplyField> fields,
                           std::string_view reply_type)
    : rules_(std::move(rules)),
      categories_(rules_.table ? CategoryListsOf(*rules_.table) : CategoryLists()),
      list_(std::move(list)),
      fields_(std::move(fields)),
      reply_types_{reply_type, kJsonLines, reply_type == kJson ? kCsv : kJson, kRecordIo} {
  for (const ReplyField& field : fields_) reply_width_ += field.count;
  if (!rules_.table) return;
  size_t place = 0;
  for (const data::Column& column : rules_.table->columns) {
    category_places_.push_back(column.kind == data::ColumnKind::kCategorical ? place++ : kNotCategorical);
  }
}

// One request: rows gather and are scored and written together.
class RowPredictor::Session final : public InstanceSink {
 public:
  Session(const RowPredictor& model, std::string_view type, std::string& reply)
      : model_(model),
        type_(type),
        reply_(reply),
        rows_(type, model.list_, reply),
        rows_at_once_(std::max<size_t>(1, kNumbersAtOnce / model.rules_.width)) {}

  std::optional<PredictionError> OnRow(std::span<const FieldValue> fields) override {
    const std::string fault = model_.ParseFields(fields, numbers_);
    if (!fault.empty()) return PredictionError{400, fault};
    Added();
    return std::nullopt;
  }

  std::optional<PredictionError> ReadCsv(std::string_view body, LabelColumn label, bool header) {
    size_t line_number = 0;
    bool any = false;
    if (body.starts_with(data::kByteOrderMark)) body.remove_prefix(data::kByteOrderMark.size());
    const char* p = body.data();
    const char* const end = p + body.size();
    while (p != end) {
      const data::CsvLine line = data::ReadCsvLine(p, end);
      const std::string_view row(p, static_cast<size_t>(line.end - p));
      p = line.next;
      ++line_number;
      if (Trim(row).empty()) continue;
      if (std::exchange(header, false)) {
        const std::string fault = model_.HeaderFault(row);
        if (!fault.empty()) return PredictionError{400, "line " + std::to_string(line_number) + ": " + fault};
        continue;
      }
      if (const std::string fault = model_.ParseCsvRow(row, label, numbers_); !fault.empty()) {
        return PredictionError{400, "line " + std::to_string(line_number) + ": " + fault};
      }
      any = true;
      Added();
    }
    if (!any) return PredictionError{400, "the body has no rows"};
    return std::nullopt;
  }

  std::optional<PredictionError> ReadLibsvm(std::string_view body) {
    size_t line_number = 0;
    bool any = false;
    while (!body.empty()) {
      const size_t end = body.find('\n');
      data::SparseRows row;
      const auto appended = data::AppendLibsvmRow(body.substr(0, end), data::LibsvmLabel::kOptional, row);
      body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
      ++line_number;
      const auto bad = [&](std::string_view why) {
        return PredictionError{400, "line " + std::to_string(line_number) + ": " + std::string(why)};
      };
      if (!appended) return bad(appended.error().message());
      if (!*appended) continue;
      if (row.width > model_.rules_.width) {
        return bad("it names column " + std::to_string(row.width - 1) + " where columns 0 to " +
                   std::to_string(model_.rules_.width - 1) + " are expected");
      }
      const size_t begin = numbers_.size();
      numbers_.resize(begin + model_.rules_.width, kMissing);
      for (size_t i = 0; i < row.columns.size(); ++i) numbers_[begin + row.columns[i]] = row.values[i];
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

float RowPredictor::CategoryOf(size_t column, std::string_view text) const {
  const uint32_t category = categories_.Find(category_places_[column], text);
  if (category != data::kUnseenCategory) return static_cast<float>(category);
  unseen_.fetch_add(1, std::memory_order_relaxed);
  return kMissing;
}

std::string RowPredictor::HeaderFault(std::string_view line) const {
  if (!rules_.table) return "";
  return data::NamesFault(*rules_.table, data::SplitCsvLine(line).value_or(std::vector<std::string>()));
}

std::string RowPredictor::WidthFault(size_t found, LabelColumn label) const {
  std::string expected = std::to_string(rules_.width + (label == LabelColumn::kPresent ? 1 : 0));
  if (label == LabelColumn::kEither) expected += " (or " + std::to_string(rules_.width + 1) + " with the label)";
  return "the row has " + std::to_string(found) + " columns where " + expected + " are expected";
}

std::string RowPredictor::ParseCsvRow(std::string_view row, LabelColumn label, std::vector<float>& numbers) const {
  const char* p = row.data();
  const char* const end = p + row.size();
  std::string scratch;
  const auto fields = data::CountCsvFields(row);
  if (!fields) return "it has a quote that is not closed, or text behind the closing one";
  const bool has_label = label == LabelColumn::kPresent || (label == LabelColumn::kEither && *fields > rules_.width);
  if (*fields != rules_.width + (has_label ? 1 : 0)) return WidthFault(*fields, label);
  const size_t label_position = !has_label ? *fields : rules_.table ? rules_.table->label_position : 0;
  size_t feature = 0;
  for (size_t column = 0;; ++column) {
    const bool is_label = column == label_position;
    const bool numeric = !is_label && !IsCategorical(feature);
    const data::ParsedNumber number =
        numeric ? data::ParseNumber(data::SkipCsvSpaces(p, end), end) : data::ParsedNumber{};
    const char* next = number.end == nullptr ? nullptr : data::SkipCsvSpaces(number.end, end);
    double value = number.value;
    if (next == nullptr || (next != end && *next != ',')) {
      const data::CsvField field = data::ReadCsvField(p, end, scratch);
      next = field.next;
      if (numeric && rules_.missing && data::IsMissingText(field.text)) {
        value = kMissing;
      } else if (numeric) {
        const data::ParsedNumber quoted = data::ParseNumber(field.text.data(), field.text.data() + field.text.size());
        if (quoted.end == nullptr || quoted.end != field.text.data() + field.text.size()) {
          return AtColumn(column, field.text.empty() ? "the value is missing" : "the value is not a number");
        }
        value = quoted.value;
      } else if (!is_label) {
        value = CategoryOf(feature, field.text);
      }
    }
    if (!is_label) {
      if (std::abs(value) > data::kFloatMax) return AtColumn(column, "the value is too large");
      numbers.push_back(static_cast<float>(value));
      ++feature;
    }
    if (next == end) return "";
    p = next + 1;
  }
}

std::string RowPredictor::ParseFields(std::span<const FieldValue> fields, std::vector<float>& numbers) const {
  using Kind = FieldValue::Kind;
  const bool has_label = rules_.table && fields.size() == rules_.width + 1;
  if (!has_label && fields.size() != rules_.width) return WidthFault(fields.size(), DefaultLabel());
  size_t feature = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    const FieldValue& field = fields[i];
    if (has_label && i == rules_.table->label_position) continue;
    if (IsCategorical(feature)) {
      // A category that looks like a number may be written as one.
      std::array<char, 32> text;
      const auto [end, code] = std::to_chars(text.data(), text.data() + text.size(), field.number);
      const std::string_view number(text.data(), static_cast<size_t>(end - text.data()));
      numbers.push_back(CategoryOf(feature++, field.kind == Kind::kNumber ? number : field.text));
      continue;
    }
    double value = field.number;
    if (field.kind == Kind::kText) {
      const std::string_view text = Trim(field.text);
      const data::ParsedNumber number = data::ParseNumber(text.data(), text.data() + text.size());
      if (number.end == nullptr || number.end != text.data() + text.size()) {
        return AtColumn(i, "the value is not a number");
      }
      value = number.value;
    } else if (field.kind == Kind::kMissing) {
      if (!rules_.missing) return AtColumn(i, "the value is missing");
      value = kMissing;
    }
    if (std::abs(value) > data::kFloatMax) return AtColumn(i, "the value is too large");
    numbers.push_back(static_cast<float>(value));
    ++feature;
  }
  return "";
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
  numbers.reserve(rules_.width);
  if (!ParseCsvRow(row, DefaultLabel(), numbers).empty()) return false;
  std::vector<float> values(reply_width_);
  Score(numbers, 1, values);
  Write(values, kCsv, out);
  return true;
}

PredictionResult RowPredictor::Predict(std::string_view content_type, std::string_view accept,
                                       std::string_view body) const {
  const auto reply_type = ChooseContentType(accept, reply_types_);
  if (!reply_type) {
    return PredictionError{
        406, "Accept type '" + data::CsvExcerpt(accept) + "' is not supported: use " + std::string(kTypesText)};
  }
  const auto media = data::ParseMediaType(Trim(content_type).empty() ? kCsv : content_type);
  const std::string type = media ? media->type : "";
  Prediction reply{std::string(*reply_type), ""};
  Session session(*this, *reply_type, reply.body);
  std::optional<PredictionError> error;
  const FieldValue absent{rules_.missing ? FieldValue::Kind::kMissing : FieldValue::Kind::kNumber, 0, {}};
  const size_t width_max = rules_.width + (rules_.table ? 1 : 0);
  if (type == kCsv) {
    LabelColumn label = DefaultLabel();
    const auto label_size = media->parameters.find("label_size");
    if (label_size != media->parameters.end()) {
      if (label_size->second != "0" && label_size->second != "1") {
        return PredictionError{400, "label_size may be 0 or 1, not '" + data::CsvExcerpt(label_size->second) + "'"};
      }
      label = label_size->second == "1" ? LabelColumn::kPresent : LabelColumn::kAbsent;
    }
    const auto header = media->parameters.find("header");
    error = session.ReadCsv(body, label, header != media->parameters.end() && header->second == "present");
  } else if (type == kJson) {
    error = ReadJsonInstances(body, width_max, absent, session);
  } else if (type == kJsonLines) {
    error = ReadJsonLines(body, width_max, absent, session);
  } else if (type == kRecordIo) {
    error = ReadRecords(body, width_max, absent, session);
  } else if (rules_.missing && data::FormatOf(type) == data::Format::kLibsvm) {
    error = session.ReadLibsvm(body);
  } else {
    return PredictionError{415, "Content-type '" + data::CsvExcerpt(content_type) + "' is not supported: use " +
                                    (rules_.missing ? "text/libsvm, " : "") + std::string(kTypesText)};
  }
  if (error) return *error;
  session.Finish();
  return reply;
}

}  // namespace argosy::model
