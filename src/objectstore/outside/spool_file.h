// A body on its way to the outside, in a file of this machine: what has been sent is given back to the disk, most of it
// before the system has written it there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace argosy::objectstore {

// Removed at the end of this object. One thread appends; others read and drop what is there.
class SpoolFile {
 public:
  static Result<std::shared_ptr<SpoolFile>> Make(std::filesystem::path path);
  SpoolFile(std::filesystem::path path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  Status Append(std::string_view piece);
  uint64_t size() const { return size_; }
  // Nobody reads these bytes any more.
  void Drop(uint64_t offset, uint64_t length) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
  const UniqueFd file_;
  uint64_t size_ = 0;
};

}  // namespace argosy::objectstore
