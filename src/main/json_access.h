// Reading answers without trusting them: what is missing or of another type is the empty value.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace argosy::main {

std::string TextAt(const Json& object, std::string_view key);
std::optional<double> NumberAt(const Json& object, std::string_view key);
std::optional<Time> TimeAt(const Json& object,
                           std::string_view key);                // seconds since the epoch, as JSON services write
std::string MakerAt(const Json& resource);                       // who made it: "vision/alice", "owner"; "" unknown
const Json& ArrayAt(const Json& object, std::string_view key);   // the empty array when there is none
const Json& ObjectAt(const Json& object, std::string_view key);  // the empty object when there is none

}  // namespace argosy::main
