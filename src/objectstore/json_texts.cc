#include "objectstore/json_texts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace argosy::objectstore {

std::string TextAt(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::map<std::string, std::string> TextsAt(const Json& json, const char* name) {
  std::map<std::string, std::string> out;
  const auto at = json.find(name);
  if (at == json.end() || !at->is_object()) return out;
  for (const auto& [key, value] : at->items()) {
    if (value.is_string()) out[key] = value.get<std::string>();
  }
  return out;
}

Result<std::map<std::string, std::string>> ParseTexts(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  const auto is_text = [](const Json& value) { return value.is_string(); };
  if (!json.ok() || !json->is_object() || !std::ranges::all_of(*json, is_text)) {
    return Error(ErrorCode::kCorrupt, "this is no JSON object of texts");
  }
  return json->get<std::map<std::string, std::string>>();
}

std::string DumpTexts(const std::map<std::string, std::string>& texts) {
  return DumpJson(Json(texts));
}

}  // namespace argosy::objectstore
