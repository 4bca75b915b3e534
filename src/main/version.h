#pragma once

#include <string_view>

namespace argosy::main {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace argosy::main
