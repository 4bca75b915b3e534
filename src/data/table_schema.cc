#include "data/table_schema.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace argosy::data {
namespace {

constexpr std::array<std::string_view, 3> kMissingNames = {"refuse", "mean", "keep"};  // by MissingValues

Error Corrupt(std::string message) {
  return Error(ErrorCode::kCorrupt, "table schema: " + std::move(message));
}

template <class Range, class Less>
bool StrictlyAscending(const Range& range, Less less) {
  return std::adjacent_find(range.begin(), range.end(), [&](const auto& a, const auto& b) { return !less(a, b); }) ==
         range.end();
}

// Pairs in the order they are written.
Result<std::vector<std::pair<std::string, std::string>>> LabelMapPairs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  text = Trim(text);
  if (text.starts_with('{')) {
    if (auto checked = ParseJson(text); !checked) return checked.error();  // for its bound on depth
    const auto json = nlohmann::ordered_json::parse(text.begin(), text.end(), nullptr, false);
    if (!json.is_object()) return Invalid("it is no JSON object");
    for (const auto& [key, value] : json.items()) {
      if (value.is_string()) {
        pairs.emplace_back(key, value.get<std::string>());
      } else if (value.is_number_integer()) {
        pairs.emplace_back(key, std::to_string(value.get<int64_t>()));
      } else {
        return Invalid("the class of '" + key + "' must be a string or an integer");
      }
    }
    return pairs;
  }
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view pair = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    // The last '=' divides: label texts such as "<=50K" hold one themselves.
    const size_t equals = pair.rfind('=');
    if (equals == std::string_view::npos) return Invalid("'" + std::string(pair) + "' is not of the form label=class");
    pairs.emplace_back(Trim(pair.substr(0, equals)), Trim(pair.substr(equals + 1)));
  }
  return pairs;
}

}  // namespace

bool LabelEncoding::Names(std::string_view text) const {
  return std::ranges::binary_search(members, text, {},
                                    [](const auto& member) -> std::string_view { return member.first; });
}

std::optional<uint32_t> LabelEncoding::Find(std::string_view text) const {
  const auto at = std::lower_bound(members.begin(), members.end(), text,
                                   [](const auto& member, std::string_view t) { return member.first < t; });
  if (at != members.end() && at->first == text) return at->second;
  return others;
}

size_t TableSchema::numeric_count() const {
  return static_cast<size_t>(
      std::count_if(columns.begin(), columns.end(), [](const Column& c) { return c.kind == ColumnKind::kNumeric; }));
}

size_t TableSchema::feature_count() const {
  size_t count = 0;
  for (const Column& column : columns) count += column.kind == ColumnKind::kNumeric ? 1 : column.categories.size();
  return count;
}

bool TableSchema::has_categories() const {
  return numeric_count() != columns.size();
}

Status TableSchema::Validate() const {
  if (columns.empty()) return Invalid("a table needs at least one feature column");
  if (columns.size() > kColumnsMax) {
    return Invalid("a table may have at most " + std::to_string(kColumnsMax) + " columns");
  }
  if (label_position > columns.size()) return Invalid("the label's position lies outside the table");
  size_t categories = 0;
  for (const Column& column : columns) {
    if (column.kind == ColumnKind::kNumeric && !column.categories.empty()) {
      return Invalid("a numeric column has categories");
    }
    if (!StrictlyAscending(column.categories, std::less<>())) return Invalid("categories must be sorted and unique");
    for (const std::string& category : column.categories) {
      if (category.size() > kCategoryBytesMax) {
        return Invalid("a category is longer than " + std::to_string(kCategoryBytesMax) + " bytes");
      }
    }
    categories += column.categories.size();
  }
  if (categories > kCategoriesMax) {
    return Invalid("the columns have more than " + std::to_string(kCategoriesMax) + " categories together");
  }
  if (label.classes.size() > kClassesMax) return Invalid("there are too many classes");
  if (label.numeric() && (!label.members.empty() || label.others.has_value())) {
    return Invalid("a label without classes has members");
  }
  if (!StrictlyAscending(label.members, [](const auto& a, const auto& b) { return a.first < b.first; })) {
    return Invalid("label texts must be sorted and unique");
  }
  for (const auto& [text, number] : label.members) {
    if (number >= label.classes.size()) return Invalid("label '" + text + "' belongs to no class");
  }
  if (label.others && *label.others >= label.classes.size()) return Invalid("other labels belong to no class");
  return {};
}

std::string NamesFault(const TableSchema& schema, std::vector<std::string> names) {
  const std::vector<Column>& columns = schema.columns;
  if (columns.empty() || columns.front().name.empty()) return "";
  if (names.size() == columns.size() + 1 && schema.label_position < names.size()) {
    names.erase(names.begin() + static_cast<ptrdiff_t>(schema.label_position));
  }
  if (names.size() != columns.size()) {
    return "there are " + std::to_string(names.size()) + " names where " + std::to_string(columns.size()) +
           " are expected";
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] != columns[i].name) return "'" + names[i] + "' stands where '" + columns[i].name + "' is expected";
  }
  return "";
}

