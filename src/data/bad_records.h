// Records that cannot be read: counted and left out up to a bound. Thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"

namespace argosy::data {

class BadRecords {
 public:
  explicit BadRecords(uint64_t max) : max_(max) {}

  // Whether the record that `error` is of may be left out. `block` is its block's place: of several the first in the
  // data is remembered.
  bool Skip(const Error& error, uint64_t block) {
    if (max_ == 0) return false;
    const std::lock_guard lock(mutex_);
    if (block < first_block_) {
      first_block_ = block;
      first_ = error.message();
    }
    return ++count_ <= max_;
  }

  uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  uint64_t max() const { return max_; }
  // What is wrong with the first one, with its place.
  std::string first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  const uint64_t max_;
  mutable std::mutex mutex_;
  uint64_t count_ = 0;
  uint64_t first_block_ = std::numeric_limits<uint64_t>::max();
  std::string first_;
};

}  // namespace argosy::data
