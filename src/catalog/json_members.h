// Reading a few members of a stored document without making the rest of it: lists look into one for each of their rows.
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/json.h"

namespace argosy::catalog {

// An object with those of the named members that the text's object has. kInvalidArgument when the text is no object;
// members that are objects or arrays are left out.
Result<Json> ParseMembers(std::string_view text, std::initializer_list<std::string_view> names);

}  // namespace argosy::catalog
