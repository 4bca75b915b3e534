#include "base/json.h"

#include <nlohmann/json.hpp>

namespace argosy {

namespace {

// Whether brackets and braces outside of strings nest deeper than kJsonDepthMax. Looked for before parsing: the
// parser's own callback, told of every value, costs several times what parsing does.
bool NestsTooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kJsonDepthMax) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  if (NestsTooDeep(text)) {
    return Error(ErrorCode::kInvalidArgument, "JSON nests deeper than " + std::to_string(kJsonDepthMax) + " levels");
  }
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& e) {
    return Error(ErrorCode::kInvalidArgument, std::string("not JSON: ") + e.what());
  }
}

std::string DumpJson(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}
std::string DumpJsonPretty(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace argosy
