// Parsed rows kept for the later epochs: in memory up to a bound, beyond it in an unlinked temporary file, so that
// memory does not grow with the data and text is parsed once.
//
// Put and Get are thread-safe. Which blocks lie where depends on timing; what Get returns does not.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "data/arena.h"
#include "data/row_block.h"

namespace argosy::data {

class RowStore {
 public:
  // `scratch_dir` gets the file when `memory_bytes_max` is reached.
  RowStore(RowShape shape, size_t memory_bytes_max, std::filesystem::path scratch_dir);

  // The place `index` must be free. The block is copied. kNoSpace when the disk is full.
  Status Put(uint64_t index, const RowBlock& block);

  // Places from 0 to the highest put, plus one. Places not put have no rows.
  size_t blocks() const { return entries_.size(); }
  size_t rows(size_t index) const { return entries_[index].rows; }
  uint64_t row_count() const { return row_count_; }
  const RowShape& shape() const { return shape_; }

  // Must not be called before all Puts are done.
  Result<std::shared_ptr<const RowView>> Get(size_t index) const;

 private:
  struct Entry {
    size_t rows = 0;
    uint32_t dictionary = 0;
    std::shared_ptr<const RowView> in_memory;  // null: in the file
    uint64_t offset = 0;
  };

  RowShape shape_;
  size_t memory_bytes_max_;
  std::filesystem::path scratch_dir_;
  std::mutex mutex_;
  Arena arena_;                 // guarded by mutex_
  std::vector<Entry> entries_;  // guarded by mutex_ until the last Put
  size_t memory_bytes_ = 0;     // guarded by mutex_
  uint64_t row_count_ = 0;      // guarded by mutex_
  uint64_t file_bytes_ = 0;     // guarded by mutex_
  UniqueFd file_;               // guarded by mutex_ until the last Put
};

}  // namespace argosy::data
