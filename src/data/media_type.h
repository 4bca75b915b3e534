// A content type as clients write it: text/csv;label_size=0, application/json; verbose=true.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace argosy::data {

struct MediaType {
  std::string type;                               // lower case, without parameters: text/csv
  std::map<std::string, std::string> parameters;  // names in lower case, values unquoted
};

// kInvalidArgument when there is no type, or a parameter has no name.
Result<MediaType> ParseMediaType(std::string_view text);

}  // namespace argosy::data
