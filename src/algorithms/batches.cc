#include "algorithms/batches.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace argosy::algorithms {
namespace {

// Blocks whose rows are mixed with each other. Sorted data has runs far longer than a block; a window of this many
// blocks drawn from all over a shard holds a fair sample of them in a few megabytes.
constexpr size_t kWindowBlocks = 32;

}  // namespace

std::vector<size_t> ShardBlocks(const data::RowBlocks& rows, size_t shard, size_t shards) {
  std::vector<size_t> blocks;
  for (size_t block = shard * rows.blocks() / shards; block < (shard + 1) * rows.blocks() / shards; ++block) {
    blocks.push_back(block);
  }
  return blocks;
}

BatchReader::BatchReader(const data::Dataset& dataset, const Transform& transform, std::vector<size_t> blocks,
                         Order order, uint64_t seed)
    : dataset_(dataset),
      transform_(transform),
      shape_(dataset.rows().shape()),
      blocks_(std::move(blocks)),
      order_(order),
      random_(seed),
      padded_row_(PadToLane(shape_.numeric)) {
  if (order_ == Order::kShuffled) {
    for (size_t i = blocks_.size(); i > 1; --i) std::swap(blocks_[i - 1], blocks_[random_.Below(i)]);
  }
}

// kCount: only the order of rows is drawn, as it must be to leave the generator where it would be.
Status BatchReader::FillWindow(Blocks use) {
  window_.clear();
  order_in_window_.clear();
  next_row_ = 0;
  const size_t count = order_ == Order::kShuffled ? kWindowBlocks : 1;
  for (uint32_t b = 0; b < count && next_block_ < blocks_.size(); ++b) {
    const size_t at = blocks_[next_block_++];
    for (uint32_t r = 0; r < dataset_.rows().rows(at); ++r) order_in_window_.emplace_back(b, r);
    if (use == Blocks::kCount) continue;
    auto block = dataset_.rows().Get(at);
    if (!block) return block.error();
    window_.push_back(std::move(*block));
  }
  if (order_ == Order::kShuffled) {
    for (size_t i = order_in_window_.size(); i > 1; --i) {
      std::swap(order_in_window_[i - 1], order_in_window_[random_.Below(i)]);
    }
  }
  return {};
}

uint64_t BatchReader::RowsOfNextWindow() const {
  const size_t count = order_ == Order::kShuffled ? kWindowBlocks : 1;
  uint64_t rows = 0;
  for (size_t b = next_block_; b < std::min(next_block_ + count, blocks_.size()); ++b) {
    rows += dataset_.rows().rows(blocks_[b]);
  }
  return rows;
}

Result<uint64_t> BatchReader::Skip(uint64_t rows) {
  uint64_t left = rows;
  while (left > 0) {
    const uint64_t here = std::min<uint64_t>(left, order_in_window_.size() - next_row_);
    next_row_ += here;
    left -= here;
    if (left == 0 || next_block_ == blocks_.size()) break;
    const bool whole = RowsOfNextWindow() <= left;
    if (Status filled = FillWindow(whole ? Blocks::kCount : Blocks::kRead); !filled) return filled.error();
  }
  return rows - left;
}

Result<const RowBatch*> BatchReader::Next(size_t rows_max) {
  const size_t numeric = shape_.numeric;
  const size_t padded = PadToLane(shape_.numeric);
  const size_t categorical = shape_.categorical;
  batch_.numeric.resize(rows_max * padded);
  batch_.categories.resize(rows_max * categorical);
  batch_.labels.resize(rows_max);
  batch_.weights.resize(rows_max);
  size_t rows = 0;
  while (rows < rows_max) {
    if (next_row_ == order_in_window_.size()) {
      if (next_block_ == blocks_.size()) break;
      if (Status filled = FillWindow(Blocks::kRead); !filled) return filled.error();
      continue;
    }
    const auto [in_window, r] = order_in_window_[next_row_++];
    const data::RowView& block = *window_[in_window];
    std::memcpy(padded_row_.data(), block.numeric.data() + r * numeric, numeric * sizeof(float));
    Normalize(padded_row_.data(), transform_.mean.data(), transform_.scale.data(), transform_.limit, padded,
              batch_.numeric.data() + rows * padded);
    for (size_t c = 0; c < categorical; ++c) {
      const uint32_t category = block.categories[r * categorical + c];
      batch_.categories[rows * categorical + c] =
          category == data::kUnseenCategory ? category : transform_.category_offset[c] + category;
    }
    const float label = block.labels[r];
    batch_.labels[rows] = static_cast<float>((label - transform_.label_mean) / transform_.label_scale);
    batch_.weights[rows] =
        transform_.class_weights.empty() ? 1.0F : transform_.class_weights[static_cast<size_t>(label)];
    ++rows;
  }
  batch_.rows = rows;
  return rows == 0 ? nullptr : &batch_;
}

}  // namespace argosy::algorithms
