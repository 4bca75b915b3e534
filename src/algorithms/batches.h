// Rows of a data set as normalised mini-batches.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "algorithms/vectors.h"
#include "base/random.h"
#include "data/dataset.h"

namespace argosy::algorithms {

// A mini-batch, normalised. Category numbers count over all columns; data::kUnseenCategory is none.
struct RowBatch {
  size_t rows = 0;
  uint64_t first = 0;                // rows that its reader has given or passed over before
  std::vector<float> numeric;        // [rows × PadToLane(numeric)]
  std::vector<uint32_t> categories;  // [rows × categorical]
  std::vector<float> labels;         // [rows]
  std::vector<float> weights;        // [rows]
};

// From what stands in the table to what the model sees: numeric x → clip((x - mean) · scale), a missing one → 0; label
// y → (y - label_mean) / label_scale; weight by class.
struct Transform {
  std::vector<float> mean;   // [PadToLane(numeric)]
  std::vector<float> scale;  // [PadToLane(numeric)]; 0 for a column that does not vary, and for padding
  float limit = std::numeric_limits<float>::infinity();
  std::vector<uint32_t> category_offset;  // by categorical column: its first category among all
  double label_mean = 0;
  double label_scale = 1;
  std::vector<float> class_weights;  // by class; empty: 1
};

// The blocks of one virtual shard of `shards`, each a stretch of the data, so that a host can read its own.
std::vector<size_t> ShardBlocks(const data::RowBlocks& rows, size_t shard, size_t shards);

// Walks over some blocks. One thread at a time.
class BatchReader {
 public:
  enum class Order {
    kAsStored,
    kShuffled,  // blocks drawn in random order, rows mixed over kWindowBlocks of them
  };
  // All arguments must outlive the reader. `seed` counts only for kShuffled.
  BatchReader(const data::Dataset& dataset, const Transform& transform, std::vector<size_t> blocks, Order order,
              uint64_t seed);

  // To the first row again, in the order of another seed; keeps the memory.
  void Restart(uint64_t seed);

  // The next rows, at most `rows_max`; null at the end. Stands until the next call.
  Result<const RowBatch*> Next(size_t rows_max);
  // Passes over so many rows, or as many as are left, whose number it gives; blocks that are passed over whole are not
  // read.
  Result<uint64_t> Skip(uint64_t rows);

 private:
  enum class Blocks { kRead, kCount };
  Status FillWindow(Blocks use);
  void Prefetch(const std::pair<uint32_t, uint32_t>& row) const;
  uint64_t RowsOfNextWindow() const;

  const data::Dataset& dataset_;
  const Transform& transform_;
  data::RowShape shape_;
  std::vector<size_t> blocks_;
  Order order_;
  SeededRandom random_;
  uint64_t rows_ = 0;  // of all its blocks
  size_t next_block_ = 0;
  std::vector<data::RowView> window_;
  std::vector<data::RowBlock> space_;                           // for what of the window lies elsewhere
  std::vector<std::pair<uint32_t, uint32_t>> order_in_window_;  // view of the window, row
  size_t next_row_ = 0;
  uint64_t rows_passed_ = 0;              // given or passed over
  std::array<float, kLane> last_lane_{};  // of a row, and zeros
  RowBatch batch_;
};

}  // namespace argosy::algorithms
