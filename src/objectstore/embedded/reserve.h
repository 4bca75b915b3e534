// Room on the disk that is given up so that removing still works once the disk is full: what frees space must first
// write that it will.
#pragma once

#include <cstdint>
#include <filesystem>

namespace argosy::objectstore {

// One file of kBytes. Not thread-safe.
class Reserve {
 public:
  // Some hundred removals at once, each a few pages of the index.
  static constexpr int64_t kBytes = 1 << 20;

  // What an earlier process held is held.
  explicit Reserve(std::filesystem::path path);

  // Takes the room unless it is held already. A disk that has none, or a file system that promises none, leaves it for
  // the next call.
  void Hold();

  // The room is free for others. False when none was held.
  bool Release();

 private:
  const std::filesystem::path path_;
  bool held_ = false;
};

}  // namespace argosy::objectstore
