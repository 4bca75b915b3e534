#include "data/json_lines.h"

#include <simdjson.h>

#include <algorithm>

#include "base/bytes.h"
#include "data/csv.h"

namespace argosy::data {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr const char* kLabel = "label";
constexpr const char* kFeatures = "features";
constexpr const char* kData = "data";

}  // namespace

struct JsonLineReader::Impl {
  explicit Impl(JsonColumns columns_in) : columns(std::move(columns_in)) {}

  Result<std::span<const std::string_view>> Read(std::string_view line) {
    // The parser reads some bytes beyond the end.
    buffer.assign(line);
    buffer.append(simdjson::SIMDJSON_PADDING, ' ');
    ondemand::document document;
    auto code = parser.iterate(buffer.data(), line.size(), buffer.size()).get(document);
    ondemand::object object;
    if (code == simdjson::SUCCESS) code = document.get_object().get(object);
    if (code != simdjson::SUCCESS) return Invalid("it is no JSON object");
    fields.clear();
    const Status read = columns.names.empty() ? ReadValues(object) : ReadNamed(object);
    if (!read) return read.error();
    const char* behind = nullptr;
    if (document.current_location().get(behind) == simdjson::SUCCESS) {
      return Invalid("there is text behind the JSON object");
    }
    return std::span<const std::string_view>(fields);
  }

  // Text of a scalar: numbers as they are written.
  static std::optional<std::string_view> TextOf(ondemand::value value) {
    ondemand::json_type type;
    if (value.type().get(type) != simdjson::SUCCESS) return std::nullopt;
    std::string_view text;
    bool flag = false;
    bool null = false;
    switch (type) {
      case ondemand::json_type::number:
        return Trim(value.raw_json_token());
      case ondemand::json_type::string:
        return value.get_string().get(text) == simdjson::SUCCESS ? std::optional(text) : std::nullopt;
      case ondemand::json_type::boolean:
        if (value.get_bool().get(flag) != simdjson::SUCCESS) return std::nullopt;
        return flag ? "1" : "0";
      case ondemand::json_type::null:
        if (value.is_null().get(null) != simdjson::SUCCESS || !null) return std::nullopt;
        return "";
      default:
        return std::nullopt;
    }
  }

  Status ReadList(ondemand::value list) {
    ondemand::array array;
    if (list.get_array().get(array) != simdjson::SUCCESS) return Invalid("its features are no list");
    for (auto element : array) {
      ondemand::value value;
      const auto text = element.get(value) == simdjson::SUCCESS ? TextOf(value) : std::nullopt;
      if (!text) return Invalid("feature " + std::to_string(fields.size()) + " is neither a number nor text");
      fields.push_back(*text);
    }
    return {};
  }

  Status ReadValues(ondemand::object object) {
    if (columns.label_first) fields.emplace_back();
    bool label = false;
    bool features = false;
    for (auto member : object) {
      std::string_view key;
      ondemand::value value;
      if (member.unescaped_key().get(key) != simdjson::SUCCESS || member.value().get(value) != simdjson::SUCCESS) {
        return Invalid("it is no JSON object");
      }
      if (key == kLabel) {
        const auto text = TextOf(value);
        if (!text) return Invalid("its label is neither a number nor text");
        label = true;
        if (columns.label_first) fields[0] = *text;
      } else if (key == kFeatures) {
        features = true;
        if (Status read = ReadList(value); !read) return read;
      } else if (key == kData) {
        ondemand::value list;
        if (value["features"]["values"].get(list) != simdjson::SUCCESS) {
          return Invalid(R"(its "data" is not {"features": {"values": […]}})");
        }
        features = true;
        if (Status read = ReadList(list); !read) return read;
      }
    }
    if (!features) return Invalid("it has no features");
    if (columns.label_first && !label) return Invalid("it has no label");
    return {};
  }

  Status ReadNamed(ondemand::object object) {
    fields.resize(columns.names.size());
    size_t expected = 0;  // lines mostly have their names in the same order
    for (auto member : object) {
      std::string_view key;
      ondemand::value value;
      if (member.unescaped_key().get(key) != simdjson::SUCCESS || member.value().get(value) != simdjson::SUCCESS) {
        return Invalid("it is no JSON object");
      }
      if (expected == fields.size() || columns.names[expected] != key) {
        expected = static_cast<size_t>(std::ranges::find(columns.names, key) - columns.names.begin());
        if (expected == fields.size()) return Invalid("the table has no column '" + CsvExcerpt(key) + "'");
      }
      const auto text = TextOf(value);
      if (!text) return Invalid("'" + CsvExcerpt(columns.names[expected]) + "' is neither a number nor text");
      fields[expected++] = *text;
    }
    return {};
  }

