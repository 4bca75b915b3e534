// Reading and writing the JSON documents of resources field by field. For .cc files of this folder and protocol/.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/json.h"

namespace argosy::catalog {

// Each gives the fallback when the field is absent or of another type: documents of other versions stay readable.
inline std::string TextField(const Json& json, const char* name, std::string fallback = "") {
  const auto it = json.find(name);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::move(fallback);
}
inline int64_t IntField(const Json& json, const char* name, int64_t fallback = 0) {
  const auto it = json.find(name);
  if (it == json.end() || !it->is_number()) return fallback;
  if (it->is_number_integer()) return it->get<int64_t>();
  const double value = it->get<double>();
  return value > -9e18 && value < 9e18 ? static_cast<int64_t>(value) : fallback;
}
inline double NumberField(const Json& json, const char* name, double fallback = 0) {
  const auto it = json.find(name);
  return it != json.end() && it->is_number() ? it->get<double>() : fallback;
}
inline bool FlagField(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_boolean() && it->get<bool>();
}
inline std::optional<Time> TimeField(const Json& json, const char* name) {
  const auto it = json.find(name);
  if (it == json.end() || !it->is_number_integer()) return std::nullopt;
  return FromUnixNanos(it->get<int64_t>());
}
// An empty object or array when absent or of another type.
inline const Json& ObjectField(const Json& json, const char* name) {
  static const Json empty = Json::object();
  const auto it = json.find(name);
  return it != json.end() && it->is_object() ? *it : empty;
}
inline const Json& ArrayField(const Json& json, const char* name) {
  static const Json empty = Json::array();
  const auto it = json.find(name);
  return it != json.end() && it->is_array() ? *it : empty;
}
inline std::map<std::string, std::string> TextMapField(const Json& json, const char* name) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : ObjectField(json, name).items()) {
    if (value.is_string()) out[key] = value.get<std::string>();
  }
  return out;
}
inline void SetTime(Json& json, const char* name, const std::optional<Time>& time) {
  if (time) json[name] = ToUnixNanos(*time);
}
inline Result<Json> ParseObject(std::string_view text, std::string_view what) {
  Result<Json> json = ParseJson(text);
  if (!json.ok()) return json.error().Wrap(what);
  if (!json->is_object()) return Error(ErrorCode::kInvalidArgument, std::string(what) + ": not a JSON object");
  return json;
}

}  // namespace argosy::catalog