Json ToJson(const TableSchema& schema) {
  Json columns = Json::array();
  for (const Column& column : schema.columns) {
    Json entry = Json::object();
    if (!column.name.empty()) entry["name"] = column.name;
    if (column.kind == ColumnKind::kNumeric) {
      entry["kind"] = "numeric";
    } else {
      entry["kind"] = "categorical";
      entry["categories"] = column.categories;
    }
    columns.push_back(std::move(entry));
  }
  Json label = {{"position", schema.label_position}};
  if (!schema.label.numeric()) {
    label["classes"] = schema.label.classes;
    Json members = Json::object();
    for (const auto& [text, number] : schema.label.members) members[text] = number;
    label["members"] = std::move(members);
    if (schema.label.others) label["others"] = *schema.label.others;
  }
  return {{"format", "argosy-table-schema"},
          {"version", 1},
          {"columns", std::move(columns)},
          {"label", std::move(label)},
          {"missing", kMissingNames[static_cast<size_t>(schema.missing)]},
          {"header", schema.header}};
}

Result<TableSchema> TableSchemaFromJson(const Json& json) {
  // The library throws where a member is absent or of another type than asked for: one place to turn that into an
  // error.
  try {
    if (json.at("format") != "argosy-table-schema") return Corrupt("wrong format name");
    if (json.at("version") != 1) return Corrupt("version " + DumpJson(json.at("version")) + " is not known");
    TableSchema schema;
    const Json& columns = json.at("columns");
    if (!columns.is_array() || columns.size() > kColumnsMax) return Corrupt("bad list of columns");
    for (const Json& entry : columns) {
      Column column;
      column.name = entry.value("name", "");
      const auto kind = entry.at("kind").get<std::string>();
      if (kind != "numeric" && kind != "categorical") return Corrupt("unknown kind of column '" + kind + "'");
      if (kind == "categorical") {
        column.kind = ColumnKind::kCategorical;
        column.categories = entry.at("categories").get<std::vector<std::string>>();
      }
      schema.columns.push_back(std::move(column));
    }
    const Json& label = json.at("label");
    const auto index = [](const Json& value) -> std::optional<uint64_t> {
      if (!value.is_number_unsigned()) return std::nullopt;
      return value.get<uint64_t>();
    };
    const auto position = index(label.at("position"));
    if (!position) return Corrupt("the label's position is no number");
    schema.label_position = *position;
    if (label.contains("classes")) {
      schema.label.classes = label.at("classes").get<std::vector<std::string>>();
      if (schema.label.classes.empty()) return Corrupt("an empty list of classes");
      const Json& members = label.at("members");
      if (!members.is_object()) return Corrupt("label members must be an object");
      for (const auto& [text, value] : members.items()) {
        const auto number = index(value);
        if (!number || *number >= schema.label.classes.size()) return Corrupt("label '" + text + "' has no class");
        schema.label.members.emplace_back(text, static_cast<uint32_t>(*number));
      }
      if (label.contains("others")) {
        const auto others = index(label.at("others"));
        if (!others || *others >= schema.label.classes.size()) return Corrupt("other labels have no class");
        schema.label.others = static_cast<uint32_t>(*others);
      }
    }
    const auto missing = json.at("missing").get<std::string>();
    const auto named = std::find(kMissingNames.begin(), kMissingNames.end(), missing);
    if (named == kMissingNames.end()) return Corrupt("unknown treatment of missing values");
    schema.missing = static_cast<MissingValues>(named - kMissingNames.begin());
    schema.header = json.at("header").get<bool>();
    if (Status valid = schema.Validate(); !valid) return Corrupt(valid.error().message());
    return schema;
  } catch (const Json::exception& e) {
    return Corrupt(e.what());
  }
}

Result<LabelEncoding> ParseLabelMap(std::string_view text) {
  auto pairs = LabelMapPairs(text);
  if (!pairs) return pairs.error();
  if (pairs->empty()) return Invalid("it maps no label");
  LabelEncoding encoding;
  bool all_numbers = true;
  int64_t number_max = 0;
  for (const auto& [label, name] : *pairs) {
    if (name.empty()) return Invalid("label '" + label + "' has no class");
    const auto number = ParseInt(name);
    all_numbers = all_numbers && number && *number >= 0 && *number < kClassesMax;
    if (number) number_max = std::max(number_max, *number);
  }
  if (all_numbers) {
    if (number_max >= static_cast<int64_t>(pairs->size())) {
      return Invalid("class numbers must be 0, 1, 2, … without gaps");
    }
    for (int64_t i = 0; i <= number_max; ++i) encoding.classes.push_back(std::to_string(i));
  } else {
    for (const auto& pair : *pairs) {
      if (std::find(encoding.classes.begin(), encoding.classes.end(), pair.second) == encoding.classes.end()) {
        encoding.classes.push_back(pair.second);
      }
    }
  }
  for (const auto& [label, name] : *pairs) {
    const auto at = std::find(encoding.classes.begin(), encoding.classes.end(), name);
    // Numbers may be written with leading zeros or a sign.
    const auto number =
        all_numbers ? static_cast<uint32_t>(*ParseInt(name)) : static_cast<uint32_t>(at - encoding.classes.begin());
    if (label == "*") {
      encoding.others = number;
    } else {
      encoding.members.emplace_back(label, number);
    }
  }
  std::sort(encoding.members.begin(), encoding.members.end());
  for (size_t i = 1; i < encoding.members.size(); ++i) {
    if (encoding.members[i - 1].first == encoding.members[i].first) {
      return Invalid("label '" + encoding.members[i].first + "' is mapped twice");
    }
  }
  return encoding;
}

LabelEncoding LabelEncodingOf(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  LabelEncoding encoding;
  for (uint32_t i = 0; i < texts.size(); ++i) encoding.members.emplace_back(texts[i], i);
  encoding.classes = std::move(texts);
  return encoding;
}

}  // namespace argosy::data
