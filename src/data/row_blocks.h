// The rows of a table in blocks of one size, as trainings walk over them. Where the text happened to be divided when it
// was read, and by whom, is forgotten: the blocks depend on the rows and their columns alone, so that a table gives the
// same blocks whatever it is written in.
#pragma once

#include <limits>
#include <memory>
#include <span>
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

// In place of a dictionary's number: categories and labels are what they should be.
inline constexpr uint32_t kTranslated = std::numeric_limits<uint32_t>::max();

class RowBlocks {
 public:
  // All of `store` has been put. It has the rows from `first_row` on, of `row_count` that the table has.
  RowBlocks(std::unique_ptr<RowStore> store, Translations translations, uint64_t first_row, uint64_t row_count);
  // Adds rows before those that are there, or behind them.
  void AddBefore(std::unique_ptr<const RowStore> store, uint64_t first_row);
  void AddBehind(std::unique_ptr<const RowStore> store, uint64_t first_row);

  // Of the whole table, also where only some of its rows are here.
  size_t blocks() const { return (row_count_ + rows_per_block_ - 1) / rows_per_block_; }
  size_t rows(size_t index) const;
  size_t rows_per_block() const { return rows_per_block_; }
  uint64_t row_count() const { return row_count_; }
  const RowShape& shape() const { return shape_; }

  // Of a block whose rows are here. Categories are places in the schema's lists, kUnseenCategory for none; labels are
  // numbers or classes. Thread-safe. What is given must not outlive this.
  Result<std::shared_ptr<const RowView>> Get(size_t index) const;
  // The same in pieces where they lie, put behind what `views` holds; `space` takes those that lie nowhere in memory.
  // They stand until `space` or this is changed.
  Status View(size_t index, RowBlock& space, std::vector<RowView>& views) const;
  // The rows from `first` on, behind those that are in `out`. As Get.
  Status Append(uint64_t first, size_t count, RowBlock& out) const;

 private:
  struct Piece {
    const RowStore* store;
    size_t index;
    uint64_t first_row;
  };
  size_t PieceOf(uint64_t row) const;
  void Translate(std::span<uint32_t> categories, std::span<float> labels, uint32_t dictionary) const;

  std::vector<std::unique_ptr<const RowStore>> stores_;
  Translations translations_;
  RowShape shape_;
  uint64_t row_count_;
  size_t rows_per_block_;
  std::vector<Piece> pieces_;  // in order of their rows, none empty
};

}  // namespace argosy::data
