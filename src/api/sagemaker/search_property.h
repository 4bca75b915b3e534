// What a filter of Search names, such as "ResourceConfig.InstanceCount", "HyperParameters.epochs", "Tags.team" or
// "Metrics.train:loss": found in the declared shape of a record, which says how values compare, and then in records.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/shape.h"
#include "base/json.h"

namespace argosy::api::sagemaker {

enum class PropertyType {
  kText,
  kNumber,
  kBoolean,
  kTimestamp,
  kHyperParameter,  // text that may be a number
  kAny,             // of a part whose members are not declared: by what is found there
  kWhole,           // a structure, list of structures or map: there or not
};

struct Property {
  enum class Place { kPath, kTag, kMetric };
  Place place = Place::kPath;
  // kPath: the members from the record down; those of lists are looked for in each element. Otherwise one: the tag's
  // key or the metric's name.
  std::vector<std::string> path;
  PropertyType type = PropertyType::kText;
  bool is_list_of_structures = false;  // what NestedFilters are about
};

// Nothing when records of this shape have no such property. What follows a map's name is a key, dots and all.
std::optional<Property> FindProperty(const Shape& record, std::string_view name);

// The values of the property in a record, without nulls; lists are taken apart. Pointers into the record.
std::vector<const Json*> ValuesOf(const Property& property, const Json& record);

// The names of all plain properties of the shape, and of its maps ("HyperParameters."): for suggestions.
std::vector<std::string> PropertyNames(const Shape& record);

}  // namespace argosy::api::sagemaker
