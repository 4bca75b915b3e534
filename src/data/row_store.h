// Parsed rows kept for the later epochs: in memory up to a bound, beyond it in an unlinked temporary file, so that
// memory does not grow with the data and text is parsed once.
//
// Put, ViewOf and Append are thread-safe. Which rows lie where depends on timing.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
  size_t pieces() const { return entries_.size(); }
  size_t rows(size_t index) const { return entries_[index].rows; }
  uint32_t dictionary(size_t index) const { return entries_[index].dictionary; }
  uint64_t row_count() const { return row_count_; }
  const RowShape& shape() const { return shape_; }

  // Of the rows of a piece, `count` from `first` on, as they were put. Not before all Puts are done.
  // Nothing when they are not in memory.
  std::optional<RowView> ViewOf(size_t index, size_t first, size_t count) const;
  // Changes the categories and labels of the pieces in memory in their place; their dictionary is `dictionary` then.
  void Rewrite(const std::function<void(std::span<uint32_t> categories, std::span<float> labels, uint32_t of)>& change,
               uint32_t dictionary);
  // Behind those that are in `out`.
  Status Append(size_t index, size_t first, size_t count, RowBlock& out) const;

 private:
  struct Entry {
    size_t rows = 0;
    uint32_t dictionary = 0;
    // Both hold the piece's numbers, then its categories, then its labels.
    std::span<char> memory;  // empty: in the file
    uint64_t offset = 0;
  };

  float* NumericOf(const Entry& entry) const;
  uint32_t* CategoriesOf(const Entry& entry) const;
  float* LabelsOf(const Entry& entry) const;

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
