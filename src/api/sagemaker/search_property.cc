#include "api/sagemaker/search_property.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "catalog/json_fields.h"

namespace argosy::api::sagemaker {
namespace {

constexpr std::string_view kTagsPrefix = "Tags.";
constexpr std::string_view kMetricsPrefix = "Metrics.";
constexpr std::string_view kHyperParametersPrefix = "HyperParameters.";

PropertyType TypeOf(const Shape& shape) {
  switch (shape.type) {
    case ShapeType::kString:
      return PropertyType::kText;
    case ShapeType::kInteger:
    case ShapeType::kLong:
    case ShapeType::kDouble:
      return PropertyType::kNumber;
    case ShapeType::kBoolean:
      return PropertyType::kBoolean;
    case ShapeType::kTimestamp:
      return PropertyType::kTimestamp;
    case ShapeType::kDocument:
      return PropertyType::kAny;
    case ShapeType::kList:
      return TypeOf(shape.parts[0]);
    case ShapeType::kMap:
    case ShapeType::kStructure:
      break;
  }
  return PropertyType::kWhole;
}

const Member* FindMember(const Shape& structure, std::string_view name) {
  const auto found = std::find_if(structure.members.begin(), structure.members.end(),
                                  [&](const Member& member) { return member.name == name; });
  return found == structure.members.end() ? nullptr : &*found;
}

const Shape& WithoutLists(const Shape& shape) {
  const Shape* inner = &shape;
  while (inner->type == ShapeType::kList) inner = &inner->parts[0];
  return *inner;
}

// Up to the next dot, which is taken off with it.
std::string_view TakeComponent(std::string_view& rest) {
  const size_t dot = rest.find('.');
  const std::string_view component = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return component;
}

std::optional<Property> Named(Property::Place place, std::string_view name, PropertyType type) {
  if (name.empty()) return std::nullopt;
  return Property{place, {std::string(name)}, type};
}

void Collect(const Json& at, std::span<const std::string> path, std::vector<const Json*>& out) {
  if (at.is_array()) {
    for (const Json& element : at) Collect(element, path, out);
  } else if (path.empty()) {
    if (!at.is_null()) out.push_back(&at);
  } else if (at.is_object()) {
    const auto member = at.find(path.front());
    if (member != at.end()) Collect(*member, path.subspan(1), out);
  }
}

// The `wanted` member of the elements of a list that are named so.
std::vector<const Json*> OfNamed(const Json& list, const char* name_member, const std::string& name,
                                 const char* wanted) {
  std::vector<const Json*> values;
  for (const Json& element : list) {
    if (catalog::TextField(element, name_member) != name) continue;
    const auto value = element.find(wanted);
    if (value != element.end() && !value->is_null()) values.push_back(&*value);
  }
  return values;
}

void AppendNames(const Shape& structure, const std::string& prefix, std::vector<std::string>& names) {
  for (const Member& member : structure.members) {
    const Shape& inner = WithoutLists(member.shape);
    const std::string name = prefix + member.name;
    if (inner.type == ShapeType::kStructure) {
      AppendNames(inner, name + ".", names);
    } else {
      names.push_back(inner.type == ShapeType::kMap ? name + "." : name);
    }
  }
}

}  // namespace

std::optional<Property> FindProperty(const Shape& record, std::string_view name) {
  if (name.starts_with(kTagsPrefix)) {
    const std::string_view key = name.substr(kTagsPrefix.size());
    return Named(Property::Place::kTag, key, PropertyType::kText);
  }
  if (name.starts_with(kMetricsPrefix) && FindMember(record, "FinalMetricDataList") != nullptr) {
    return Named(Property::Place::kMetric, name.substr(kMetricsPrefix.size()), PropertyType::kNumber);
  }
  Property property;
  const Shape* at = &record;
  std::string_view rest = name;
  while (!rest.empty()) {
    const Shape& inner = WithoutLists(*at);
    if (inner.type == ShapeType::kStructure) {
      const std::string_view component = TakeComponent(rest);
      const Member* member = FindMember(inner, component);
      if (member == nullptr) return std::nullopt;
      property.path.emplace_back(component);
      at = &member->shape;
    } else if (inner.type == ShapeType::kMap) {
      property.path.emplace_back(rest);
      rest = {};
      at = &inner.parts[1];
    } else if (inner.type == ShapeType::kDocument) {
      property.path.emplace_back(TakeComponent(rest));
    } else {
      return std::nullopt;
    }
  }
  if (property.path.empty() || name.ends_with('.')) return std::nullopt;
  property.type = name.starts_with(kHyperParametersPrefix) ? PropertyType::kHyperParameter : TypeOf(*at);
  property.is_list_of_structures = at->type == ShapeType::kList && WithoutLists(*at).type == ShapeType::kStructure;
  return property;
}

std::vector<const Json*> ValuesOf(const Property& property, const Json& record) {
  std::vector<const Json*> values;
  switch (property.place) {
    case Property::Place::kTag:
      return OfNamed(catalog::ArrayField(record, "Tags"), "Key", property.path[0], "Value");
    case Property::Place::kMetric:
      return OfNamed(catalog::ArrayField(record, "FinalMetricDataList"), "MetricName", property.path[0], "Value");
    case Property::Place::kPath:
      Collect(record, property.path, values);
  }
  return values;
}

std::vector<std::string> PropertyNames(const Shape& record) {
  std::vector<std::string> names;
  AppendNames(record, "", names);
  return names;
}

}  // namespace argosy::api::sagemaker
