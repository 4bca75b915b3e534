#include "catalog/json_members.h"

#include <simdjson.h>

#include <nlohmann/json.hpp>

namespace argosy::catalog {
namespace {

using simdjson::dom::element_type;

// Nothing for what is no plain value.
std::optional<Json> PlainValue(const simdjson::dom::element& element) {
  switch (element.type()) {
    case element_type::STRING:
      return Json(std::string(std::string_view(element)));
    case element_type::INT64:
      return Json(int64_t(element));
    case element_type::UINT64:
      return Json(uint64_t(element));
    case element_type::DOUBLE:
      return Json(double(element));
    case element_type::BOOL:
      return Json(bool(element));
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<Json> ParseMembers(std::string_view text, std::initializer_list<std::string_view> names) {
  thread_local simdjson::dom::parser parser;  // its memory is kept: rows are of a few kB, and bounded as requests are
  simdjson::dom::object object;
  if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) {
    return Error(ErrorCode::kInvalidArgument, "not a JSON object");
  }
  Json members = Json::object();
  for (const std::string_view name : names) {
    simdjson::dom::element element;
    if (object.at_key(name).get(element) != simdjson::SUCCESS) continue;
    if (std::optional<Json> value = PlainValue(element)) members[std::string(name)] = std::move(*value);
  }
  return members;
}

}  // namespace argosy::catalog
