// Memory for what is kept together and freed together, in large pieces on the system's large pages: a page fault for
// each 4 KB costs as much as parsing the text that fills it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"

namespace argosy::data {

class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Aligned to 64 bytes; stays until the arena goes. kResourceExhausted when the system has no more.
  Result<std::span<char>> Take(size_t bytes);

 private:
  std::vector<std::span<char>> pieces_;
  std::span<char> left_;  // of the last one
};

}  // namespace argosy::data
