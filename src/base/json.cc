#include "base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace argosy {

namespace {

// A text up to this size is parsed in memory that its thread keeps.
constexpr size_t kKeptBytesMax = 64 << 10;

// Whether brackets and braces outside of strings nest deeper than kJsonDepthMax.
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

Json FromParsed(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::OBJECT: {
      Json object = Json::object();
      for (const auto& [key, value] : simdjson::dom::object(element)) {
        object[std::string(key)] = FromParsed(value);  // of several under one name the last
      }
      return object;
    }
    case element_type::ARRAY: {
      Json array = Json::array();
      for (const simdjson::dom::element value : simdjson::dom::array(element)) array.push_back(FromParsed(value));
      return array;
    }
    case element_type::STRING:
      return std::string(std::string_view(element));
    case element_type::INT64:
      return int64_t(element) < 0 ? Json(int64_t(element)) : Json(static_cast<uint64_t>(int64_t(element)));
    case element_type::UINT64:
      return uint64_t(element);
    case element_type::DOUBLE:
      return double(element);
    case element_type::BOOL:
      return bool(element);
    case element_type::NULL_VALUE:
      break;
  }
  return nullptr;
}

// Nothing when the text is no JSON, or holds a number beyond 64 bits.
std::optional<Json> ParseQuickly(std::string_view text) {
  thread_local simdjson::dom::parser kept(kKeptBytesMax);
  std::optional<simdjson::dom::parser> large;
  simdjson::dom::parser& parser = text.size() <= kKeptBytesMax ? kept : large.emplace();
  if (parser.capacity() < text.size() || parser.max_depth() != size_t{kJsonDepthMax}) {
    if (parser.allocate(std::max(text.size(), kKeptBytesMax), size_t{kJsonDepthMax}) != simdjson::SUCCESS)
      return std::nullopt;
  }
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  return FromParsed(root);
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  if (auto json = ParseQuickly(text)) return std::move(*json);
  // What is wrong the slower parser says.
  if (NestsTooDeep(text)) {
    return Error(ErrorCode::kInvalidArgument, "JSON nests deeper than " + std::to_string(kJsonDepthMax) + " levels");
  }
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& e) {
    // After the name that the library has for it: [json.exception.parse_error.101] parse error at line 1, …
    const std::string_view what = e.what();
    const size_t name = what.starts_with('[') ? what.find("] ") : std::string_view::npos;
    return Error(ErrorCode::kInvalidArgument,
                 "not JSON: " + std::string(name == std::string_view::npos ? what : what.substr(name + 2)));
  }
}

std::string DumpJson(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}
std::string DumpJsonPretty(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace argosy
