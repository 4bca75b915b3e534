// Where fields and lines of a text end, found a vector of bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace argosy::data {

// The places of all ',' and '\n' in a text, and of its end when that is not behind a '\n': where fields end. The first
// one has -1 before it, the last one the text's size at least kPlainFieldsAhead times behind it (plain_numbers.h).
class Delimiters {
 public:
  // `text` is shorter than 4 GiB. The memory is kept from call to call.
  void Find(std::string_view text);

  const uint32_t* begin() const { return places_.data() + 1; }
  const uint32_t* end() const { return begin() + count_; }

 private:
  std::vector<uint32_t> places_;  // what lies behind those needed is undefined
  size_t count_ = 0;
};

// How often `byte` occurs.
size_t CountByte(std::string_view text, char byte);

}  // namespace argosy::data
