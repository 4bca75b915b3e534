// The rows of a table in blocks of one size, as trainings walk over them. Where the text happened to be divided when it
// was read, and by whom, is forgotten: the blocks depend on the rows and their columns alone, so that a table gives the
// same blocks whatever it is written in.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "data/row_store.h"

namespace argosy::data {

// From the numbers that a dictionary gave (category_dictionary.h) to the places in the schema's sorted lists.
struct Translations {
  static constexpr size_t kNoColumn = static_cast<size_t>(-1);
  std::vector<std::vector<std::vector<uint32_t>>>
      places;                       // [dictionary][column][number]; empty: they are places already
  size_t label_column = kNoColumn;  // the labels', when they are translated
};

class RowBlocks {
 public:
  // All of `store` has been put.
  RowBlocks(std::unique_ptr<const RowStore> store, Translations translations);

  size_t blocks() const { return (row_count() + rows_per_block_ - 1) / rows_per_block_; }
  size_t rows(size_t index) const;
  uint64_t row_count() const { return store_->row_count(); }
  const RowShape& shape() const { return store_->shape(); }

  // Categories are places in the schema's lists, kUnseenCategory for none; labels are numbers or classes. Thread-safe.
  // What is given must not outlive this.
  Result<std::shared_ptr<const RowView>> Get(size_t index) const;

 private:
  void Translate(RowBlock& block, size_t first_row, uint32_t dictionary) const;

  std::unique_ptr<const RowStore> store_;
  Translations translations_;
  size_t rows_per_block_;
  std::vector<uint64_t> starts_;  // by piece of the store: its first row; at the end the number of rows
};

}  // namespace argosy::data