  const JsonColumns columns;
  ondemand::parser parser;
  std::string buffer;
  std::vector<std::string_view> fields;
};

JsonLineReader::JsonLineReader(JsonColumns columns) : impl_(std::make_unique<Impl>(std::move(columns))) {}
JsonLineReader::~JsonLineReader() = default;
JsonLineReader::JsonLineReader(JsonLineReader&&) noexcept = default;

Result<std::span<const std::string_view>> JsonLineReader::Read(std::string_view line) {
  return impl_->Read(line);
}

Status JsonLinesParser::Parse(const RecordBlock& block, std::string_view file_name, RowBlock& rows) {
  rows.Clear();
  uint64_t line = block.first_record;
  std::string_view bytes = block.bytes;
  for (; !bytes.empty(); ++line) {
    const size_t end = bytes.find('\n');
    const std::string_view text = Trim(bytes.substr(0, end));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (text.empty()) continue;
    const auto fields = reader_.Read(text);
    Status appended = fields ? table_.AppendRow(*fields, rows) : Status(fields.error());
    if (!appended) {
      const Error error = appended.error().Wrap("file '" + std::string(file_name) + "', line " + std::to_string(line));
      if (bad_ == nullptr || !bad_->Skip(error, block.index)) return error;
    }
  }
  return {};
}

Result<ProbedJson> ProbeJsonLines(std::string_view sample, std::string_view file_name, const ProbeOptions& options) {
  const auto at_file = [&](std::string_view why) {
    return Invalid("file '" + std::string(file_name) + "': " + std::string(why));
  };
  std::vector<std::string_view> lines;
  while (!sample.empty()) {
    const size_t end = sample.find('\n');
    const bool cut_off = end == std::string_view::npos && !lines.empty();
    const std::string_view text = Trim(sample.substr(0, end));
    sample.remove_prefix(end == std::string_view::npos ? sample.size() : end + 1);
    if (!text.empty() && !cut_off) lines.push_back(text);
  }
  if (lines.empty()) return at_file("it has no rows");

  // The first line says what form they have.
  ProbedJson probed;
  ProbeOptions told = options;
  bool values = false;
  bool label = false;
  {
    const simdjson::padded_string padded(lines.front());
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(padded).get(object) != simdjson::SUCCESS) return at_file("line 1 is no JSON object");
    for (const auto [key, value] : object) {
      if ((key == kFeatures && value.is_array()) || (key == kData && value.is_object())) values = true;
      if (key == kLabel) label = true;
      probed.columns.names.emplace_back(key);
    }
  }
  const bool plain_label = options.label == ProbeOptions().label;
  if (values) {
    probed.columns.names.clear();
    if (options.has_label && options.label_kind != LabelKind::kIgnored) {
      if (!plain_label) return at_file("argosy_label: its rows are lists whose label is called \"label\"");
      if (!label) return at_file("line 1 has no \"label\"");
    }
    probed.columns.label_first = label && (options.has_label || options.label_when_wider_than);
    told.has_label = probed.columns.label_first;
    told.label_when_wider_than.reset();
  } else {
    if (options.has_label && plain_label) told.label = kLabel;
    if (options.label_when_wider_than) {
      told.has_label = label && probed.columns.names.size() == *options.label_when_wider_than + 1;
      told.label = kLabel;
      told.label_when_wider_than.reset();
    }
  }
  JsonLineReader reader(probed.columns);
  std::vector<std::vector<std::string>> fields;
  for (const std::string_view line : lines) {
    const auto read = reader.Read(line);
    if (!read && options.lenient) continue;
    if (!read)
      return read.error().Wrap("file '" + std::string(file_name) + "', line " + std::to_string(fields.size() + 1));
    fields.emplace_back(read->begin(), read->end());
  }
  if (fields.empty()) return at_file("none of its first rows can be read");
  auto table = ProbeFields(std::move(fields), probed.columns.names, file_name, told);
  if (!table) return table.error();
  probed.table = std::move(*table);
  return probed;
}

JsonColumns JsonColumnsOf(const ProbedJson& own, const TableSchema& schema, const ProbeOptions& options) {
  if (own.columns.names.empty()) return own.columns;
  JsonColumns columns;
  for (const Column& column : schema.columns) columns.names.push_back(column.name);
  if (own.table.layout.label_kind != LabelKind::kNone) {
    const std::string name = options.label == ProbeOptions().label ? kLabel : own.table.label_name;
    columns.names.insert(columns.names.begin() + static_cast<ptrdiff_t>(schema.label_position), name);
  }
  return columns;
}

}  // namespace argosy::data
