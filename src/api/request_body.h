// Bodies as their clients wrote them, before they compressed them: SDKs do so with a PutMetricData of 10 kB and more,
// and may with others.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace argosy::api {

// One gzip member, whole; kInvalidArgument when the bytes are none or hold more than `size_max`.
Result<std::string> Gunzip(std::string_view bytes, size_t size_max);

// The body without its Content-Encoding. kInvalidArgument, in a whole sentence, for one that is not gzip, for bytes
// that are not what it says, and for more than kDecodedBytesMax.
inline constexpr size_t kDecodedBytesMax = size_t{1} << 20;
Result<std::string> DecodedBody(const http::RequestView& request);

}  // namespace argosy::api
