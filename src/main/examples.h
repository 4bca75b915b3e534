// What `argosy help VERB` shows: some lines as one would type them. A test parses each.
#pragma once

#include <string_view>

namespace argosy::main {

// Lines, each of two blanks, a command and perhaps a remark behind `#`. Empty for a verb that needs none.
std::string_view ExamplesOf(std::string_view verb);

}  // namespace argosy::main
