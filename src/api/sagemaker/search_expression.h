// The SearchExpression of Search: read once against the shape of the records, then held against each record. Pure.
//
// What SageMaker's reference leaves open is decided so: text is compared exactly, letter case included; a property that
// is a list satisfies a filter when one of its elements does; NotEquals is the contrary of Equals, so that it holds
// where there is no such property; a time given to the second is compared by the second.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "api/sagemaker/search_property.h"
#include "api/service_error.h"
#include "base/clock.h"

namespace argosy::api::sagemaker {

enum class SearchOperator {
  kEquals,
  kNotEquals,
  kGreaterThan,
  kGreaterThanOrEqualTo,
  kLessThan,
  kLessThanOrEqualTo,
  kContains,
  kExists,
  kNotExists,
  kIn,
};

struct SearchFilter {
  Property property;
  SearchOperator op = SearchOperator::kEquals;
  std::string text;                  // Value as sent
  std::vector<std::string> choices;  // of In
  std::optional<double> number;      // Value, where it is one
  std::optional<Time> time;          // Value of a timestamp property
  bool whole = false;                // Value has no decimals: of seconds, or of a hyperparameter
};

struct NestedSearchFilters {
  Property list;
  std::vector<SearchFilter> filters;  // their paths begin at an element of the list
};

struct SearchExpression {
  enum class Join { kAnd, kOr };
  Join join = Join::kAnd;
  std::vector<SearchFilter> filters;
  std::vector<NestedSearchFilters> nested;
  std::vector<SearchExpression> expressions;
};

// Of all conditions of an expression together, whatever their depth; SageMaker's.
inline constexpr size_t kSearchConditionsMax = 50;

// As the request declares it; what SubExpressions hold is looked at by ReadSearchExpression.
Shape SearchExpressionShape();

// `input` satisfies SearchExpressionShape(). An error names the filter and the rule it breaks.
std::variant<SearchExpression, ServiceError> ReadSearchExpression(const Shape& record, const Json& input);

bool Matches(const SearchExpression& expression, const Json& record);

}  // namespace argosy::api::sagemaker
