// JSON at the control plane's pace (nlohmann), with the bounds that input from outside needs. Hot paths use simdjson.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace argosy {

using Json = nlohmann::json;

inline constexpr int kJsonDepthMax = 64;  // deeper text would overflow the stack when it is copied or written

// kInvalidArgument with place and reason when `text` is not JSON or nests deeper than kJsonDepthMax.
Result<Json> ParseJson(std::string_view text);

// Never throws: bytes that are not UTF-8 become U+FFFD.
std::string DumpJson(const Json& json);
std::string DumpJsonPretty(const Json& json);

}  // namespace argosy
