#include "data/row_blocks.h"

#include <algorithm>
#include <utility>

#include "data/table_schema.h"

namespace argosy::data {
namespace {

// Of numbers. Trainings mix the rows of 32 blocks for each of some shards: these are some megabytes.
constexpr size_t kRowBlockBytes = 64 << 10;

struct OwnedBlock {
  RowBlock block;
  RowView view;
};

}  // namespace

RowBlocks::RowBlocks(std::unique_ptr<RowStore> store, Translations translations, uint64_t first_row, uint64_t row_count)
    : translations_(std::move(translations)),
      shape_(store->shape()),
      row_count_(row_count),
      rows_per_block_(std::max<size_t>(1, kRowBlockBytes / shape_.bytes_per_row())) {
  if (!translations_.places.empty()) {
    const auto translate = [this](std::span<uint32_t> categories, std::span<float> labels, uint32_t dictionary) {
      Translate(categories, labels, dictionary);
    };
    store->Rewrite(translate, kTranslated);
  }
  AddBehind(std::move(store), first_row);
}

void RowBlocks::AddBefore(std::unique_ptr<const RowStore> store, uint64_t first_row) {
  const std::vector<Piece> here = std::exchange(pieces_, {});
  AddBehind(std::move(store), first_row);
  pieces_.insert(pieces_.end(), here.begin(), here.end());
}

void RowBlocks::AddBehind(std::unique_ptr<const RowStore> store, uint64_t first_row) {
  for (size_t i = 0; i < store->pieces(); ++i) {
    if (store->rows(i) == 0) continue;
    pieces_.push_back({store.get(), i, first_row});
    first_row += store->rows(i);
  }
  stores_.push_back(std::move(store));
}

size_t RowBlocks::rows(size_t index) const {
  const uint64_t first = index * rows_per_block_;
  return static_cast<size_t>(std::min<uint64_t>(rows_per_block_, row_count_ - first));
}

size_t RowBlocks::PieceOf(uint64_t row) const {
  const auto behind = std::upper_bound(pieces_.begin(), pieces_.end(), row,
                                       [](uint64_t value, const Piece& piece) { return value < piece.first_row; });
  Check(behind != pieces_.begin(), "a row that is not here");
  return static_cast<size_t>(behind - pieces_.begin()) - 1;
}

Status RowBlocks::View(size_t index, RowBlock& space, std::vector<RowView>& views) const {
  uint64_t first = index * rows_per_block_;
  size_t left = rows(index);
  space.Clear();
  // Views of it must not move.
  space.numeric.reserve(left * shape_.numeric);
  space.categories.reserve(left * shape_.categorical);
  space.labels.reserve(left);
  for (size_t p = PieceOf(first); left > 0; ++p) {
    const Piece& piece = pieces_[p];
    const size_t from = first - piece.first_row;
    const size_t some = std::min<size_t>(left, piece.store->rows(piece.index) - from);
    if (auto view = piece.store->ViewOf(piece.index, from, some)) {
      views.push_back(*view);
    } else {
      const size_t before = space.rows;
      if (Status s = Append(first, some, space); !s) return s;
      views.push_back({.rows = some,
                       .numeric = std::span<const float>(space.numeric).subspan(before * shape_.numeric),
                       .categories = std::span<const uint32_t>(space.categories).subspan(before * shape_.categorical),
                       .labels = std::span<const float>(space.labels).subspan(before)});
    }
    first += some;
    left -= some;
  }
  return {};
}

Result<std::shared_ptr<const RowView>> RowBlocks::Get(size_t index) const {
  const auto owned = std::make_shared<OwnedBlock>();
  std::vector<RowView> views;
  if (Status s = View(index, owned->block, views); !s) return s.error();
  if (views.size() == 1) {
    owned->view = views.front();
  } else {
    owned->block.Clear();
    if (Status s = Append(index * rows_per_block_, rows(index), owned->block); !s) return s.error();
    const RowBlock& block = owned->block;
    owned->view = {
        .rows = block.rows, .numeric = block.numeric, .categories = block.categories, .labels = block.labels};
  }
  return std::shared_ptr<const RowView>(owned, &owned->view);
}

Status RowBlocks::Append(uint64_t first, size_t count, RowBlock& out) const {
  for (size_t p = PieceOf(first); count > 0; ++p) {
    Check(p < pieces_.size(), "a row that is not here");
    const Piece& piece = pieces_[p];
    const size_t from = first - piece.first_row;
    const size_t some = std::min<size_t>(count, piece.store->rows(piece.index) - from);
    const size_t before = out.rows;
    if (Status s = piece.store->Append(piece.index, from, some, out); !s) return s;
    Translate(std::span(out.categories).subspan(before * shape_.categorical), std::span(out.labels).subspan(before),
              piece.store->dictionary(piece.index));
    first += some;
    count -= some;
  }
  return {};
}

void RowBlocks::Translate(std::span<uint32_t> categories, std::span<float> labels, uint32_t dictionary) const {
  if (translations_.places.empty() || dictionary == kTranslated) return;
  const std::vector<std::vector<uint32_t>>& places = translations_.places[dictionary];
  for (size_t i = 0; i < categories.size(); ++i) {
    uint32_t& number = categories[i];
    if (number != kUnseenCategory) number = places[i % shape_.categorical][number];
  }
  if (translations_.label_column == Translations::kNoColumn) return;
  for (float& label : labels) {
    label = static_cast<float>(places[translations_.label_column][static_cast<size_t>(label)]);
  }
}

}  // namespace argosy::data
