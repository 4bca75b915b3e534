// Dates as HTTP writes them; base/clock.h has the other direction.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace argosy::http {

// Wed, 01 May 2024 12:34:56 GMT; nothing when it is something else.
std::optional<Time> ParseHttpDate(std::string_view text);

}  // namespace argosy::http
