#include "data/row_blocks.h"

#include <algorithm>

#include "data/table_schema.h"

namespace argosy::data {
namespace {

// Of numbers. Trainings mix the rows of 32 blocks for each of some shards: these are some megabytes.
constexpr size_t kBlockBytes = 64 << 10;

struct OwnedBlock {
  RowBlock block;
  RowView view;
};

}  // namespace

RowBlocks::RowBlocks(std::unique_ptr<const RowStore> store, Translations translations)
    : store_(std::move(store)),
      translations_(std::move(translations)),
      rows_per_block_(std::max<size_t>(1, kBlockBytes / store_->shape().bytes_per_row())) {
  starts_.reserve(store_->pieces() + 1);
  starts_.push_back(0);
  for (size_t i = 0; i < store_->pieces(); ++i) starts_.push_back(starts_.back() + store_->rows(i));
}

size_t RowBlocks::rows(size_t index) const {
  const uint64_t first = index * rows_per_block_;
  return static_cast<size_t>(std::min<uint64_t>(rows_per_block_, row_count() - first));
}

Result<std::shared_ptr<const RowView>> RowBlocks::Get(size_t index) const {
  uint64_t next = index * rows_per_block_;
  size_t left = rows(index);
  size_t piece = static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), next) - starts_.begin()) - 1;
  const bool whole = next + left <= starts_[piece + 1];
  if (whole && translations_.places.empty()) {
    if (auto view = store_->ViewOf(piece, next - starts_[piece], left)) {
      return std::shared_ptr<const RowView>(std::make_shared<RowView>(*view));
    }
  }
  const auto owned = std::make_shared<OwnedBlock>();
  RowBlock& block = owned->block;
  for (; left > 0; ++piece) {
    const size_t from = next - starts_[piece];
    const size_t count = std::min<size_t>(left, store_->rows(piece) - from);
    const size_t before = block.rows;
    if (Status s = store_->Append(piece, from, count, block); !s) return s.error();
    Translate(block, before, store_->dictionary(piece));
    next += count;
    left -= count;
  }
  owned->view = {.rows = block.rows,
                 .numeric = block.numeric,
                 .categories = block.categories,
                 .labels = block.labels,
                 .dictionary = 0};
  return std::shared_ptr<const RowView>(owned, &owned->view);
}

void RowBlocks::Translate(RowBlock& block, size_t first_row, uint32_t dictionary) const {
  if (translations_.places.empty()) return;
  const std::vector<std::vector<uint32_t>>& places = translations_.places[dictionary];
  const size_t columns = shape().categorical;
  for (size_t r = first_row; r < block.rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      uint32_t& number = block.categories[r * columns + c];
      if (number != kUnseenCategory) number = places[c][number];
    }
    if (translations_.label_column == Translations::kNoColumn) continue;
    float& label = block.labels[r];
    label = static_cast<float>(places[translations_.label_column][static_cast<size_t>(label)]);
  }
}

}  // namespace argosy::data
