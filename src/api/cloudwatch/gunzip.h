// Bodies that clients compress.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace argosy::api::cloudwatch {

// One gzip member, whole; kInvalidArgument when the bytes are none or hold more than `size_max`.
Result<std::string> Gunzip(std::string_view bytes, size_t size_max);

}  // namespace argosy::api::cloudwatch
