// Locks that order what is done to one name, such as the writes of one key: a fixed number, shared by hash.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string_view>

namespace argosy::objectstore {

class Stripes {
 public:
  std::mutex& Of(std::string_view name) { return stripes_[std::hash<std::string_view>()(name) % kStripes]; }
  std::mutex& Of(std::string_view bucket, std::string_view key) {
    const size_t hash = std::hash<std::string_view>()(bucket) * 31 + std::hash<std::string_view>()(key);
    return stripes_[hash % kStripes];
  }

 private:
  static constexpr size_t kStripes = 1024;  // far more than threads that write at once
  std::array<std::mutex, kStripes> stripes_;
};

}  // namespace argosy::objectstore
