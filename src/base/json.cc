#include "base/json.h"

#include <nlohmann/json.hpp>

namespace argosy {

Result<Json> ParseJson(std::string_view text) {
  bool too_deep = false;
  const auto within_depth = [&too_deep](int depth, Json::parse_event_t, Json&) {
    if (depth > kJsonDepthMax) too_deep = true;
    return depth <= kJsonDepthMax;
  };
  try {
    Json json = Json::parse(text.begin(), text.end(), within_depth);
    if (too_deep) {
      return Error(ErrorCode::kInvalidArgument, "JSON nests deeper than " + std::to_string(kJsonDepthMax) + " levels");
    }
    return json;
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
