// The Range header of a GET, as S3 takes it (RFC 9110, section 14).
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

namespace argosy::api::s3 {

struct WholeObject {};     // no range, or one that S3 does not heed (several ranges, another unit, nonsense)
struct NotSatisfiable {};  // nothing of the object lies in it: 416
struct ByteRange {
  uint64_t first = 0;
  uint64_t length = 0;  // > 0

  bool operator==(const ByteRange&) const = default;
};
using Range = std::variant<WholeObject, NotSatisfiable, ByteRange>;

// `size`: the object's. An empty header asks for the whole.
Range ParseRange(std::string_view header, uint64_t size);

}  // namespace argosy::api::s3
