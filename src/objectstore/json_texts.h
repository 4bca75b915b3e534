// Texts in the JSON that stores keep beside their objects: what is absent, or of another type, is empty.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace argosy::objectstore {

std::string TextAt(const Json& json, const char* name);
// Of an object of texts, those of its members that are texts.
std::map<std::string, std::string> TextsAt(const Json& json, const char* name);

// kCorrupt when `text` is anything else than an object of texts.
Result<std::map<std::string, std::string>> ParseTexts(std::string_view text);
std::string DumpTexts(const std::map<std::string, std::string>& texts);

}  // namespace argosy::objectstore
