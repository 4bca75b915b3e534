#include "main/json_access.h"

#include <nlohmann/json.hpp>

#include "auth/principal.h"

namespace argosy::main {
namespace {

const Json* Find(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(std::string(key));
  return at == object.end() ? nullptr : &*at;
}

}  // namespace

std::string TextAt(const Json& object, std::string_view key) {
  const Json* value = Find(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

std::optional<double> NumberAt(const Json& object, std::string_view key) {
  const Json* value = Find(object, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

std::optional<Time> TimeAt(const Json& object, std::string_view key) {
  const std::optional<double> seconds = NumberAt(object, key);
  if (!seconds) return std::nullopt;
  return FromUnixSeconds(*seconds);
}

std::string MakerAt(const Json& resource) {
  const auth::Maker maker = auth::MakerOf(TextAt(ObjectAt(ObjectAt(resource, "CreatedBy"), "IamIdentity"), "Arn"));
  return maker.team.empty() ? maker.name : maker.team + "/" + maker.name;
}

const Json& ArrayAt(const Json& object, std::string_view key) {
  static const Json kNone = Json::array();
  const Json* value = Find(object, key);
  return value != nullptr && value->is_array() ? *value : kNone;
}

const Json& ObjectAt(const Json& object, std::string_view key) {
  static const Json kNone = Json::object();
  const Json* value = Find(object, key);
  return value != nullptr && value->is_object() ? *value : kNone;
}

}  // namespace argosy::main
