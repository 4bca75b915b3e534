// Where fields and lines of a text end, found a vector of bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace argosy::data {

// Fills `positions` with the places of all ',' and '\n' in `text` and gives their number; what lies behind them in
// `positions` is undefined. `text` is shorter than 4 GiB.
size_t FindDelimiters(std::string_view text, std::vector<uint32_t>& positions);

// How often `byte` occurs.
size_t CountByte(std::string_view text, char byte);

}  // namespace argosy::data
