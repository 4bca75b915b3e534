// The tags of buckets: a small file for each bucket that has any.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "objectstore/object_store.h"

namespace argosy::objectstore {

// Calls for one bucket are for the caller to order.
class BucketTagFiles {
 public:
  explicit BucketTagFiles(std::filesystem::path dir) : dir_(std::move(dir)) {}

  Result<Tags> Read(std::string_view bucket) const;
  // Durable; without tags there is no file.
  Status Write(std::string_view bucket, const Tags& tags) const;

 private:
  std::filesystem::path FileOf(std::string_view bucket) const;

  const std::filesystem::path dir_;
};

}  // namespace argosy::objectstore
