// How far a word is from one that was meant, for "did you mean".
#pragma once

#include <cstddef>
#include <string_view>

namespace argosy::main {

// How many letters have to be put in, taken out or changed to make `b` of `a` (Levenshtein).
size_t EditDistance(std::string_view a, std::string_view b);

}  // namespace argosy::main
