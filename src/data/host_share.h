// How what is divided into equal parts falls to the hosts of a group.
//
// With 1, 2, 4, 8 or 16 hosts each gets as much as any other, and whoever divides into a power of two of parts, as
// many as there are hosts or more, finds each part whole on one host. With another number of hosts up to 16 this holds
// for 16 parts, of which some get one more than others.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace argosy::data {

inline constexpr size_t kHostsMax = 16;

class HostShare {
 public:
  HostShare(size_t rank, size_t hosts) : rank_(rank), hosts_(hosts) {}

  // The fewest parts that something may be divided into.
  static size_t PartsMin(size_t hosts) { return std::has_single_bit(hosts) ? hosts : kHostsMax; }

  // Of things 0 … count - 1 the host's are those from First on, before End.
  uint64_t First(uint64_t count) const { return Boundary(rank_, count); }
  uint64_t End(uint64_t count) const { return Boundary(rank_ + 1, count); }

 private:
  uint64_t Boundary(size_t rank, uint64_t count) const {
    const size_t parts = PartsMin(hosts_);
    return parts * rank / hosts_ * count / parts;
  }

  size_t rank_;
  size_t hosts_;
};

}  // namespace argosy::data
