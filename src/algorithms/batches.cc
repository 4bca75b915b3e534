#include "algorithms/batches.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace argosy::algorithms {
namespace {

// Blocks whose rows are mixed with each other. Sorted data has runs far longer than a block; a window of this many
// blocks drawn from all over a shard holds a fair sample of them in a few megabytes.
constexpr size_t kWindowBlocks = 32;
constexpr size_t kRowsAhead = 12;
constexpr size_t kCacheLineBytes = 64;
constexpr size_t kNumbersPrefetchedMax = 128;  // of wide rows the processor sees by itself what comes next

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
      random_(seed) {
  for (const size_t block : blocks_) rows_ += dataset.rows().rows(block);
  Restart(seed);
}

void BatchReader::Restart(uint64_t seed) {
  random_ = SeededRandom(seed);
  next_block_ = 0;
  next_row_ = 0;
  rows_passed_ = 0;
  window_.clear();
  order_in_window_.clear();
  std::sort(blocks_.begin(), blocks_.end());
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
    if (use == Blocks::kCount) {
      order_in_window_.resize(order_in_window_.size() + dataset_.rows().rows(at));
      continue;
    }
    if (space_.size() <= b) space_.resize(count);
    auto view = static_cast<uint32_t>(window_.size());
    if (Status s = dataset_.rows().View(at, space_[b], window_); !s) return s;
    for (; view < window_.size(); ++view) {
      for (uint32_t r = 0; r < window_[view].rows; ++r) order_in_window_.emplace_back(view, r);
    }
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
  rows_passed_ += rows - left;
  return rows - left;
}

// Rows drawn at random lie in no cache: what comes soon is asked for early.
void BatchReader::Prefetch(const std::pair<uint32_t, uint32_t>& row) const {
  const data::RowView& block = window_[row.first];
  const auto ask = [](const auto* from, size_t count) {
    const auto* const bytes = reinterpret_cast<const char*>(from);
    for (size_t at = 0; at < count * sizeof *from; at += kCacheLineBytes) __builtin_prefetch(bytes + at);
  };
  ask(block.numeric.data() + row.second * shape_.numeric, std::min(shape_.numeric, kNumbersPrefetchedMax));
  ask(block.categories.data() + row.second * shape_.categorical, shape_.categorical);
  ask(block.labels.data() + row.second, 1);
}

Result<const RowBatch*> BatchReader::Next(size_t rows_max) {
  const size_t numeric = shape_.numeric;
  const size_t padded = PadToLane(shape_.numeric);
  const size_t whole = numeric / kLane * kLane;
  const size_t categorical = shape_.categorical;
  rows_max = static_cast<size_t>(std::min<uint64_t>(rows_max, rows_ - rows_passed_));  // wide rows are large
  batch_.numeric.resize(rows_max * padded);
  batch_.categories.resize(rows_max * categorical);
  batch_.labels.resize(rows_max);
  batch_.weights.resize(rows_max);
  const bool as_is = transform_.label_mean == 0 && transform_.label_scale == 1;
  size_t rows = 0;
  while (rows < rows_max) {
    if (next_row_ == order_in_window_.size()) {
      if (next_block_ == blocks_.size()) break;
      if (Status filled = FillWindow(Blocks::kRead); !filled) return filled.error();
      continue;
    }
    if (next_row_ + kRowsAhead < order_in_window_.size()) Prefetch(order_in_window_[next_row_ + kRowsAhead]);
    const auto [in_window, r] = order_in_window_[next_row_++];
    const data::RowView& block = window_[in_window];
    const float* const row = block.numeric.data() + r * numeric;
    float* const out = batch_.numeric.data() + rows * padded;
    Normalize(row, transform_.mean.data(), transform_.scale.data(), transform_.limit, whole, out);
    if (whole != padded) {  // the last numbers must not be read further than they go
      std::memcpy(last_lane_.data(), row + whole, (numeric - whole) * sizeof(float));
      Normalize(last_lane_.data(), transform_.mean.data() + whole, transform_.scale.data() + whole, transform_.limit,
                kLane, out + whole);
    }
    for (size_t c = 0; c < categorical; ++c) {
      const uint32_t category = block.categories[r * categorical + c];
      batch_.categories[rows * categorical + c] =
          category == data::kUnseenCategory ? category : transform_.category_offset[c] + category;
    }
    const float label = block.labels[r];
    batch_.labels[rows] = as_is ? label : static_cast<float>((label - transform_.label_mean) / transform_.label_scale);
    batch_.weights[rows] =
        transform_.class_weights.empty() ? 1.0F : transform_.class_weights[static_cast<size_t>(label)];
    ++rows;
  }
  batch_.rows = rows;
  batch_.first = rows_passed_;
  rows_passed_ += rows;
  return rows == 0 ? nullptr : &batch_;
}

}  // namespace argosy::algorithms
