// CloudWatch Logs' filter patterns for unstructured events.
//
//   ERROR timeout         both terms
//   "took 3 s"            a phrase; in it \" and \\ stand for themselves
//   ?ERROR ?WARN          one of these at least; they do not count beside terms that are required
//   ERROR -retry          without the term
//
// Terms are found anywhere in the message, case counts. Patterns on JSON ({…}), on columns ([…]) and regular
// expressions
// (%…%) are refused by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace argosy::api {

class FilterPattern {
 public:
  // The empty pattern matches everything. kInvalidArgument says what is wrong.
  static Result<FilterPattern> Parse(std::string_view text);

  bool Matches(std::string_view message) const;

 private:
  std::vector<std::string> required_, optional_, excluded_;
};

}  // namespace argosy::api
