#include "data/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

namespace argosy::data {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kLargePage = 2 << 20;
constexpr size_t kPieceMax = 32 << 20;  // pieces double up to this, so that small data takes little

size_t RoundUp(size_t bytes, size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

Arena::~Arena() {
  for (const std::span<char> piece : pieces_) ::munmap(piece.data(), piece.size());
}

Result<std::span<char>> Arena::Take(size_t bytes) {
  const size_t needed = RoundUp(bytes, kAlignment);
  if (left_.size() < needed) {
    const size_t before = pieces_.empty() ? kLargePage / 2 : pieces_.back().size();
    const size_t size = std::max(RoundUp(needed, kLargePage), std::min(2 * before, kPieceMax));
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      return Error(ErrorCode::kResourceExhausted,
                   "there is no memory for " + std::to_string(size >> 20) + " MB of rows");
    }
    (void)::madvise(memory, size, MADV_HUGEPAGE);  // a wish
    pieces_.emplace_back(static_cast<char*>(memory), size);
    left_ = pieces_.back();
  }
  const std::span<char> taken = left_.first(bytes);
  left_ = left_.subspan(needed);
  return taken;
}

}  // namespace argosy::data
