// Sizes as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace argosy::main {

// 8G, 512M, 64k, 1024 → bytes (powers of 1024); nothing when it is none.
std::optional<uint64_t> ParseByteSize(std::string_view text);

}  // namespace argosy::main
