#include "api/query_encoding.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "api/time_members.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace argosy::api {
namespace {

// Whether any field is `name` or lies below it.
bool HasFields(const Form& form, const std::string& name) {
  if (form.contains(name)) return true;
  const auto below = form.lower_bound(name + ".");
  return below != form.end() && below->first.starts_with(name + ".");
}

Json ScalarOf(const std::string& text, ShapeType type) {
  switch (type) {
    case ShapeType::kInteger:
    case ShapeType::kLong:
      if (const std::optional<int64_t> number = ParseInt(text)) return *number;
      return text;
    case ShapeType::kDouble:
      if (const std::optional<double> number = ParseDouble(text)) return *number;
      return text;
    case ShapeType::kBoolean:
      if (text == "true") return true;
      if (text == "false") return false;
      return text;
    case ShapeType::kTimestamp:
      if (const std::optional<Time> time = ParseIso8601(text)) return ToUnixSeconds(*time);
      return text;
    default:
      return text;
  }
}

Json ValueOf(const Form& form, const std::string& name, const Shape& shape);

Json StructureOf(const Form& form, const std::string& prefix, const Shape& shape) {
  Json out = Json::object();
  for (const Member& member : shape.members) {
    const std::string name = prefix + member.name;
    if (HasFields(form, name)) out[member.name] = ValueOf(form, name, member.shape);
  }
  return out;
}

Json ListOf(const Form& form, const std::string& name, const Shape& shape) {
  Json out = Json::array();  // `name=` alone is the empty list
  for (size_t i = 1;; ++i) {
    const std::string element = name + ".member." + std::to_string(i);
    if (!HasFields(form, element)) return out;
    out.push_back(ValueOf(form, element, shape.parts[0]));
  }
}

Json ValueOf(const Form& form, const std::string& name, const Shape& shape) {
  if (shape.type == ShapeType::kStructure) return StructureOf(form, name + ".", shape);
  if (shape.type == ShapeType::kList) return ListOf(form, name, shape);
  const auto field = form.find(name);
  if (field != form.end()) return ScalarOf(field->second, shape.type);
  return true;  // a document: that it was given is all that counts
}

void AppendXml(const std::string& name, const Json& value, std::string& out);

void AppendMap(const Json& map, std::string& out) {
  for (const auto& [key, value] : map.items()) {
    out += "<entry><key>" + EscapeXml(key) + "</key>";
    AppendXml("value", value, out);
    out += "</entry>";
  }
}

void AppendXml(const std::string& name, const Json& value, std::string& out) {
  out += "<" + name + ">";
  if (name == "ExtendedStatistics") {
    AppendMap(value, out);
  } else if (value.is_object()) {
    out += XmlOfJson(value);
  } else if (value.is_array()) {
    for (const Json& element : value) {
      if (IsTimeMember(name) && element.is_number()) {
        out += "<member>" + FormatIso8601(FromUnixSeconds(element.get<double>())) + "</member>";
      } else {
        AppendXml("member", element, out);
      }
    }
  } else if (value.is_string()) {
    out += EscapeXml(value.get_ref<const std::string&>());
  } else if (value.is_number() && IsTimeMember(name)) {
    out += FormatIso8601(FromUnixSeconds(value.get<double>()));
  } else {
    out += value.dump();
  }
  out += "</" + name + ">";
}

}  // namespace

Json JsonOfForm(const Form& form, const Shape& structure) {
  return StructureOf(form, "", structure);
}

std::string XmlOfJson(const Json& answer) {
  std::string out;
  for (const auto& [name, value] : answer.items()) AppendXml(name, value, out);
  return out;
}

}  // namespace argosy::api
