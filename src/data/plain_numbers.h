// Fields of a text that are written as most numbers are, to floats, a vector of them at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace argosy::data {

// Field k, of `count`, lies between the delimiters at `base + at[k - 1]` and `base + at[k]` (at[-1] too must be there;
// an offset may be -1: before the first byte). Writes the fields' numbers to `out` until one is not written plainly, as
// `[-]digits[.digits]` of at most eight characters, and gives how many were: that one may be a number all the same, or
// none, or missing. The numbers are those of ParseNumber, rounded to floats.
//
// Readable must be the 8 bytes before `base + at[k]`, for every k from 0 to count + kPlainFieldsAhead; `out` is written
// up to `count` only.
inline constexpr size_t kPlainFieldsAhead = 8;
size_t ParsePlainFields(const char* base, const uint32_t* at, size_t count, float* out);

}  // namespace argosy::data
