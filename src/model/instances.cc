#include "model/instances.h"

#include <simdjson.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "data/recordio.h"

namespace argosy::model {
namespace {

namespace dom = simdjson::dom;

PredictionError BadRequest(std::string message) {
  return {400, std::move(message)};
}

PredictionError BadRow(size_t row, std::string_view why) {
  return BadRequest("instance " + std::to_string(row + 1) + ": " + std::string(why));
}

class InstanceReader {
 public:
  InstanceReader(size_t width_max, const FieldValue& absent, InstanceSink& sink)
      : width_max_(width_max), absent_(absent), sink_(sink) {}

  std::optional<PredictionError> Read(dom::element instance) {
    const size_t row = rows_++;
    dom::object object;
    if (instance.get(object) != simdjson::SUCCESS) return BadRow(row, "it is no JSON object");
    dom::element features;
    if (object["features"].get(features) == simdjson::SUCCESS) return Dense(row, features);
    dom::object nested;
    if (object["data"]["features"].get(nested) != simdjson::SUCCESS) {
      return BadRow(row, R"(it has neither "features" nor "data": {"features": …})");
    }
    dom::element values;
    if (nested["values"].get(values) != simdjson::SUCCESS) return BadRow(row, R"(its features have no "values")");
    dom::element keys;
    if (nested["keys"].get(keys) != simdjson::SUCCESS) return Dense(row, values);
    return Sparse(row, nested, keys, values);
  }

  size_t rows() const { return rows_; }

 private:
  static std::optional<FieldValue> ValueOf(dom::element element) {
    double number = 0;
    std::string_view text;
    if (element.is_null()) return FieldValue{FieldValue::Kind::kMissing, 0, {}};
    if (element.get(text) == simdjson::SUCCESS) return FieldValue{FieldValue::Kind::kText, 0, text};
    if (element.get(number) == simdjson::SUCCESS) return FieldValue{FieldValue::Kind::kNumber, number, {}};
    return std::nullopt;
  }

  std::optional<PredictionError> Dense(size_t row, dom::element features) {
    dom::array array;
    if (features.get(array) != simdjson::SUCCESS) return BadRow(row, "its features are no array");
    fields_.clear();
    for (const dom::element element : array) {
      const auto value = ValueOf(element);
      if (!value) {
        return BadRow(row, "feature " + std::to_string(fields_.size() + 1) + " is neither a number nor text");
      }
      fields_.push_back(*value);
    }
    return Named(row, sink_.OnRow(fields_));
  }

  std::optional<PredictionError> Sparse(size_t row, dom::object features, dom::element keys, dom::element values) {
    dom::array key_array;
    dom::array value_array;
    dom::array shape;
    uint64_t width = 0;
    if (keys.get(key_array) != simdjson::SUCCESS || values.get(value_array) != simdjson::SUCCESS ||
        features["shape"].get(shape) != simdjson::SUCCESS || shape.size() != 1 ||
        shape.at(0).get(width) != simdjson::SUCCESS) {
      return BadRow(row, R"(sparse features need arrays "keys" and "values" and a "shape" of one number)");
    }
    if (key_array.size() != value_array.size()) return BadRow(row, "it has not as many keys as values");
    if (width > width_max_) {
      return BadRow(row, "its shape is " + std::to_string(width) + " where at most " + std::to_string(width_max_) +
                             " columns are expected");
    }
    fields_.assign(width, absent_);
    auto value = value_array.begin();
    for (const dom::element key : key_array) {
      uint64_t column = 0;
      const auto field = ValueOf(*value);
      ++value;
      if (key.get(column) != simdjson::SUCCESS || column >= width || !field) {
        return BadRow(row, "a key lies outside the shape, or a value is neither a number nor text");
      }
      fields_[column] = *field;
    }
    return Named(row, sink_.OnRow(fields_));
  }

  static std::optional<PredictionError> Named(size_t row, std::optional<PredictionError> error) {
    if (error) error->message = "instance " + std::to_string(row + 1) + ": " + error->message;
    return error;
  }

  size_t width_max_;
  const FieldValue absent_;
  InstanceSink& sink_;
  size_t rows_ = 0;
  std::vector<FieldValue> fields_;
};

}  // namespace

std::optional<PredictionError> ReadJsonInstances(std::string_view body, size_t width_max, const FieldValue& absent,
                                                 InstanceSink& sink) {
  dom::parser parser;
  dom::element root;
  const simdjson::padded_string padded(body);
  if (const auto code = parser.parse(padded).get(root); code != simdjson::SUCCESS) {
    return BadRequest(std::string("the body is not JSON: ") + simdjson::error_message(code));
  }
  dom::array instances;
  if (root["instances"].get(instances) != simdjson::SUCCESS) {
    return BadRequest(R"(the body is not of the form {"instances": [{"features": […]}, …]})");
  }
  InstanceReader reader(width_max, absent, sink);
  for (const dom::element instance : instances) {
    if (auto error = reader.Read(instance)) return error;
  }
  if (reader.rows() == 0) return BadRequest("the body has no instances");
  return std::nullopt;
}

std::optional<PredictionError> ReadJsonLines(std::string_view body, size_t width_max, const FieldValue& absent,
                                             InstanceSink& sink) {
  dom::parser parser;
  InstanceReader reader(width_max, absent, sink);
  while (!body.empty()) {
    const size_t newline = body.find('\n');
    const std::string_view line = Trim(body.substr(0, newline));
    body = newline == std::string_view::npos ? std::string_view() : body.substr(newline + 1);
    if (line.empty()) continue;
    dom::element instance;
    const simdjson::padded_string padded(line);
    if (const auto code = parser.parse(padded).get(instance); code != simdjson::SUCCESS) {
      return BadRow(reader.rows(), std::string("it is not JSON: ") + simdjson::error_message(code));
    }
    if (auto error = reader.Read(instance)) return error;
  }
  if (reader.rows() == 0) return BadRequest("the body has no instances");
  return std::nullopt;
}

std::optional<PredictionError> ReadRecords(std::string_view body, size_t width_max, const FieldValue& absent,
                                           InstanceSink& sink) {
  const auto frames = data::CountFrames(body);
  if (!frames) return BadRequest("the body is not RecordIO: " + frames.error().message());
  if (frames->end != body.size()) return BadRequest("the body ends in the middle of a record");
  if (frames->count == 0) return BadRequest("the body has no records");
  data::RecordDecoder decoder;
  std::vector<FieldValue> fields;
  for (size_t record = 1; !body.empty(); ++record) {
    const auto bad = [record](std::string_view why) {
      return BadRequest("record " + std::to_string(record) + ": " + std::string(why));
    };
    if (const Status decoded = decoder.Decode(data::TakeFrame(body)); !decoded) return bad(decoded.error().message());
    const data::RecordTensor& features = decoder.features();
    if (features.width() > width_max) {
      return bad("it has " + std::to_string(features.width()) + " features where at most " + std::to_string(width_max) +
                 " are expected");
    }
    fields.assign(features.width(), features.sparse() ? absent : FieldValue{});
    for (size_t i = 0; i < features.values.size(); ++i) {
      FieldValue& field = fields[features.sparse() ? features.keys[i] : i];
      field.number = features.values[i];
      field.kind = std::isnan(field.number) ? FieldValue::Kind::kMissing : FieldValue::Kind::kNumber;
      if (std::isinf(field.number)) return bad("a value is infinite");
    }
    if (const auto error = sink.OnRow(fields)) return bad(error->message);
  }
  return std::nullopt;
}

}  // namespace argosy::model
