#include "data/recordio_parser.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace argosy::data {
namespace {

std::string Shortest(float value) {
  std::array<char, 32> text;
  const auto [end, code] = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end);
}

}  // namespace

Status RecordIoParser::Parse(const RecordBlock& block, std::string_view file_name, RowBlock& rows) {
  rows.Clear();
  std::string_view bytes = block.bytes;
  uint64_t record = block.first_record;
  while (!bytes.empty()) {
    const size_t before = bytes.size();
    Status parsed = decoder_.Decode(TakeFrame(bytes));
    if (parsed.ok()) parsed = AppendRow(rows);
    if (parsed.ok()) parsed = AppendLabel(rows);
    if (!parsed.ok()) {
      const Error error =
          parsed.error().Wrap("file '" + std::string(file_name) + "', record " + std::to_string(record));
      if (bad_ == nullptr || !bad_->Skip(error, block.index)) return error;
      rows.numeric.resize(rows.rows * layout_.columns.size());
      rows.labels.resize(rows.rows);
      ++record;
      continue;
    }
    if (++rows.rows == 1) {
      const size_t expected = block.bytes.size() / (before - bytes.size()) + 1;
      rows.numeric.reserve(expected * layout_.columns.size());
      rows.labels.reserve(expected);
    }
    ++record;
  }
  return {};
}

Status RecordIoParser::AppendRow(RowBlock& rows) {
  const RecordTensor& features = decoder_.features();
  const size_t width = layout_.columns.size();
  if (features.width() != width) {
    return Invalid("the record has " + std::to_string(features.width()) + " features where " + std::to_string(width) +
                   " are expected");
  }
  const size_t begin = rows.numeric.size();
  if (!features.sparse()) {
    rows.numeric.insert(rows.numeric.end(), features.values.begin(), features.values.end());
  } else {
    // What a sparse row does not name is 0, but for learners that know missing values: there it is one.
    constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
    rows.numeric.resize(begin + width, layout_.missing == MissingValues::kKeep ? kMissing : 0.0F);
    for (size_t i = 0; i < features.keys.size(); ++i) rows.numeric[begin + features.keys[i]] = features.values[i];
  }
  for (size_t c = 0; c < width; ++c) {
    float& value = rows.numeric[begin + c];
    if (std::isfinite(value)) continue;
    if (std::isnan(value) && layout_.missing != MissingValues::kRefuse) continue;
    return Invalid("feature " + std::to_string(c) + " is " + Shortest(value) + ", which is no finite number");
  }
  return {};
}

Status RecordIoParser::AppendLabel(RowBlock& rows) {
  if (layout_.label_kind == LabelKind::kNone || layout_.label_kind == LabelKind::kIgnored) {
    rows.labels.push_back(0);
    return {};
  }
  const std::vector<float>& values = decoder_.label().values;
  if (values.size() != 1) {
    return Invalid(values.empty() ? "the record has no label"
                                  : "the record has a label of " + std::to_string(values.size()) + " values");
  }
  const std::string text = Shortest(values[0]);
  if (layout_.label_kind == LabelKind::kEncoded) {
    const auto number = layout_.label.Find(text);
    if (!number) return Invalid("label '" + text + "' belongs to no class");
    rows.labels.push_back(static_cast<float>(*number));
    return {};
  }
  if (const std::string fault = LabelFault(layout_, text, values[0]); !fault.empty()) return Invalid(fault);
  rows.labels.push_back(values[0]);
  return {};
}

Result<TableLayout> ProbeRecordIo(std::string_view sample, std::string_view file_name, const ProbeOptions& options) {
  if (options.header == HeaderOption::kYes) return Invalid("argosy_header: records of RecordIO have no header");
  if (options.has_label && options.label != "0") return Invalid("argosy_label: records of RecordIO name their label");
  if (!options.categorical.empty()) return Invalid("argosy_categorical: records of RecordIO hold numbers only");
  if (options.has_label && options.label_kind == LabelKind::kText) {
    return Invalid("argosy_label_map: labels of RecordIO are numbers and not collected");
  }
  const auto frames = CountFrames(sample);
  if (!frames) return frames.error().Wrap("file '" + std::string(file_name) + "'");
  if (frames->count == 0) return Invalid("file '" + std::string(file_name) + "' has no whole record at its start");
  RecordDecoder decoder;
  if (Status s = decoder.Decode(TakeFrame(sample)); !s) return s.error().Wrap("file '" + std::string(file_name) + "'");
  const uint64_t width = decoder.features().width();
  if (width == 0) return Invalid("file '" + std::string(file_name) + "', record 1: it has no features");
  if (width > kColumnsMax) return Invalid("a record may have at most " + std::to_string(kColumnsMax) + " features");
  TableLayout layout;
  layout.columns.assign(width, ColumnKind::kNumeric);
  layout.label_kind = options.has_label ? options.label_kind : LabelKind::kNone;
  layout.class_count = options.class_count;
  layout.label = options.label_encoding;
  layout.missing = options.missing;
  return layout;
}

}  // namespace argosy::data
