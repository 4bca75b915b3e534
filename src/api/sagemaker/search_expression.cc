#include "api/sagemaker/search_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/patterns.h"
#include "api/validation.h"
#include "base/bytes.h"
#include "catalog/json_fields.h"

namespace argosy::api::sagemaker {
namespace {

using catalog::ArrayField;
using catalog::TextField;

constexpr std::array<std::pair<std::string_view, SearchOperator>, 10> kOperators = {{
    {"Equals", SearchOperator::kEquals},
    {"NotEquals", SearchOperator::kNotEquals},
    {"GreaterThan", SearchOperator::kGreaterThan},
    {"GreaterThanOrEqualTo", SearchOperator::kGreaterThanOrEqualTo},
    {"LessThan", SearchOperator::kLessThan},
    {"LessThanOrEqualTo", SearchOperator::kLessThanOrEqualTo},
    {"Contains", SearchOperator::kContains},
    {"Exists", SearchOperator::kExists},
    {"NotExists", SearchOperator::kNotExists},
    {"In", SearchOperator::kIn},
}};

std::vector<std::string> OperatorNames() {
  std::vector<std::string> names;
  for (const auto& [name, op] : kOperators) names.emplace_back(name);
  return names;
}

bool IsOrdering(SearchOperator op) {
  return op == SearchOperator::kGreaterThan || op == SearchOperator::kGreaterThanOrEqualTo ||
         op == SearchOperator::kLessThan || op == SearchOperator::kLessThanOrEqualTo;
}
bool AsksForPresence(SearchOperator op) {
  return op == SearchOperator::kExists || op == SearchOperator::kNotExists;
}
bool IsForText(SearchOperator op) {
  return op == SearchOperator::kContains || op == SearchOperator::kIn;
}

// A time without a zone is UTC, as the reference writes them.
std::optional<Time> ReadTime(const std::string& text) {
  const std::optional<Time> time = ParseIso8601(text);
  return time ? time : ParseIso8601(text + "Z");
}

// Why the operator and value cannot be used with a property of this type, "" when they can.
std::string CheckValue(const SearchFilter& filter, std::string_view op) {
  const PropertyType type = filter.property.type;
  if (AsksForPresence(filter.op)) return "";
  if (type == PropertyType::kWhole) return "it has members: only Exists and NotExists can be asked of it";
  if (filter.text.empty()) return fmt::format("the operator {} needs a Value", op);
  if (IsForText(filter.op)) {
    const bool text =
        type == PropertyType::kText || type == PropertyType::kHyperParameter || type == PropertyType::kAny;
    return text ? "" : fmt::format("the operator {} is supported for text properties only", op);
  }
  if (IsOrdering(filter.op)) {
    if (type == PropertyType::kText) return fmt::format("the operator {} is not supported for text properties", op);
    if (type == PropertyType::kBoolean) return fmt::format("the operator {} is not supported for Booleans", op);
    if (type != PropertyType::kTimestamp && !filter.number) {
      return fmt::format("the Value '{}' must be an integer or a decimal number", filter.text);
    }
  }
  if (type == PropertyType::kNumber && !filter.number) {
    return fmt::format("the Value '{}' must be an integer or a decimal number", filter.text);
  }
  if (type == PropertyType::kTimestamp && !filter.time) {
    return fmt::format("the Value '{}' must be a time such as 2024-05-01T12:34:56", filter.text);
  }
  if (type == PropertyType::kBoolean && filter.text != "true" && filter.text != "false") {
    return fmt::format("the Value '{}' must be true or false", filter.text);
  }
  return "";
}

std::variant<SearchFilter, ServiceError> ReadFilter(const Shape& record, const Json& input) {
  const std::string name = TextField(input, "Name");
  std::optional<Property> property = FindProperty(record, name);
  if (!property) return ValidationError(fmt::format("'{}' is no property of the resource that is searched.", name));
  SearchFilter filter;
  filter.property = std::move(*property);
  const std::string op = TextField(input, "Operator", "Equals");
  const auto* const found =
      std::find_if(kOperators.begin(), kOperators.end(), [&](const auto& entry) { return entry.first == op; });
  if (found != kOperators.end()) filter.op = found->second;  // it is one of the enum's
  filter.text = TextField(input, "Value");
  filter.number = ParseDouble(filter.text);
  if (filter.number && !std::isfinite(*filter.number)) filter.number.reset();
  if (filter.property.type == PropertyType::kTimestamp) filter.time = ReadTime(filter.text);
  filter.whole = filter.time ? filter.text.find('.') == std::string::npos : ParseInt(filter.text).has_value();
  if (const std::string reason = CheckValue(filter, op); !reason.empty()) {
    return ValidationError(fmt::format("The filter on '{}' cannot be used: {}.", name, reason));
  }
  if (filter.op == SearchOperator::kIn) {
    for (std::string_view rest = filter.text;;) {
      const size_t comma = rest.find(',');
      filter.choices.emplace_back(Trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return filter;
}

std::variant<NestedSearchFilters, ServiceError> ReadNested(const Shape& record, const Json& input) {
  const std::string name = TextField(input, "NestedPropertyName");
  std::optional<Property> list = FindProperty(record, name);
  if (!list || !list->is_list_of_structures) {
    return ValidationError(
        fmt::format("The NestedPropertyName '{}' is no list of the resource that is searched.", name));
  }
  NestedSearchFilters nested;
  nested.list = std::move(*list);
  for (const Json& each : ArrayField(input, "Filters")) {
    const std::string filter_name = TextField(each, "Name");
    if (!filter_name.starts_with(name + ".")) {
      return ValidationError(fmt::format("The nested filter on '{}' must begin with '{}.'.", filter_name, name));
    }
    std::variant<SearchFilter, ServiceError> filter = ReadFilter(record, each);
    if (auto* error = std::get_if<ServiceError>(&filter)) return std::move(*error);
    std::vector<std::string>& path = std::get<SearchFilter>(filter).property.path;
    path.erase(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(nested.list.path.size()));
    nested.filters.push_back(std::get<SearchFilter>(std::move(filter)));
  }
  return nested;
}

// What an expression may hold in all, counted while it is read.
struct Budget {
  size_t conditions = 0;
  size_t contains = 0;
};

std::optional<ServiceError> Spend(const Json& filters, Budget& budget) {
  for (const Json& filter : filters) {
    if (TextField(filter, "Operator") == "Contains" && ++budget.contains > 1) {
      return ValidationError("'CONTAINS' operator usage limit of 1 exceeded.");
    }
  }
  return std::nullopt;
}

std::variant<SearchExpression, ServiceError> Read(const Shape& record, const Json& input, Budget& budget) {
  const Json& filters = ArrayField(input, "Filters");
  const Json& nested = ArrayField(input, "NestedFilters");
  const Json& expressions = ArrayField(input, "SubExpressions");
  const size_t conditions = filters.size() + nested.size() + expressions.size();
  if (conditions == 0) {
    return ValidationError("A SearchExpression needs at least one of Filters, NestedFilters and SubExpressions.");
  }
  budget.conditions += conditions;
  if (budget.conditions > kSearchConditionsMax) {
    return ValidationError(
        fmt::format("A SearchExpression can hold at most {} filters, nested filters and "
                    "subexpressions in all.",
                    kSearchConditionsMax));
  }
  SearchExpression read;
  if (TextField(input, "Operator") == "Or") read.join = SearchExpression::Join::kOr;
  if (auto error = Spend(filters, budget)) return std::move(*error);
  for (const Json& each : filters) {
    std::variant<SearchFilter, ServiceError> filter = ReadFilter(record, each);
    if (auto* error = std::get_if<ServiceError>(&filter)) return std::move(*error);
    read.filters.push_back(std::get<SearchFilter>(std::move(filter)));
  }
  for (const Json& each : nested) {
    if (auto error = Spend(ArrayField(each, "Filters"), budget)) return std::move(*error);
    std::variant<NestedSearchFilters, ServiceError> filter = ReadNested(record, each);
    if (auto* error = std::get_if<ServiceError>(&filter)) return std::move(*error);
    read.nested.push_back(std::get<NestedSearchFilters>(std::move(filter)));
  }
  for (const Json& each : expressions) {
    if (auto error = Validate(SearchExpressionShape(), each, "Search")) return std::move(*error);
    std::variant<SearchExpression, ServiceError> expression = Read(record, each, budget);
    if (auto* error = std::get_if<ServiceError>(&expression)) return std::move(*error);
    read.expressions.push_back(std::get<SearchExpression>(std::move(expression)));
  }
  return read;
}

// --- holding records against it
// ---------------------------------------------------------------------------------------

bool Holds(SearchOperator op, double value, double wanted) {
  switch (op) {
    case SearchOperator::kEquals:
      return value == wanted;
    case SearchOperator::kGreaterThan:
      return value > wanted;
    case SearchOperator::kGreaterThanOrEqualTo:
      return value >= wanted;
    case SearchOperator::kLessThan:
      return value < wanted;
    case SearchOperator::kLessThanOrEqualTo:
      return value <= wanted;
    default:
      return false;
  }
}

bool HoldsText(const SearchFilter& filter, const std::string& value) {
  switch (filter.op) {
    case SearchOperator::kEquals:
      return value == filter.text;
    case SearchOperator::kContains:
      return value.find(filter.text) != std::string::npos;
    case SearchOperator::kIn:
      return std::find(filter.choices.begin(), filter.choices.end(), value) != filter.choices.end();
    default:
      return false;
  }
}

bool HoldsHyperParameter(const SearchFilter& filter, const std::string& value) {
  const std::optional<double> number = ParseDouble(value);
  if (IsForText(filter.op) || !filter.number || !number) return HoldsText(filter, value);
  // Compared with an integer, decimals count as integers: the reference's rule.
  return Holds(filter.op, filter.whole ? std::trunc(*number) : *number, *filter.number);
}

bool HoldsTime(const SearchFilter& filter, double seconds) {
  return Holds(filter.op, filter.whole ? std::floor(seconds) : seconds, ToUnixSeconds(*filter.time));
}

// For all operators that look at one value; NotEquals is asked as Equals.
bool HoldsValue(const SearchFilter& filter, const Json& value) {
  if (filter.property.type == PropertyType::kTimestamp)
    return value.is_number() && HoldsTime(filter, value.get<double>());
  if (value.is_boolean())
    return filter.op == SearchOperator::kEquals && filter.text == (value.get<bool>() ? "true" : "false");
  if (value.is_number()) return filter.number && Holds(filter.op, value.get<double>(), *filter.number);
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return filter.property.type == PropertyType::kHyperParameter ? HoldsHyperParameter(filter, text)
                                                               : HoldsText(filter, text);
}

bool MatchesFilter(const SearchFilter& filter, const Json& record) {
  const std::vector<const Json*> values = ValuesOf(filter.property, record);
  if (filter.op == SearchOperator::kExists) return !values.empty();
  if (filter.op == SearchOperator::kNotExists) return values.empty();
  if (filter.op == SearchOperator::kNotEquals) {
    SearchFilter equals = filter;
    equals.op = SearchOperator::kEquals;
    return !MatchesFilter(equals, record);
  }
  return std::any_of(values.begin(), values.end(), [&](const Json* value) { return HoldsValue(filter, *value); });
}

// Whether one element of the list satisfies all of the filters.
bool MatchesNested(const NestedSearchFilters& nested, const Json& record) {
  const std::vector<const Json*> elements = ValuesOf(nested.list, record);
  return std::any_of(elements.begin(), elements.end(), [&](const Json* element) {
    return std::all_of(nested.filters.begin(), nested.filters.end(),
                       [&](const SearchFilter& filter) { return MatchesFilter(filter, *element); });
  });
}

}  // namespace

Shape SearchExpressionShape() {
  const Shape name = String().Length(1, 255).Matching(kNonEmptyLinePattern);
  const Shape filters = List(Structure({
                                 Required("Name", name),
                                 Optional("Operator", Enum(OperatorNames())),
                                 Optional("Value", String().Length(1, 1024).Matching(kNonEmptyLinePattern)),
                             }))
                            .Length(1, 20);
  return Structure({
      Optional("Filters", filters),
      Optional("NestedFilters",
               List(Structure({Required("NestedPropertyName", name), Required("Filters", filters)})).Length(1, 20)),
      Optional("SubExpressions", List(Document()).Length(1, 20)),
      Optional("Operator", Enum({"And", "Or"})),
  });
}

std::variant<SearchExpression, ServiceError> ReadSearchExpression(const Shape& record, const Json& input) {
  Budget budget;
  return Read(record, input, budget);
}

bool Matches(const SearchExpression& expression, const Json& record) {
  // Whether a condition decides the whole: a true one of Or, a false one of And.
  const bool decisive = expression.join == SearchExpression::Join::kOr;
  for (const SearchFilter& filter : expression.filters) {
    if (MatchesFilter(filter, record) == decisive) return decisive;
  }
  for (const NestedSearchFilters& nested : expression.nested) {
    if (MatchesNested(nested, record) == decisive) return decisive;
  }
  for (const SearchExpression& each : expression.expressions) {
    if (Matches(each, record) == decisive) return decisive;
  }
  return !decisive;
}

}  // namespace argosy::api::sagemaker
